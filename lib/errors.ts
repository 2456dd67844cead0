/**
 * Everything that can be refused or go wrong, by name. A refusal is data (it travels back to the
 * client); a {@linkcode CollectorError} is an operating error (it reaches the operator).
 */

/** Why a request was refused. Closed: a new code without a row in {@linkcode REFUSALS} does not compile. */
export type RefusalCode =
  | "body-timeout"
  | "body-too-large"
  | "content-coding"
  | "body-incomplete"
  | "decoded-too-large"
  | "draining"
  | "empty-body"
  | "event-too-large"
  | "headers-too-large"
  | "host"
  | "idempotency-key"
  | "internal"
  | "invalid-event"
  | "invalid-utf8"
  | "key-in-flight"
  | "key-reused"
  | "length-required"
  | "malformed-json"
  | "method"
  | "misdirected"
  | "not-found"
  | "queue-full"
  | "store-failing"
  | "too-deep"
  | "too-many-bodies"
  | "too-many-events"
  | "unconfirmed"
  | "unknown-receipt"
  | "unsupported-coding"
  | "unsupported-type"
  | "uri-too-long";

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
  "body-incomplete": {
    status: 400,
    title: "Body incomplete",
    retryable: true,
    advice: "Send as many bytes as Content-Length says.",
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
  "queue-full": {
    status: 503,
    title: "Queue full",
    retryable: true,
    advice: "Send the request again after Retry-After seconds; nothing of it was stored.",
  },
  "store-failing": {
    status: 503,
    title: "Nothing can be stored",
    retryable: true,
    advice: "Send the request again after Retry-After seconds; nothing of it was stored.",
  },
  "too-deep": {
    status: 400,
    title: "Nested too deep",
    retryable: false,
    advice: "Nest at most 64 objects and arrays inside one another, the event itself included.",
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
  "unconfirmed": {
    status: 500,
    title: "Not confirmed in time",
    retryable: true,
    advice:
      "Whether the events will be stored is not known. Send them again with the same ids or the " +
      "same Idempotency-Key: nothing is stored twice.",
  },
  "unknown-receipt": {
    status: 404,
    title: "Receipt unknown",
    retryable: false,
    advice: "The events are not stored and will not be: send them again.",
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

/** One thing wrong with one event. Never carries the value itself. */
export interface EventProblem {
  /** Position in a JSON array, from 0. */
  readonly index?: number;
  /** Line of an NDJSON body, from 1. */
  readonly line?: number;
  /** JSON Pointer (RFC 6901) into the event. */
  readonly pointer: string;
  /** Stable name of the problem, such as `type` or `timestamp`. */
  readonly code: string;
  /** What was expected. */
  readonly detail: string;
}

/** Why a request was refused, with what the client needs to mend it. */
export interface Refusal {
  /** Which refusal this is. */
  readonly code: RefusalCode;
  /** One sentence: what was wrong and what was expected. */
  readonly detail: string;
  /** The first 20 problems found in the events. */
  readonly errors?: readonly EventProblem[];
  /** How many problems were found in all. */
  readonly errorsTotal?: number;
  /** How many events the refused request held, where they could be counted; 0 otherwise. */
  readonly events?: number;
  /** Headers the answer must carry, such as `allow` or `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The refusals after which the events may be stored or not: the client can not know. */
export const IN_DOUBT: ReadonlySet<RefusalCode> = new Set([
  "internal",
  "unconfirmed",
  "key-in-flight",
]);

/** Tells a refusal from a result. */
export function isRefusal(value: object): value is Refusal {
  return "code" in value;
}

/** Why the collector itself cannot go on. */
export type CollectorErrorCode =
  | "config"
  | "usage"
  | "database-corrupt"
  | "database-foreign"
  | "database-locked"
  | "database-open"
  | "database-path"
  | "second-collector"
  | "listen"
  | "store-hung";

/** Exit status per error, after sysexits.h. */
export const EXIT_CODES: Readonly<Record<CollectorErrorCode, number>> = {
  "config": 78,
  "usage": 64,
  "database-corrupt": 65,
  "database-foreign": 78,
  "database-locked": 75,
  "database-open": 78,
  "database-path": 78,
  "second-collector": 75,
  "listen": 71,
  "store-hung": 70,
};

/** Exit status when it was stopped with events not stored. */
export const EXIT_NOT_STORED = 1;
/** Exit status when a part of it ended that never should: a bug. */
export const EXIT_BUG = 70;

/** An operating error: what happened, and the way out for the operator. */
export class CollectorError extends Error {
  /** Which error this is. */
  readonly code: CollectorErrorCode;
  /** What the operator can do about it. */
  readonly hint: string;

  /** Names the error, its message and the way out; `cause` keeps the original. */
  constructor(
    code: CollectorErrorCode,
    message: string,
    options: { readonly hint: string; readonly cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = "CollectorError";
    this.code = code;
    this.hint = options.hint;
  }
}
