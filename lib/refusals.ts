/** What each refusal means on the wire: one row per code. */

import type { RefusalCode } from "./errors.ts";

/** What a refusal means on the wire. */
export interface RefusalKind {
  /** HTTP status, RFC 9110 unless the title says otherwise. */
  readonly status: number;
  /** Short name of the problem, the same for every occurrence. */
  readonly title: string;
  /** Whether the same request, unchanged, may succeed later. */
  readonly retryable: boolean;
  /** What the sender can do about it. */
  readonly advice: string;
}

/** The status table: one row per code. */
export const REFUSALS: Readonly<Record<RefusalCode, RefusalKind>> = {
  "body-incomplete": {
    status: 400,
    title: "Body incomplete",
    retryable: true,
    advice: "Send as many bytes as Content-Length says.",
  },
  "body-timeout": {
    status: 408,
    title: "Body took too long",
    retryable: true,
    advice: "Send the whole body at once; --body-timeout-ms is the limit.",
  },
  "body-too-large": {
    status: 413,
    title: "Body too large",
    retryable: false,
    advice: "Send fewer events a request; --max-body-bytes and --queue-bytes are the limits.",
  },
  "content-coding": {
    status: 400,
    title: "Body does not decode",
    retryable: false,
    advice: "Send one whole stream of the coding that Content-Encoding names.",
  },
  "decoded-too-large": {
    status: 413,
    title: "Decoded body too large",
    retryable: false,
    advice: "Send fewer events a request; --max-decoded-bytes is the limit.",
  },
  "draining": {
    status: 503,
    title: "Collector is stopping",
    retryable: true,
    advice: "Send the request again after Retry-After seconds.",
  },
  "empty-body": {
    status: 400,
    title: "Body is empty",
    retryable: false,
    advice: "Send at least one event.",
  },
  "event-too-large": {
    status: 413,
    title: "Event too large",
    retryable: false,
    advice: "Send smaller events; --max-event-bytes is the limit.",
  },
  "forbidden": {
    status: 403,
    title: "Token not allowed to",
    retryable: false,
    advice: "Use a token with the scope that `detail` names; `firehouse token list` shows them.",
  },
  "headers-too-large": {
    status: 431,
    title: "Header too large",
    retryable: false,
    advice: "Send a shorter header.",
  },
  "host": {
    status: 400,
    title: "Host header missing or malformed",
    retryable: false,
    advice: "Name the host in the Host header.",
  },
  "idempotency-key": {
    status: 400,
    title: "Idempotency-Key malformed",
    retryable: false,
    advice: "Send one key of 1 to 255 visible ASCII characters, in double quotes or bare.",
  },
  "internal": {
    status: 500,
    title: "Collector failed",
    retryable: true,
    advice: "Whether the events are stored is not known; the collector's log says what failed.",
  },
  "invalid-event": {
    status: 422,
    title: "Invalid event",
    retryable: false,
    advice: "Mend what `errors` lists, the first 20 problems with their places.",
  },
  "invalid-utf8": {
    status: 400,
    title: "Body is not UTF-8",
    retryable: false,
    advice: "Encode the body as UTF-8.",
  },
  "key-in-flight": {
    status: 409,
    title: "Request with this key in flight",
    retryable: true,
    advice: "Send the same request again after Retry-After seconds: it is answered like the first.",
  },
  "key-reused": {
    status: 422,
    title: "Idempotency-Key used before",
    retryable: false,
    advice: "Use another key for another body; a key is remembered for 24 hours.",
  },
  "length-required": {
    status: 411,
    title: "Length required",
    retryable: false,
    advice: "Send a Content-Length: without one a cut HTTP/2 body cannot be told from a whole one.",
  },
  "malformed-json": {
    status: 400,
    title: "Malformed JSON",
    retryable: false,
    advice: "Send JSON: one event, an array, or one event a line.",
  },
  "method": {
    status: 405,
    title: "Method not allowed",
    retryable: false,
    advice: "Use a method that the Allow header lists.",
  },
  "misdirected": {
    status: 421,
    title: "Host not served here",
    retryable: false,
    advice: "Use a host name that is served; --allowed-hosts lists them.",
  },
  "not-found": {
    status: 404,
    title: "Not found",
    retryable: false,
    advice: "GET / lists what is served.",
  },
  "origin": {
    status: 403,
    title: "Origin not allowed",
    retryable: false,
    advice:
      "Allow the page's origin: `firehouse token create --origins`, or --allowed-origins without tokens.",
  },
  "overloaded": {
    status: 503,
    title: "Too many queries",
    retryable: true,
    advice: "Ask again after Retry-After seconds, and fewer questions at once.",
  },
  "parameter": {
    status: 400,
    title: "Parameter missing or wrong",
    retryable: false,
    advice: "Give the parameter that `detail` names.",
  },
  "queue-full": {
    status: 503,
    title: "Queue full",
    retryable: true,
    advice: "Send the request again after Retry-After seconds; nothing of it was stored.",
  },
  "rate-limited": {
    status: 429,
    title: "Token over its limit",
    retryable: true,
    advice: "Send the request again after Retry-After seconds; the token has a limit of its own.",
  },
  "store-failing": {
    status: 503,
    title: "Nothing can be stored",
    retryable: true,
    advice: "Send the request again after Retry-After seconds; nothing of it was stored.",
  },
  "token-in-url": {
    status: 400,
    title: "Token in the URL",
    retryable: false,
    advice:
      "Send the token in the Authorization header; only tokens that can do no more than send may be in a URL.",
  },
  "token-missing": {
    status: 401,
    title: "Token missing",
    retryable: false,
    advice: "Send a token that `firehouse token create` made, as `Authorization: Bearer …`.",
  },
  "too-deep": {
    status: 400,
    title: "Nested too deep",
    retryable: false,
    advice: "Nest at most 64 objects and arrays inside one another, the event itself included.",
  },
  "too-many-auth-failures": {
    status: 429,
    title: "Too many wrong tokens",
    retryable: true,
    advice:
      "Wait for Retry-After seconds, and check the token: requests with a good one are still served.",
  },
  "too-many-bodies": {
    status: 503,
    title: "Too many bodies in flight",
    retryable: true,
    advice: "Send the request again after Retry-After seconds; --max-bodies is the limit.",
  },
  "too-many-events": {
    status: 413,
    title: "Too many events",
    retryable: false,
    advice:
      "Send fewer events a request; --max-request-events and --queue-capacity are the limits.",
  },
  "too-many-tails": {
    status: 503,
    title: "Too many tails",
    retryable: true,
    advice: "Close a tail that nobody looks at; 100 may be open at once, 4 of one token.",
  },
  "unauthorized": {
    status: 401,
    title: "Token wrong",
    retryable: false,
    advice:
      "Send a token that `firehouse token create` made, for instance as `Authorization: Bearer …`.",
  },
  "unconfirmed": {
    status: 500,
    title: "Not confirmed in time",
    retryable: true,
    advice:
      "Whether the events will be stored is not known. Send them again with the same ids or the " +
      "same Idempotency-Key: nothing is stored twice.",
  },
  "unknown-dead-letter": {
    status: 404,
    title: "Dead letter unknown",
    retryable: false,
    advice: "It was replayed or purged; GET /dead-letters lists those that are there.",
  },
  "unknown-export-point": {
    status: 404,
    title: "Export point unknown",
    retryable: false,
    advice: "GET /export-points lists those that are there.",
  },
  "unknown-event": {
    status: 404,
    title: "Event unknown",
    retryable: false,
    advice: "GET /events lists those that are there; retention may have removed it.",
  },
  "unknown-receipt": {
    status: 404,
    title: "Receipt unknown",
    retryable: false,
    advice: "The events are not stored and will not be: send them again.",
  },
  "unreadable": {
    status: 503,
    title: "Database can not be read",
    retryable: true,
    advice: "Ask again after Retry-After seconds; events are still taken if /readyz says so.",
  },
  "unsupported-coding": {
    status: 415,
    title: "Unsupported content coding",
    retryable: false,
    advice: "Use a Content-Encoding that the Accept-Encoding header lists.",
  },
  "unsupported-type": {
    status: 415,
    title: "Unsupported media type",
    retryable: false,
    advice: "Use a Content-Type that the Accept-Post header lists, in UTF-8.",
  },
  "uri-too-long": {
    status: 414,
    title: "URI too long",
    retryable: false,
    advice: "Send a shorter URL.",
  },
};
