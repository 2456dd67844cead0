/**
 * The way of an event from the socket to the channel. Written out by hand: each header read, each
 * object and each `new URL` here is paid a hundred thousand times a second.
 */

import { isAscii, isUtf8 } from "node:buffer";
import type { Grant } from "../access.ts";
import type { Admission } from "../admission.ts";
import type { Collector } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import type { Answer, Decoded, Format, IngestRoute } from "../protocol.ts";
import { parseIdempotencyKey } from "../idempotency.ts";
import type { RequestCounts } from "../request_counts.ts";
import { type AcknowledgeOptions, Acknowledger, type Admitted } from "./acknowledge.ts";
import { type BodyReader, declaredLength } from "./body.ts";
import { undoCoding } from "./content_coding.ts";
import type { Arrived, Gate } from "./gate.ts";
import { formatOf, HEADER_LENGTH_MAX, HEADER_TOO_LARGE } from "./media_type.ts";
import type { Responder } from "./respond.ts";

/** What it is made of. */
export interface IngestOptions extends AcknowledgeOptions {
  /** Reads the bodies. */
  readonly bodies: BodyReader;
  /** Counts their bytes. */
  readonly requests: RequestCounts;
  /** Most bytes of a body after content decoding. */
  readonly decodedBytesMax: number;
  /** Says who may send. */
  readonly gate: Gate;
  /** Makes the responses. */
  readonly responder: Responder;
}

/** See the head of this file. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #collector: Collector;
  readonly #acknowledger: Acknowledger;

  /** Holds no resources. */
  constructor(options: IngestOptions) {
    this.#options = options;
    this.#collector = options.collector;
    this.#acknowledger = new Acknowledger(options);
  }

  /** Reads, decodes and admits a request whole, or says why not, in the words of its protocol. */
  async take(arrived: Arrived, route: IngestRoute): Promise<Response> {
    const { gate, responder } = this.#options;
    const credential = route.credential(arrived.head);
    // Where it may be in the body, nobody is asked before that was read.
    const grant = credential === null && route.hasBodyCredential === true
      ? gate.refusesPage(arrived)
      : gate.authorize(arrived, credential, "ingest");
    const format = formatOf(arrived.head, route);
    const refused = isRefusal(format) ? route.refused : format.refused;
    const outcome = grant !== null && isRefusal(grant)
      ? grant
      : isRefusal(format)
      ? format
      : await this.#admit(arrived, { route, format, grant });
    if (!isRefusal(outcome)) return responder.respond(outcome, gate.readerOf(arrived));
    this.#collector.countRefused(outcome.code, outcome.events ?? 0, route.protocol);
    const { headers } = arrived.head;
    return responder.refuse(outcome, refused, { headers, origin: gate.readerOf(arrived) });
  }

  async #admit(arrived: Arrived, { route, format, grant }: Way): Promise<Answer | Refusal> {
    const { head } = arrived, { headers } = head;
    const key = route.hasKeys === true ? headers.get("idempotency-key") : null;
    // The repeat of a request is answered also when there is no room.
    const now = key === null || this.#collector.draining ? this.#collector.refusal() : null;
    const early = now ?? route.refusesHead?.(head) ?? null;
    if (early !== null) return early;
    const length = headers.get("content-length"), coding = headers.get("content-encoding");
    const unread = beforeBody({ length, coding, grant });
    if (unread !== null) return unread;
    const { bodies, requests } = this.#options;
    let body = await bodies.read(arrived.request, length);
    if (isRefusal(body)) return body;
    const sentBytes = body.length;
    if (length === null) {
      const late = lengthUnknown(body, { isChunked: headers.has("transfer-encoding"), grant });
      if (late !== null) return late;
    }
    if (coding !== null) {
      body = undoCoding(body, coding, this.#options.decodedBytesMax);
      if (isRefusal(body)) return body;
    }
    requests.body(sentBytes, body.length);
    const ascii = isAscii(body);
    if (format.isText && !ascii && !isUtf8(body)) return NOT_UTF8;
    const context = {
      receivedAt: Date.now(),
      isAscii: ascii,
      source: grant?.source ?? route.protocol,
      head,
    };
    const outcome = format.decode(body, context);
    if (isRefusal(outcome)) return outcome;
    const decoded = grant === null ? this.#authorizeBody(arrived, outcome, sentBytes) : outcome;
    if (isRefusal(decoded)) return { ...decoded, events: eventsOf(outcome) };
    const limited = grant?.takeEvents(eventsOf(decoded)) ?? null;
    if (limited !== null) return { ...limited, events: eventsOf(decoded) };
    const admission = this.#submit(decoded, body, key);
    if (isRefusal(admission)) return admission;
    const admitted: Admitted = { format, head, decoded, admission };
    return this.#acknowledger.answer(admitted, route.preference?.(head) ?? null);
  }

  /** Asks for the token that came in a body, and gives the events its name. */
  #authorizeBody(arrived: Arrived, decoded: Decoded, sentBytes: number): Decoded | Refusal {
    const { credential, submission, aside } = decoded;
    const token = credential === undefined ? null : { token: credential, isInUrl: false };
    const grant = this.#options.gate.authorize(arrived, token, "ingest");
    if (isRefusal(grant)) return grant;
    const limited = takeBytes(grant, sentBytes) ?? grant.takeEvents(eventsOf(decoded));
    if (limited !== null) return limited;
    const { source } = grant;
    if (source === null) return decoded;
    return {
      ...decoded,
      submission: submission === null ? null : { ...submission, source },
      ...aside === undefined ? {} : { aside: { ...aside, source } },
    };
  }

  #submit(decoded: Decoded, body: Uint8Array, keyHeader: string | null): Admission | Refusal {
    const { aside = null } = decoded, submission = decoded.submission ?? aside;
    if (submission === null) return NO_EVENTS;
    const beside = { aside: decoded.submission === null ? null : aside };
    if (keyHeader === null) return this.#collector.submit(submission, beside);
    const key = parseIdempotencyKey(keyHeader);
    if (key === null) return { ...BAD_KEY, events: eventsOf(decoded) };
    const keyed = { source: submission.source, key, body };
    return this.#collector.submit(submission, { ...beside, keyed });
  }
}

interface Way {
  readonly route: IngestRoute;
  readonly format: Format;
  /** Null if it will be asked for once the body was read. */
  readonly grant: Grant | null;
}

/** What can be refused by the head of a request. */
function beforeBody(
  { length, coding, grant }: { length: string | null; coding: string | null; grant: Grant | null },
): Refusal | null {
  if (coding !== null && coding.length > HEADER_LENGTH_MAX) return HEADER_TOO_LARGE;
  if (grant === null || length === null) return null;
  return takeBytes(grant, declaredLength(length));
}

/** What can only be refused once a body without a declared length was read. */
function lengthUnknown(
  body: Uint8Array,
  { isChunked, grant }: { isChunked: boolean; grant: Grant | null },
): Refusal | null {
  // The runtime takes a reset HTTP/2 stream for its end. HTTP/1.1 is told by its chunks.
  if (body.length > 0 && !isChunked) return LENGTH_REQUIRED;
  return grant === null ? null : takeBytes(grant, body.length);
}

function eventsOf({ submission, aside }: Decoded): number {
  return (submission?.events ?? 0) + (aside?.events ?? 0);
}

/** What becomes of a request without events. */
const NO_EVENTS: Admission = {
  events: 0,
  accepted: 0,
  duplicates: 0,
  first: 0,
  sequence: 0,
  isReplay: false,
};

/** Takes a body's bytes from what a token may send, or says that it is too long for it. */
function takeBytes({ maxBodyBytes, takeBytes }: Grant, bytes: number): Refusal | null {
  if (maxBodyBytes === null || bytes <= maxBodyBytes) return takeBytes(bytes);
  const detail = `Expected at most ${maxBodyBytes} bytes: the token allows no more.`;
  return { code: "body-too-large", detail };
}

const NOT_UTF8: Refusal = { code: "invalid-utf8", detail: "Expected the body to be UTF-8." };
const LENGTH_REQUIRED: Refusal = {
  code: "length-required",
  detail: "Expected a Content-Length: a body without one could be cut off unnoticed.",
};
const BAD_KEY: Refusal = {
  code: "idempotency-key",
  detail: "Expected one Idempotency-Key of 1 to 255 visible ASCII characters.",
};
