/** Dead letters over HTTP: looked at, exported, replayed, purged. */

import { isUtf8 } from "node:buffer";
import type { Collector } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import type { Replayer } from "../replay.ts";
import type { DeadLetterStore, StoredDeadLetter } from "../store.ts";
import type { BodyReader } from "./body.ts";
import type { Arrived } from "./gate.ts";
import { jsonResponse } from "./json_response.ts";

/** What they work on. */
export interface DeadLetterRoutesOptions {
  /** Waits for what was replayed. */
  readonly collector: Collector;
  /** Holds the dead letters. */
  readonly store: DeadLetterStore;
  /** Sends them again. */
  readonly replayer: Replayer;
  /** Reads the bodies. */
  readonly bodies: BodyReader;
  /** Longest wait for the flush, in ms. */
  readonly ackTimeoutMs: number;
}

/** Where they are. */
export const DEAD_LETTERS_PATH = "/dead-letters";
const LIMIT = { byDefault: 100, max: 1000 };

/** See the head of this file. */
export class DeadLetterRoutes {
  readonly #options: DeadLetterRoutesOptions;

  /** Holds no resources. */
  constructor(options: DeadLetterRoutesOptions) {
    this.#options = options;
  }

  /** Answers a request to a path under {@linkcode DEAD_LETTERS_PATH}; null if nothing is there. */
  async answer(arrived: Arrived): Promise<Response | Refusal | null> {
    const { request: { method }, head: { path, query } } = arrived;
    const [, id, action] = /^\/(\d{1,15})(\/replay)?$/.exec(
      path.slice(DEAD_LETTERS_PATH.length),
    ) ?? [];
    if (path === DEAD_LETTERS_PATH) {
      if (method === "GET") return await this.#list(new URLSearchParams(query));
      if (method === "DELETE") return await this.#purge(new URLSearchParams(query));
      return otherMethod("GET, DELETE");
    }
    if (path === `${DEAD_LETTERS_PATH}/export`) {
      return method === "GET" ? await this.#export() : otherMethod("GET");
    }
    if (id === undefined) return null;
    if (action !== undefined) {
      return method === "POST" ? await this.#replay(Number(id), arrived) : otherMethod("POST");
    }
    if (method !== "DELETE" && method !== "GET") return otherMethod("GET, DELETE");
    const letter = await this.#find(Number(id));
    if (isRefusal(letter)) return letter;
    return method === "GET"
      ? jsonResponse(shown(letter))
      : await this.#remove(letter.id, letter.id);
  }

  async #list(query: URLSearchParams): Promise<Response | Refusal> {
    const after = wholeNumber(query.get("after") ?? "0");
    const limit = wholeNumber(query.get("limit") ?? String(LIMIT.byDefault));
    if (after === null || limit === null || limit < 1 || limit > LIMIT.max) {
      return parameter(`Expected after to be an id and limit to be 1 to ${LIMIT.max}.`);
    }
    const letters = await this.#options.store.deadLetters({ after, limit });
    if (letters === null) return BUSY;
    // A page of large letters is shorter than its limit: only an empty one is known to be the last.
    return jsonResponse({ dead_letters: letters.map(shown), next: letters.at(-1)?.id ?? null });
  }

  /** All of them, one a line. The answer breaks off if the database can not be asked on the way. */
  async #export(): Promise<Response | Refusal> {
    const { store } = this.#options, encoder = new TextEncoder();
    let letters = await store.deadLetters({ after: 0, limit: LIMIT.max });
    if (letters === null) return BUSY;
    const stream = new ReadableStream({
      async pull(controller) {
        if (letters === null) return controller.error(new Error("the database is busy"));
        const last = letters.at(-1);
        if (last === undefined) return controller.close();
        const lines = letters.map((letter) => JSON.stringify(shown(letter)) + "\n");
        controller.enqueue(encoder.encode(lines.join("")));
        letters = await store.deadLetters({ after: last.id, limit: LIMIT.max });
      },
    });
    const headers = {
      "content-type": "application/x-ndjson",
      "content-disposition": 'attachment; filename="dead-letters.ndjson"',
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    };
    return new Response(stream, { headers });
  }

  async #replay(id: number, { request }: Arrived): Promise<Response | Refusal> {
    const { collector, bodies, replayer, ackTimeoutMs } = this.#options;
    const letter = await this.#find(id);
    if (isRefusal(letter)) return letter;
    const body = await bodies.read(request, request.headers.get("content-length"));
    if (isRefusal(body)) return body;
    if (!isUtf8(body)) return NOT_UTF8;
    const admission = replayer.replay(letter, body.length === 0 ? null : body);
    if (isRefusal(admission)) return admission;
    if (!await collector.flushed(admission, ackTimeoutMs)) return UNCONFIRMED;
    // If it can not be removed now it is still there: replayed again, it is not stored again.
    const removed = await this.#options.store.removeDeadLetters({ first: id, last: id });
    const stored = collector.level(admission), { duplicates } = admission;
    const receipt = await collector.receipt(collector.receiptId(admission));
    // Refused by the database again it is another letter, which says why.
    const status = receipt?.status === "dead_lettered" ? receipt.status : "replayed";
    return jsonResponse({ status, stored, duplicates, removed: removed === 1 });
  }

  async #purge(query: URLSearchParams): Promise<Response | Refusal> {
    const through = wholeNumber(query.get("through") ?? "");
    if (through === null) {
      return parameter("Expected ?through=<id>: this letter and all before it are removed.");
    }
    return await this.#remove(0, through);
  }

  async #remove(first: number, last: number): Promise<Response | Refusal> {
    const removed = await this.#options.store.removeDeadLetters({ first, last });
    return removed === null ? BUSY : jsonResponse({ removed });
  }

  async #find(id: number): Promise<StoredDeadLetter | Refusal> {
    const letters = await this.#options.store.deadLetters({ after: id - 1, limit: 1 });
    if (letters === null) return BUSY;
    const [letter] = letters;
    return letter?.id === id ? letter : UNKNOWN;
  }
}

function shown({ id, receivedAt, source, protocol, reason, raw }: StoredDeadLetter): object {
  const received_at = new Date(receivedAt).toISOString();
  return { id, received_at, source, protocol, reason, raw };
}

function wholeNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function otherMethod(allow: string): Refusal {
  return { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
}

function parameter(detail: string): Refusal {
  return { code: "parameter", detail };
}

const UNKNOWN: Refusal = {
  code: "unknown-dead-letter",
  detail: "No dead letter has this id (any more).",
};
const BUSY: Refusal = {
  code: "store-failing",
  detail: "The database can not be asked at present. Try again later.",
  headers: { "retry-after": "1" },
};
const NOT_UTF8: Refusal = { code: "invalid-utf8", detail: "Expected the text to be UTF-8." };
const UNCONFIRMED: Refusal = {
  code: "unconfirmed",
  detail: "The event was not flushed to the disk in time; replay it again.",
};
