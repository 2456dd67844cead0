/** `GET /tail`: opens a live tail. */

import type { Refusal } from "../errors.ts";
import { FILTER_PARAMETERS, ParameterError, QueryParameters } from "../query_parameters.ts";
import type { Reader, ReaderFailure } from "../reader.ts";
import { failed, parameter } from "./event_routes.ts";
import type { Arrived } from "./gate.ts";
import { streamedHead } from "./streamed_head.ts";
import { type TailOptions, type Tails, TAILS_A_TOKEN_MAX, TAILS_MAX } from "./tails.ts";

/** Where it is. */
export const TAIL_PATH = "/tail";
const LAST = { min: 0, max: 1000, byDefault: 0 };
const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-accel-buffering": "no", // nginx would hold it back
};

/** What it needs. */
export interface TailRouteOptions {
  /** Tells which event is the newest. */
  readonly reader: Reader;
  /** Those that are open. */
  readonly tails: Tails;
}

/** Who opens one. */
export type TailOwner = Required<Pick<TailOptions, "owner" | "mayRead">>;

/** Answers a GET or HEAD. */
export async function openTail(
  { request, head: { query, headers } }: Arrived,
  { owner, mayRead }: TailOwner,
  { reader, tails }: TailRouteOptions,
): Promise<Response | Refusal> {
  try {
    const parameters = new QueryParameters(query);
    const filter = parameters.filter();
    const last = parameters.integer("last", LAST);
    const given = parameters.text("last_event_id");
    parameters.end([...FILTER_PARAMETERS, "last", "last_event_id"]);
    const id = headers.get("last-event-id") || given; // a browser's own header tells more than the URL
    if (id !== null && !/^\d{1,15}$/.test(id)) {
      return parameter({ message: "Expected Last-Event-ID to be the id of an event." });
    }
    if (!tails.hasRoomFor(owner)) return TOO_MANY;
    if (request.method === "HEAD") return streamedHead(HEADERS);
    const begin = id !== null || last > 0 ? { afterId: Number(id) } : await newest(reader);
    if (typeof begin === "string") return failed(begin);
    const tail = tails.add({ filter, ...begin, last: id === null ? last : 0, owner, mayRead });
    return tail === null ? TOO_MANY : new Response(tail, { headers: HEADERS });
  } catch (error) {
    if (error instanceof ParameterError) return parameter(error);
    throw error;
  }
}

const TOO_MANY: Refusal = {
  code: "too-many-tails",
  detail: `Expected at most ${TAILS_MAX} tails, ${TAILS_A_TOKEN_MAX} of one token.`,
  headers: { "retry-after": "10" },
};

async function newest(
  reader: Reader,
): Promise<Pick<TailOptions, "afterId" | "database"> | ReaderFailure> {
  const state = await reader.state();
  if (typeof state === "string") return state;
  return { afterId: state.lastId, database: state.database };
}
