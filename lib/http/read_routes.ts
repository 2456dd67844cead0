/** The routes that tell about the collector. None of them is hot. */

import type { Collector } from "../collector.ts";
import type { Refusal } from "../errors.ts";
import type { Routes } from "../protocol.ts";
import { RECEIPTS_PATH } from "./acknowledge.ts";
import { describeProblem, PROBLEMS_PATH } from "./problem.ts";

/** What they tell of. */
export interface ReadRoutesOptions {
  /** The collector. */
  readonly collector: Collector;
  /** The ingest routes, for the index. */
  readonly routes: Routes;
  /** Facts for `GET /stats` that the collector does not know. */
  readonly serverStats: () => Record<string, unknown>;
}

/** See the head of this file. */
export class ReadRoutes {
  readonly #options: ReadRoutesOptions;

  /** Holds no resources. */
  constructor(options: ReadRoutesOptions) {
    this.#options = options;
  }

  /** What is at a path; null if nothing is. */
  async answer(path: string): Promise<Response | Refusal | null> {
    const { collector, routes, serverStats } = this.#options;
    switch (path) {
      case "/":
        return json(index(routes));
      case "/livez":
        return json({ status: "alive" });
      case "/readyz": {
        const { ready, reason } = collector.readiness();
        return json({ status: ready ? "ready" : "not ready", reason }, ready ? 200 : 503);
      }
      case "/stats":
        return json({ ...await collector.stats(), ...serverStats() });
    }
    if (path.startsWith(RECEIPTS_PATH)) {
      const receipt = await collector.receipt(path.slice(RECEIPTS_PATH.length));
      return receipt === null ? UNKNOWN_RECEIPT : json(receipt);
    }
    if (!path.startsWith(PROBLEMS_PATH)) return null;
    const problem = describeProblem(path.slice(PROBLEMS_PATH.length));
    return problem === null ? null : json(problem);
  }
}

const UNKNOWN_RECEIPT: Refusal = {
  code: "unknown-receipt",
  detail: "No events are known under this receipt: send them again.",
};

function json(value: unknown, status = 200): Response {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(JSON.stringify(value, null, 2) + "\n", { status, headers });
}

/** What `GET /` shows: where to go from here. */
function index(routes: Routes): object {
  const send = [...routes].map(([path, { decoders }]) => [
    `POST ${path}`,
    [...decoders.keys()].join(", "),
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
    },
  };
}
