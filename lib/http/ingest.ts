/**
 * The way of an event from the socket to the channel. Written out by hand: each header read, each
 * object and each `new URL` here is paid a hundred thousand times a second.
 */

import { isAscii, isUtf8 } from "node:buffer";
import type { Admission } from "../admission.ts";
import { DRAINING } from "../admission_refusals.ts";
import type { Collector } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import type { Submission } from "../event.ts";
import type { Decode, IngestRoute } from "../protocol.ts";
import { parseIdempotencyKey } from "../idempotency.ts";
import { type AcknowledgeOptions, Acknowledger } from "./acknowledge.ts";
import type { BodyReader } from "./body.ts";
import { undoCoding } from "./content_coding.ts";

/** What it is made of. */
export interface IngestOptions extends AcknowledgeOptions {
  /** Reads the bodies. */
  readonly bodies: BodyReader;
  /** Most bytes of a body after content decoding. */
  readonly decodedBytesMax: number;
}

const HEADER_LENGTH_MAX = 8192;

/** See the head of this file. */
export class Ingest {
  readonly #collector: Collector;
  readonly #bodies: BodyReader;
  readonly #decodedBytesMax: number;
  readonly #acknowledger: Acknowledger;

  /** Holds no resources. */
  constructor(options: IngestOptions) {
    this.#collector = options.collector;
    this.#bodies = options.bodies;
    this.#decodedBytesMax = options.decodedBytesMax;
    this.#acknowledger = new Acknowledger(options);
  }

  /** Reads, decodes and admits a request whole, or says why not. */
  async take(request: Request, route: IngestRoute): Promise<Response | Refusal> {
    const { headers } = request;
    const type = headers.get("content-type");
    const coding = headers.get("content-encoding");
    const decode = type === null ? undefined : route.decoders.get(type) ?? decoderFor(type, route);
    if (this.#collector.draining) return DRAINING;
    if (decode === undefined) return unsupportedType(type, route);
    if (coding !== null && coding.length > HEADER_LENGTH_MAX) return HEADER_TOO_LARGE;

    const length = headers.get("content-length");
    let body = await this.#bodies.read(request, length);
    if (isRefusal(body)) return body;
    // The runtime takes a reset HTTP/2 stream for its end. HTTP/1.1 is told by its chunks.
    if (length === null && body.length > 0 && !headers.has("transfer-encoding")) {
      return LENGTH_REQUIRED;
    }
    if (coding !== null) {
      body = undoCoding(body, coding, this.#decodedBytesMax);
      if (isRefusal(body)) return body;
    }
    const ascii = isAscii(body);
    if (!ascii && !isUtf8(body)) return NOT_UTF8;
    const decoded = decode(body, { receivedAt: Date.now(), isAscii: ascii });
    if (isRefusal(decoded)) return decoded;
    const key = headers.get("idempotency-key");
    const admission = key === null
      ? this.#collector.submit(decoded)
      : this.#submitOnce(decoded, key, body);
    if (isRefusal(admission)) return admission;
    return this.#acknowledger.answer(route, admission, headers.get("prefer"));
  }

  #submitOnce(decoded: Submission, header: string, body: Uint8Array): Admission | Refusal {
    const key = parseIdempotencyKey(header);
    if (key === null) return { ...BAD_KEY, events: decoded.events };
    return this.#collector.submit(decoded, { source: decoded.source, key, body });
  }
}

/** The decoder for a Content-Type header in full: any case, with parameters. */
function decoderFor(header: string, route: IngestRoute): Decode | undefined {
  if (header.length > HEADER_LENGTH_MAX) return undefined;
  const [type = "", ...parameters] = header.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return undefined;
  return route.decoders.get(type);
}

function unsupportedType(header: string | null, route: IngestRoute): Refusal {
  if (header !== null && header.length > HEADER_LENGTH_MAX) return HEADER_TOO_LARGE;
  const accepted = [...route.decoders.keys()].join(", ");
  return {
    code: "unsupported-type",
    detail: `Expected a Content-Type among ${accepted}, in UTF-8.`,
    headers: { "accept-post": accepted },
  };
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
const HEADER_TOO_LARGE: Refusal = {
  code: "headers-too-large",
  detail: `Expected a header of at most ${HEADER_LENGTH_MAX} characters.`,
};
