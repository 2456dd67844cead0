/** Requests in, responses out: which path, which method, and what every refusal has in common. */

import { isRefusal, type Refusal } from "../errors.ts";
import { problemAnswer } from "../problem.ts";
import type { IngestRoute, Protocol, Service } from "../protocol.ts";
import type { RequestCounts } from "../request_counts.ts";
import { type Counted, counting } from "./counted.ts";
import { EVENTS_PATH } from "./event_routes.ts";
import { type Arrived, pageOf } from "./gate.ts";
import { Ingest, type IngestOptions } from "./ingest.ts";
import { Management, type ManagementOptions } from "./management.ts";
import { identify, requestIdOf } from "./request_id.ts";
import { letRead } from "./respond.ts";
import { OTHER, routeName } from "./route_name.ts";
import { ServiceRoutes } from "./service_routes.ts";
import { TargetResolver } from "./target.ts";

/** What the handler is made of. */
export interface HandlerOptions extends IngestOptions, ManagementOptions {
  /** What is spoken here. */
  readonly protocols: readonly Protocol[];
  /** The only Host names served; null for any. */
  readonly hostnames: ReadonlySet<string> | null;
  /** Counts the requests. */
  readonly requests: RequestCounts;
  /** Told of an error in the handler itself, and on which request. */
  readonly onError: (error: unknown, requestId: string) => void;
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
  const { collector, protocols, gate, responder, requests, onError } = options;
  const routes = joined<IngestRoute>(protocols.map(({ routes }) => routes));
  const services = joined<Service>(protocols.map(({ services }) => services ?? new Map()));
  const targets = new TargetResolver(options.hostnames, routes.keys());
  const ingest = new Ingest(options);
  const serviceRoutes = new ServiceRoutes(options);
  const management = new Management(options, routes);
  const ways = new Map([...routes].map(([path, route]) => [path, wayOf(path, route)]));

  return (request, info) => {
    requests.begin();
    const target = targets.resolve(request.url), { method } = request;
    if (isRefusal(target)) return counted(method, OTHER)(refuse(target, request, null));
    const { path, query, origin } = target;
    const head = { path, query, headers: request.headers };
    const remote = () => addressOf(info);
    const arrived: Arrived = { request, head, page: pageOf(request, origin), remote };
    const way = ways.get(path);
    if (way === undefined) {
      const name = services.has(path) ? path : routeName(path);
      return other(arrived).catch((error) => failed(error, arrived)).then(counted(method, name));
    }
    if (path === EVENTS_PATH && (method === "GET" || method === "HEAD")) {
      return other(arrived).catch((error) => failed(error, arrived)).then(counted(method, path));
    }
    if (method !== "POST") return counted(method, path)(otherMethod(arrived, way.route));
    const answered = ingest.take(arrived, way.route);
    return answered.then(way.counted, (error) => way.counted(failed(error, arrived)));
  };

  function counted(method: string, name: string): Counted {
    return counting(requests, method, name);
  }

  function wayOf(path: string, route: IngestRoute): Way {
    return { route, counted: counted("POST", path) };
  }

  /** A path that takes no events. */
  async function other(arrived: Arrived): Promise<Response> {
    const { method, headers } = arrived.request, { path } = arrived.head;
    if (method === "OPTIONS" && headers.has(PREFLIGHT_HEADER)) return preflight(arrived);
    const service = services.get(path);
    if (service !== undefined) return await serviceRoutes.take(arrived, service);
    const answer = await management.answer(arrived) ?? NOT_FOUND;
    if (isRefusal(answer)) return refuse(answer, arrived.request, gate.readerOf(arrived));
    return letRead(identify(answer, headers), gate.readerOf(arrived));
  }

  function otherMethod(arrived: Arrived, route: IngestRoute): Response {
    const { method, headers } = arrived.request;
    if (method !== "OPTIONS") {
      const allow = allowedAt(arrived.head.path);
      collector.countRefused("method", 0);
      const refusal: Refusal = { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
      return responder.refuse(refusal, route.refused, { headers, origin: gate.readerOf(arrived) });
    }
    if (headers.has(PREFLIGHT_HEADER)) return preflight(arrived);
    const answer = route.options?.(arrived.head) ?? null;
    return answer === null
      ? new Response(null, { status: 204, headers: { allow: allowedAt(arrived.head.path) } })
      : responder.respond(answer, gate.readerOf(arrived));
  }

  function preflight(arrived: Arrived): Response {
    const answer = gate.preflight(arrived);
    return isRefusal(answer) ? refuse(answer, arrived.request, null) : answer;
  }

  function failed(error: unknown, arrived: Arrived): Response {
    const requestId = requestIdOf(arrived.head.headers);
    onError(error, requestId);
    const detail = "The collector failed on this request.";
    const refusal: Refusal = { code: "internal", detail, requestId };
    return refuse(refusal, arrived.request, gate.readerOf(arrived));
  }

  function refuse(refusal: Refusal, { headers }: Request, origin: string | null): Response {
    collector.countRefused(refusal.code, refusal.events ?? 0);
    return responder.refuse(refusal, problemAnswer, { headers, origin });
  }
}

/** A path that takes events, and what counts its answers. */
interface Way {
  readonly route: IngestRoute;
  readonly counted: Counted;
}

/** Events are sent to the path where they are read. */
function allowedAt(path: string): string {
  return path === EVENTS_PATH ? "GET, HEAD, POST, OPTIONS" : "POST, OPTIONS";
}

const PREFLIGHT_HEADER = "access-control-request-method";

const NOT_FOUND: Refusal = {
  code: "not-found",
  detail: "Nothing is served at this path; GET /reference tells what is.",
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

/** The address at the other end of a connection; empty if it has none. */
export function addressOf({ remoteAddr }: ConnectionInfo): string {
  return "hostname" in remoteAddr ? remoteAddr.hostname : "";
}
