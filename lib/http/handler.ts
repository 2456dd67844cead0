/**
 * Requests in, responses out. The ingest path is written out by hand: each header read, each
 * object and each `new URL` on it is paid a hundred thousand times a second.
 */

import { isAscii, isUtf8 } from "node:buffer";
import { type Collector, DRAINING } from "../collector.ts";
import { isRefusal, type Refusal } from "../errors.ts";
import type { Decode, IngestRoute, Routes } from "../protocol.ts";
import type { BodyReader } from "./body.ts";
import { undoCoding } from "./content_coding.ts";
import { describeProblem, problemResponse, PROBLEMS_PATH } from "./problem.ts";
import { TargetResolver } from "./target.ts";

/** What the handler is made of. */
export interface HandlerOptions {
  /** Where submissions go. */
  readonly collector: Collector;
  /** Reads the bodies. */
  readonly bodies: BodyReader;
  /** Ingest routes by path. */
  readonly routes: Routes;
  /** Most bytes of a body after content decoding. */
  readonly decodedBytesMax: number;
  /** The only Host names served; null for any. */
  readonly hostnames: ReadonlySet<string> | null;
  /** Facts for `GET /stats` that the collector does not know. */
  readonly serverStats: () => Record<string, unknown>;
  /** Told of an error in the handler itself. */
  readonly onError: (error: unknown) => void;
}

const HEADER_LENGTH_MAX = 8192;

const NOT_UTF8: Refusal = { code: "invalid-utf8", detail: "Expected the body to be UTF-8." };

/** Makes the handler for `Deno.serve`. */
export function createHandler(
  options: HandlerOptions,
): (request: Request) => Response | Promise<Response> {
  const { collector, bodies, routes, decodedBytesMax, onError } = options;
  const targets = new TargetResolver(options.hostnames, routes.keys());
  const read = readRoutes(options);

  return (request) => {
    const path = targets.resolve(request.url);
    if (typeof path !== "string") return refuse(path);
    const route = routes.get(path);
    if (route === undefined) return read(request, path).catch(failed);
    if (request.method !== "POST") return notAllowed(request, "POST, OPTIONS");
    return ingest(request, route);
  };

  /** The way of an event from the socket to the channel. */
  async function ingest(request: Request, route: IngestRoute): Promise<Response> {
    try {
      const { headers } = request;
      const type = headers.get("content-type");
      const coding = headers.get("content-encoding");
      const decode = type === null
        ? undefined
        : route.decoders.get(type) ?? decoderFor(type, route);
      if (collector.draining) return refuse(DRAINING);
      if (decode === undefined) return refuse(unsupportedType(type, route));
      if (coding !== null && coding.length > HEADER_LENGTH_MAX) return refuse(headerTooLarge());

      let body = await bodies.read(request, headers.get("content-length"));
      if (isRefusal(body)) return refuse(body);
      if (coding !== null) {
        body = await undoCoding(body, coding, decodedBytesMax);
        if (isRefusal(body)) return refuse(body);
      }
      const ascii = isAscii(body);
      if (!ascii && !isUtf8(body)) return refuse(NOT_UTF8);
      const decoded = decode(body, { receivedAt: Date.now(), isAscii: ascii });
      if (isRefusal(decoded)) return refuse(decoded);
      const refusal = collector.submit(decoded);
      return refusal === null ? accepted(route.accepted(decoded)) : refuse(refusal);
    } catch (error) {
      return failed(error);
    }
  }

  function failed(error: unknown): Response {
    onError(error);
    return refuse({ code: "internal", detail: "The collector failed on this request." });
  }

  function notAllowed(request: Request, allow: string): Response {
    if (request.method === "OPTIONS") {
      return new Response(null, { status: 204, headers: { allow } });
    }
    return refuse({ code: "method", detail: `Expected ${allow}.`, headers: { allow } });
  }

  function refuse(refusal: Refusal): Response {
    collector.countRefused(refusal.code, refusal.events ?? 0);
    return problemResponse(refusal);
  }

  /** The routes that tell about the collector; none of them is hot. */
  function readRoutes({ serverStats }: HandlerOptions) {
    return async (request: Request, path: string): Promise<Response> => {
      const answer = await readAnswer(path);
      if (answer === null) {
        return refuse({ code: "not-found", detail: "Nothing is served at this path; see GET /." });
      }
      if (request.method === "GET") return answer;
      if (request.method === "HEAD") return new Response(null, answer);
      return notAllowed(request, "GET, HEAD, OPTIONS");
    };

    async function readAnswer(path: string): Promise<Response | null> {
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
      if (!path.startsWith(PROBLEMS_PATH)) return null;
      const problem = describeProblem(path.slice(PROBLEMS_PATH.length));
      return problem === null ? null : json(problem);
    }
  }
}

/** Answers that were given before: cloning one costs less than making one. */
const answers = new Map<string, Response>();
const ANSWERS_MAX = 64;

function accepted(body: string): Response {
  const known = answers.get(body);
  if (known !== undefined) return known.clone();
  const headers = { "content-type": "application/json" };
  const answer = new Response(body, { status: 202, headers });
  if (answers.size < ANSWERS_MAX) answers.set(body, answer.clone());
  return answer;
}

/** The decoder for a Content-Type header in full: any case, with parameters. */
function decoderFor(header: string, route: IngestRoute): Decode | undefined {
  if (header.length > HEADER_LENGTH_MAX) return undefined;
  const [type = "", ...parameters] = header.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return undefined;
  return route.decoders.get(type);
}

function unsupportedType(header: string | null, route: IngestRoute): Refusal {
  if (header !== null && header.length > HEADER_LENGTH_MAX) return headerTooLarge();
  const accepted = [...route.decoders.keys()].join(", ");
  return {
    code: "unsupported-type",
    detail: `Expected a Content-Type among ${accepted}, in UTF-8.`,
    headers: { "accept-post": accepted },
  };
}

function headerTooLarge(): Refusal {
  const detail = `Expected a header of at most ${HEADER_LENGTH_MAX} characters.`;
  return { code: "headers-too-large", detail };
}

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
      "GET /problems/{code}": "what the type of a refusal means",
    },
  };
}
