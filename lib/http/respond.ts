/** Answers of the protocols as responses. */

import type { Refusal } from "../errors.ts";
import type { Answer, HeaderReader } from "../protocol.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request_id.ts";

const REMEMBERED_MAX = 64;

interface Remembered {
  readonly answer: Answer;
  readonly response: Response;
}

/** Makes responses, and remembers those that come again and again. */
export class Responder {
  /** By body: cloning a response costs less than making one. */
  readonly #remembered = new Map<string, Remembered>();

  /** The response; `origin` is the page's that may read it, null if no page asks. */
  respond(answer: Answer, origin: string | null): Response {
    const { status, body, type, headers } = answer;
    if (origin !== null || headers !== undefined || typeof body !== "string") {
      return responseOf(answer, origin);
    }
    const known = this.#remembered.get(body);
    if (known !== undefined && known.answer.status === status && known.answer.type === type) {
      return known.response.clone();
    }
    const response = responseOf(answer, origin);
    if (this.#remembered.size < REMEMBERED_MAX) {
      this.#remembered.set(body, { answer, response: response.clone() });
    }
    return response;
  }

  /** The response to a refused request in the words of `say`, under the id of the request. */
  refuse(refusal: Refusal, say: (refusal: Refusal) => Answer, refused: Refused): Response {
    const requestId = refusal.requestId ?? requestIdOf(refused.headers);
    const response = this.respond(say({ ...refusal, requestId }), refused.origin);
    response.headers.set(REQUEST_ID_HEADER, requestId);
    return response;
  }
}

/** Whom a refusal is for. */
export interface Refused {
  /** Headers of the request. */
  readonly headers: HeaderReader;
  /** The page's that may read it, null if no page asks. */
  readonly origin: string | null;
}

/** What a page needs to see of an answer beside its body. */
const EXPOSED = "retry-after, location, preference-applied, idempotency-replayed, " +
  `x-ratelimit-remaining, x-ratelimit-reset, ${REQUEST_ID_HEADER}`;

/** Lets a page of this origin read a response; null if no page asks. Gives the response. */
export function letRead(response: Response, origin: string | null): Response {
  if (origin === null) return response;
  const { headers } = response;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
  headers.set("vary", "origin");
  return response;
}

function responseOf({ status, body, type, headers }: Answer, origin: string | null): Response {
  const all = new Headers(headers);
  if (type !== null) all.set("content-type", type);
  if (status >= 400) {
    all.set("cache-control", "no-store");
    all.set("x-content-type-options", "nosniff");
  }
  return letRead(new Response(type === null ? null : body, { status, headers: all }), origin);
}
