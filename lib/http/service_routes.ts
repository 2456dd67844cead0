/** The paths of protocols that take no events: health checks, acknowledgements. */

import { isUtf8 } from "node:buffer";
import type { Collector } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import type { Answer, Service } from "../protocol.ts";
import type { BodyReader } from "./body.ts";
import { undoCoding } from "./content_coding.ts";
import type { Arrived, Gate } from "./gate.ts";
import { identify } from "./request_id.ts";
import type { Responder } from "./respond.ts";

/** What they are made of. */
export interface ServiceRoutesOptions {
  /** Counts what is refused. */
  readonly collector: Collector;
  /** Reads the bodies. */
  readonly bodies: BodyReader;
  /** Most bytes of a body after content decoding. */
  readonly decodedBytesMax: number;
  /** Says who may ask. */
  readonly gate: Gate;
  /** Makes the responses. */
  readonly responder: Responder;
}

const NO_BODY = new Uint8Array();

/** See the head of this file. */
export class ServiceRoutes {
  readonly #options: ServiceRoutesOptions;

  /** Holds no resources. */
  constructor(options: ServiceRoutesOptions) {
    this.#options = options;
  }

  /** Answers a request to a service. */
  async take(arrived: Arrived, service: Service): Promise<Response> {
    const { collector, gate, responder } = this.#options;
    const outcome = await this.#answer(arrived, service);
    const { headers } = arrived.head, origin = gate.readerOf(arrived);
    if (!isRefusal(outcome)) return identify(responder.respond(outcome, origin), headers);
    collector.countRefused(outcome.code, 0);
    return responder.refuse(outcome, service.refused, { headers, origin });
  }

  async #answer(arrived: Arrived, service: Service): Promise<Answer | Refusal> {
    const { request, head } = arrived, { method } = service;
    const isHead = method === "GET" && request.method === "HEAD";
    if (request.method !== method && !isHead) {
      const allow = method === "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
      if (request.method === "OPTIONS") {
        return { status: 204, body: "", type: null, headers: { allow } };
      }
      return { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
    }
    let source = "";
    if (service.needsToken) {
      const grant = this.#options.gate.authorize(arrived, service.credential(head), "ingest");
      if (isRefusal(grant)) return grant;
      source = grant.source ?? "";
    }
    const body = method === "GET" ? NO_BODY : await this.#body(request);
    return isRefusal(body) ? body : service.answer(head, body, source);
  }

  async #body(request: Request): Promise<Uint8Array | Refusal> {
    const { bodies, decodedBytesMax } = this.#options;
    const coding = request.headers.get("content-encoding");
    const body = await bodies.read(request, request.headers.get("content-length"));
    if (isRefusal(body)) return body;
    const decoded = coding === null ? body : undoCoding(body, coding, decodedBytesMax);
    if (isRefusal(decoded) || isUtf8(decoded)) return decoded;
    return { code: "invalid-utf8", detail: "Expected the body to be UTF-8." };
  }
}
