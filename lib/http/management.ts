/** The routes that tell about the collector or manage it. None of them is hot. */

import type { Grant, Scope } from "../access.ts";
import type { Collector } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import { describeProblem, PROBLEMS_PATH } from "../problem.ts";
import type { Credential, IngestRoute, RequestHead } from "../protocol.ts";
import {
  DEAD_LETTERS_PATH,
  DeadLetterRoutes,
  type DeadLetterRoutesOptions,
} from "./dead_letter_routes.ts";
import {
  EXPORT_POINTS_PATH,
  ExportPointRoutes,
  type ExportPointRoutesOptions,
} from "./export_point_routes.ts";
import { RECEIPTS_PATH } from "../receipt.ts";
import { EventRoutes } from "./event_routes.ts";
import { EXPORT_PATH, ExportRoute } from "./export_route.ts";
import type { Arrived, Gate } from "./gate.ts";
import { jsonResponse } from "./json_response.ts";
import { openTail, TAIL_PATH, type TailRouteOptions } from "./tail_route.ts";
import { type PageLoader, Pages, PAGES_PATH, wantsPage } from "./pages.ts";
import type { Reference } from "./reference.ts";

/** What they tell of. */
export interface ManagementOptions
  extends DeadLetterRoutesOptions, ExportPointRoutesOptions, TailRouteOptions {
  /** The collector. */
  readonly collector: Collector;
  /** Says who may see it. */
  readonly gate: Gate;
  /** Finds the token in a request. */
  readonly credential: (head: RequestHead) => Credential | null;
  /** Facts for `GET /stats` that the collector does not know. */
  readonly serverStats: () => Record<string, unknown>;
  /** What `GET /metrics` tells, as text of a media type. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  /** Gives the files of the dashboard. */
  readonly pages: PageLoader;
  /** Has the API's document and its reference. */
  readonly reference: Reference;
}

/** See the head of this file. */
export class Management {
  readonly #options: ManagementOptions;
  readonly #index: object;
  readonly #deadLetters: DeadLetterRoutes;
  readonly #exportPoints: ExportPointRoutes;
  readonly #events: EventRoutes;
  readonly #export: ExportRoute;
  readonly #pages: Pages;

  /** `routes` are the paths that take events, for the index. */
  constructor(options: ManagementOptions, routes: ReadonlyMap<string, IngestRoute>) {
    this.#options = options;
    this.#index = index(routes);
    this.#deadLetters = new DeadLetterRoutes(options);
    this.#exportPoints = new ExportPointRoutes(options);
    this.#events = new EventRoutes(options);
    this.#export = new ExportRoute(options);
    this.#pages = new Pages(options.pages);
  }

  /** What is at a path; null if nothing is. */
  async answer(arrived: Arrived): Promise<Response | Refusal | null> {
    const { request: { method }, head: { path } } = arrived;
    if (path === DEAD_LETTERS_PATH || path.startsWith(`${DEAD_LETTERS_PATH}/`)) {
      const denied = this.#denies(arrived, method === "GET" ? "read" : "admin");
      return denied ?? await this.#deadLetters.answer(arrived);
    }
    if (path === EXPORT_POINTS_PATH || path.startsWith(`${EXPORT_POINTS_PATH}/`)) {
      const denied = this.#denies(arrived, method === "GET" ? "read" : "admin");
      return denied ?? await this.#exportPoints.answer(arrived);
    }
    const answer = await this.#read(arrived);
    // To HEAD the runtime answers without the body, but with its length.
    if (answer === null || isRefusal(answer) || method === "GET" || method === "HEAD") {
      return answer;
    }
    const allow = "GET, HEAD, OPTIONS";
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    return { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
  }

  async #read(arrived: Arrived): Promise<Response | Refusal | null> {
    const { collector, serverStats } = this.#options, { path, headers } = arrived.head;
    switch (path) {
      case "/":
        return wantsPage(headers) ? await this.#pages.start(headers) : jsonResponse(this.#index);
      case "/livez":
        return jsonResponse({ status: "alive" });
      case "/readyz": {
        const { ready, reason } = collector.readiness();
        return jsonResponse({ status: ready ? "ready" : "not ready", reason }, ready ? 200 : 503);
      }
      case "/stats":
        return this.#denies(arrived, "read") ??
          jsonResponse({ ...await collector.stats(), ...serverStats() });
      case "/metrics":
        return this.#denies(arrived, "read") ?? metricsResponse(await this.#options.metrics());
    }
    if (this.#events.has(path) || path === EXPORT_PATH || path === TAIL_PATH) {
      return await this.#stored(arrived);
    }
    if (path.startsWith(PAGES_PATH)) return await this.#pages.answer(path, headers);
    // Whoever knows the name of a receipt has it from its answer: it holds a random number.
    if (path.startsWith(RECEIPTS_PATH)) {
      const receipt = await collector.receipt(path.slice(RECEIPTS_PATH.length));
      return receipt === null ? UNKNOWN_RECEIPT : jsonResponse(receipt);
    }
    if (!path.startsWith(PROBLEMS_PATH)) {
      return await this.#options.reference.answer(path, headers);
    }
    const problem = describeProblem(path.slice(PROBLEMS_PATH.length));
    return problem === null ? null : jsonResponse(problem);
  }

  /** Stored events. Other methods must not begin a query, a download or a tail that nobody reads. */
  async #stored(arrived: Arrived): Promise<Response | Refusal | null> {
    const { request: { method }, head: { path } } = arrived;
    const grant = this.#grant(arrived, "read");
    if (isRefusal(grant)) return grant;
    if (method !== "GET" && method !== "HEAD") return new Response(null);
    if (path === TAIL_PATH) {
      const mayRead = () => this.#denies(arrived, "read") === null; // until its token is revoked
      return await openTail(arrived, { owner: grant.source, mayRead }, this.#options);
    }
    return await (path === EXPORT_PATH ? this.#export : this.#events).answer(arrived);
  }

  #denies(arrived: Arrived, scope: Scope): Refusal | null {
    const grant = this.#grant(arrived, scope);
    return isRefusal(grant) ? grant : null;
  }

  #grant(arrived: Arrived, scope: Scope): Grant | Refusal {
    const { gate, credential } = this.#options;
    return gate.authorize(arrived, credential(arrived.head), scope);
  }
}

function metricsResponse({ type, text }: { type: string; text: string }): Response {
  return new Response(text, { headers: { "content-type": type, "cache-control": "no-store" } });
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
      "GET /events":
        "stored events, the newest first; narrowed by from, to, user_id, type, source, event_id, where[path]",
      "GET /events/{id}": "one event",
      "GET /series": "how many events by time; by=type or source for a line each",
      "GET /top": "which types, sources or users there are most",
      "GET /tail": "events while they are stored, as server-sent events",
      "GET /export": "events as a download: format=ndjson, csv or parquet",
      "GET /stats": "counters, queue, latencies",
      "GET /metrics": "the same for Prometheus",
      "GET /livez": "200 while the process answers",
      "GET /readyz": "200 while it can take events, else 503 and the reason",
      "GET /receipts/{id}": "how far the events of a request have got",
      "GET /problems/{code}": "what the type of a refusal means",
      "GET /openapi.json": "all of this as an OpenAPI document",
      "GET /reference": "the same as a page",
      "GET /dead-letters": "events that can not be stored, and why",
      "GET /export-points": "how far each export has got",
    },
  };
}
