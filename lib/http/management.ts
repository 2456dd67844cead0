/** The routes that tell about the collector or manage it. None of them is hot. */

import type { Scope } from "../access.ts";
import type { Collector } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import { describeProblem, PROBLEMS_PATH } from "../problem.ts";
import type { Credential, IngestRoute, RequestHead } from "../protocol.ts";
import {
  DEAD_LETTERS_PATH,
  DeadLetterRoutes,
  type DeadLetterRoutesOptions,
} from "./dead_letter_routes.ts";
import { RECEIPTS_PATH } from "../receipt.ts";
import type { Arrived, Gate } from "./gate.ts";
import { jsonResponse } from "./json_response.ts";

/** What they tell of. */
export interface ManagementOptions extends DeadLetterRoutesOptions {
  /** The collector. */
  readonly collector: Collector;
  /** Says who may see it. */
  readonly gate: Gate;
  /** Finds the token in a request. */
  readonly credential: (head: RequestHead) => Credential | null;
  /** Facts for `GET /stats` that the collector does not know. */
  readonly serverStats: () => Record<string, unknown>;
}

/** See the head of this file. */
export class Management {
  readonly #options: ManagementOptions;
  readonly #index: object;
  readonly #deadLetters: DeadLetterRoutes;

  /** `routes` are the paths that take events, for the index. */
  constructor(options: ManagementOptions, routes: ReadonlyMap<string, IngestRoute>) {
    this.#options = options;
    this.#index = index(routes);
    this.#deadLetters = new DeadLetterRoutes(options);
  }

  /** What is at a path; null if nothing is. */
  async answer(arrived: Arrived): Promise<Response | Refusal | null> {
    const { request: { method }, head: { path } } = arrived;
    if (path === DEAD_LETTERS_PATH || path.startsWith(`${DEAD_LETTERS_PATH}/`)) {
      const denied = this.#denies(arrived, method === "GET" ? "read" : "admin");
      return denied ?? await this.#deadLetters.answer(arrived);
    }
    const answer = await this.#read(arrived);
    if (answer === null || isRefusal(answer) || method === "GET") return answer;
    const allow = "GET, HEAD, OPTIONS";
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    if (method === "HEAD") return new Response(null, answer);
    return { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
  }

  async #read(arrived: Arrived): Promise<Response | Refusal | null> {
    const { collector, serverStats } = this.#options, { path } = arrived.head;
    switch (path) {
      case "/":
        return jsonResponse(this.#index);
      case "/livez":
        return jsonResponse({ status: "alive" });
      case "/readyz": {
        const { ready, reason } = collector.readiness();
        return jsonResponse({ status: ready ? "ready" : "not ready", reason }, ready ? 200 : 503);
      }
      case "/stats":
        return this.#denies(arrived, "read") ??
          jsonResponse({ ...await collector.stats(), ...serverStats() });
    }
    // Whoever knows the name of a receipt has it from its answer: it holds a random number.
    if (path.startsWith(RECEIPTS_PATH)) {
      const receipt = await collector.receipt(path.slice(RECEIPTS_PATH.length));
      return receipt === null ? UNKNOWN_RECEIPT : jsonResponse(receipt);
    }
    if (!path.startsWith(PROBLEMS_PATH)) return null;
    const problem = describeProblem(path.slice(PROBLEMS_PATH.length));
    return problem === null ? null : jsonResponse(problem);
  }

  #denies(arrived: Arrived, scope: Scope): Refusal | null {
    const { gate, credential } = this.#options;
    const grant = gate.authorize(arrived, credential(arrived.head), scope);
    return isRefusal(grant) ? grant : null;
  }
}

const UNKNOWN_RECEIPT: Refusal = {
  code: "unknown-receipt",
  detail: "No events are known under this receipt: send them again.",
};

/** What `GET /` shows: where to go from here. */
function index(routes: ReadonlyMap<string, IngestRoute>): object {
  const send = [...routes].map(([path, { protocol, formats }]) => [
    `POST ${path}`,
    `${protocol}: ${[...formats.keys()].join(", ") || "any media type"}`,
  ]);
  return {
    name: "Firehouse Collector",
    send: Object.fromEntries(send),
    read: {
      "GET /stats": "counters, queue, latencies",
      "GET /livez": "200 while the process answers",
      "GET /readyz": "200 while it can take events, else 503 and the reason",
      "GET /receipts/{id}": "how far the events of a request have got",
      "GET /problems/{code}": "what the type of a refusal means",
      "GET /dead-letters": "events that can not be stored, and why",
    },
  };
}
