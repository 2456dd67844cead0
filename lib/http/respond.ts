/** Answers of the protocols as responses. */

import type { Answer } from "../protocol.ts";

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
}

/** What a page needs to see of an answer beside its body. */
const EXPOSED = "retry-after, location, preference-applied, idempotency-replayed, " +
  "x-ratelimit-remaining, x-ratelimit-reset";

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
