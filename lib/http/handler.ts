/** Requests in, responses out: which path, which method, and what every refusal has in common. */

import { isRefusal, type Refusal } from "../errors.ts";
import type { Routes } from "../protocol.ts";
import { Ingest, type IngestOptions } from "./ingest.ts";
import { problemResponse } from "./problem.ts";
import { ReadRoutes } from "./read_routes.ts";
import { TargetResolver } from "./target.ts";

/** What the handler is made of. */
export interface HandlerOptions extends IngestOptions {
  /** Ingest routes by path. */
  readonly routes: Routes;
  /** The only Host names served; null for any. */
  readonly hostnames: ReadonlySet<string> | null;
  /** Facts for `GET /stats` that the collector does not know. */
  readonly serverStats: () => Record<string, unknown>;
  /** Told of an error in the handler itself. */
  readonly onError: (error: unknown) => void;
}

/** Makes the handler for `Deno.serve`. */
export function createHandler(
  options: HandlerOptions,
): (request: Request) => Response | Promise<Response> {
  const { collector, routes, onError } = options;
  const targets = new TargetResolver(options.hostnames, routes.keys());
  const ingest = new Ingest(options);
  const readRoutes = new ReadRoutes(options);

  return (request) => {
    const path = targets.resolve(request.url);
    if (typeof path !== "string") return refuse(path);
    const route = routes.get(path);
    if (route === undefined) return read(request, path);
    if (request.method !== "POST") return otherMethod(request, "POST, OPTIONS");
    return ingest.take(request, route).then(toResponse, failed);
  };

  async function read(request: Request, path: string): Promise<Response> {
    try {
      const answer = await readRoutes.answer(path);
      if (answer === null) return refuse(NOT_FOUND);
      if (isRefusal(answer)) return refuse(answer);
      if (request.method === "GET") return answer;
      if (request.method === "HEAD") return new Response(null, answer);
      return otherMethod(request, "GET, HEAD, OPTIONS");
    } catch (error) {
      return failed(error);
    }
  }

  function toResponse(outcome: Response | Refusal): Response {
    return outcome instanceof Response ? outcome : refuse(outcome);
  }

  function otherMethod(request: Request, allow: string): Response {
    if (request.method === "OPTIONS") {
      return new Response(null, { status: 204, headers: { allow } });
    }
    return refuse({ code: "method", detail: `Expected ${allow}.`, headers: { allow } });
  }

  function failed(error: unknown): Response {
    onError(error);
    return refuse({ code: "internal", detail: "The collector failed on this request." });
  }

  function refuse(refusal: Refusal): Response {
    collector.countRefused(refusal.code, refusal.events ?? 0);
    return problemResponse(refusal);
  }
}

const NOT_FOUND: Refusal = {
  code: "not-found",
  detail: "Nothing is served at this path; see GET /.",
};
