/** Requests in, responses out: which path, which method, and what every refusal has in common. */

import { isRefusal, type Refusal } from "../errors.ts";
import { problemAnswer } from "../problem.ts";
import type { IngestRoute, Protocol, Service } from "../protocol.ts";
import { type Arrived, pageOf } from "./gate.ts";
import { Ingest, type IngestOptions } from "./ingest.ts";
import { Management, type ManagementOptions } from "./management.ts";
import { letRead } from "./respond.ts";
import { ServiceRoutes } from "./service_routes.ts";
import { TargetResolver } from "./target.ts";

/** What the handler is made of. */
export interface HandlerOptions extends IngestOptions, ManagementOptions {
  /** What is spoken here. */
  readonly protocols: readonly Protocol[];
  /** The only Host names served; null for any. */
  readonly hostnames: ReadonlySet<string> | null;
  /** Told of an error in the handler itself. */
  readonly onError: (error: unknown) => void;
}

/** What the runtime tells of a connection. */
export interface ConnectionInfo {
  /** The other side. */
  readonly remoteAddr: Deno.Addr;
}

/** Answers a request. */
export type Handler = (request: Request, info: ConnectionInfo) => Response | Promise<Response>;

/** Makes the handler for `Deno.serve`. */
export function createHandler(options: HandlerOptions): Handler {
  const { collector, protocols, gate, responder, onError } = options;
  const routes = joined<IngestRoute>(protocols.map(({ routes }) => routes));
  const services = joined<Service>(protocols.map(({ services }) => services ?? new Map()));
  const targets = new TargetResolver(options.hostnames, routes.keys());
  const ingest = new Ingest(options);
  const serviceRoutes = new ServiceRoutes(options);
  const management = new Management(options, routes);

  return (request, info) => {
    const target = targets.resolve(request.url);
    if (isRefusal(target)) return refuse(target, null);
    const { path, query, origin } = target;
    const head = { path, query, headers: request.headers };
    const remote = () => addressOf(info);
    const arrived: Arrived = { request, head, page: pageOf(request, origin), remote };
    const route = routes.get(path);
    if (route === undefined) return other(arrived).catch((error) => failed(error, arrived));
    if (request.method !== "POST") return otherMethod(arrived, route);
    return ingest.take(arrived, route).catch((error) => failed(error, arrived));
  };

  /** A path that takes no events. */
  async function other(arrived: Arrived): Promise<Response> {
    const { method, headers } = arrived.request, { path } = arrived.head;
    if (method === "OPTIONS" && headers.has(PREFLIGHT_HEADER)) return preflight(arrived);
    const service = services.get(path);
    if (service !== undefined) return await serviceRoutes.take(arrived, service);
    const answer = await management.answer(arrived) ?? NOT_FOUND;
    return isRefusal(answer) ? refuse(answer, arrived) : letRead(answer, gate.readerOf(arrived));
  }

  function otherMethod(arrived: Arrived, route: IngestRoute): Response {
    const { method, headers } = arrived.request;
    if (method !== "OPTIONS") {
      const allow = "POST, OPTIONS";
      collector.countRefused("method", 0);
      const refusal: Refusal = { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
      return responder.respond(route.refused(refusal), gate.readerOf(arrived));
    }
    if (headers.has(PREFLIGHT_HEADER)) return preflight(arrived);
    const answer = route.options?.(arrived.head) ?? null;
    return answer === null
      ? new Response(null, { status: 204, headers: { allow: "POST, OPTIONS" } })
      : responder.respond(answer, gate.readerOf(arrived));
  }

  function preflight(arrived: Arrived): Response {
    const answer = gate.preflight(arrived);
    return isRefusal(answer) ? refuse(answer, arrived) : answer;
  }

  function failed(error: unknown, arrived: Arrived): Response {
    onError(error);
    return refuse(
      { code: "internal", detail: "The collector failed on this request." },
      arrived,
    );
  }

  function refuse(refusal: Refusal, arrived: Arrived | null): Response {
    collector.countRefused(refusal.code, refusal.events ?? 0);
    const reader = arrived === null ? null : gate.readerOf(arrived);
    return responder.respond(problemAnswer(refusal), reader);
  }
}

const PREFLIGHT_HEADER = "access-control-request-method";

const NOT_FOUND: Refusal = {
  code: "not-found",
  detail: "Nothing is served at this path; see GET /.",
};

/** @throws {TypeError} if two protocols claim a path. */
function joined<T>(maps: readonly ReadonlyMap<string, T>[]): Map<string, T> {
  const all = new Map<string, T>();
  for (const [path, value] of maps.flatMap((map) => [...map])) {
    if (all.has(path)) throw new TypeError(`Two protocols claim ${path}.`);
    all.set(path, value);
  }
  return all;
}

function addressOf({ remoteAddr }: ConnectionInfo): string {
  return "hostname" in remoteAddr ? remoteAddr.hostname : "";
}
