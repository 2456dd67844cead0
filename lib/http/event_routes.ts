/** Stored events over HTTP: pages, one event, counts by time and by value. */

import { cursorOf, idOfCursor } from "../cursor.ts";
import type { Refusal } from "../errors.ts";
import type { CountedBy, EventFilter, SeriesQuery } from "../query.ts";
import { FILTER_PARAMETERS, ParameterError, QueryParameters } from "../query_parameters.ts";
import type { EventPage, Reader, ReaderFailure } from "../reader.ts";
import type { Arrived } from "./gate.ts";
import { jsonResponse } from "./json_response.ts";
import { LargeBodies } from "./large_bodies.ts";

/** What they ask. */
export interface EventRoutesOptions {
  /** The read side. */
  readonly reader: Reader;
}

/** Where events are. */
export const EVENTS_PATH = "/events";
const SERIES_PATH = "/series";
const TOP_PATH = "/top";
const LIMIT = { min: 1, max: 1000, byDefault: 100 };
const LINES = { min: 1, max: 50, byDefault: 10 };
const VALUES = { min: 1, max: 100, byDefault: 10 };
const COUNTED_BY: readonly CountedBy[] = ["type", "source", "user_id"];
const SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS;
const INTERVALS_MS = {
  "1s": SECOND_MS,
  "10s": 10 * SECOND_MS,
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "6h": 6 * HOUR_MS,
  "1d": 24 * HOUR_MS,
} as const;
const INTERVALS = Object.keys(INTERVALS_MS) as (keyof typeof INTERVALS_MS)[];
const INTERVALS_MAX = 2000;
/** About so many without an interval. */
const INTERVALS_SHOWN = 60;
const NDJSON = "application/x-ndjson";

/** See the head of this file. */
export class EventRoutes {
  readonly #reader: Reader;
  readonly #large = new LargeBodies();

  /** Holds no resources. */
  constructor({ reader }: EventRoutesOptions) {
    this.#reader = reader;
  }

  /** Whether a path is answered here. */
  has(path: string): boolean {
    return path === EVENTS_PATH || path.startsWith(`${EVENTS_PATH}/`) || path === SERIES_PATH ||
      path === TOP_PATH;
  }

  /** Answers a GET; null if nothing is at the path. */
  async answer(arrived: Arrived): Promise<Response | Refusal | null> {
    const { head: { path, query } } = arrived;
    try {
      switch (path) {
        case EVENTS_PATH:
          return await this.#page(arrived);
        case SERIES_PATH:
          return await this.#series(new QueryParameters(query));
        case TOP_PATH:
          return await this.#top(new QueryParameters(query));
      }
      const id = /^\/(\d{1,15})$/.exec(path.slice(EVENTS_PATH.length))?.[1];
      return id === undefined ? null : await this.#event(Number(id));
    } catch (error) {
      if (error instanceof ParameterError) return parameter(error);
      throw error;
    }
  }

  async #page({ request, head: { path, query } }: Arrived): Promise<Response | Refusal> {
    const parameters = new QueryParameters(query);
    const filter = parameters.filter();
    const order = parameters.choice("order", ["asc", "desc"], "desc");
    const limit = parameters.integer("limit", LIMIT);
    const cursor = parameters.text("after");
    const asked = request.headers.get("accept")?.includes(NDJSON) ? "ndjson" : "json";
    const format = parameters.choice("format", ["json", "ndjson"], asked);
    parameters.end([...FILTER_PARAMETERS, "after", "limit", "order", "format"]);
    const after = cursor === null ? null : idOfCursor(cursor, { filter, order });
    if (cursor !== null && after === null) {
      return parameter({ message: "Expected after to be a cursor that this same query gave." });
    }
    const page = await this.#reader.page({ filter, order, after, limit });
    if (typeof page === "string") return failed(page);
    const next = page.next === null ? null : cursorOf(page.next, { filter, order });
    const link = next === null ? {} : { link: `<${nextOf(path, query, next)}>; rel="next"` };
    const body = this.#large.bodyOf(format === "json" ? jsonPage(page, next) : lines(page));
    if (body === null) return OVERLOADED;
    return format === "json" ? text(body) : text(body, NDJSON, link);
  }

  async #event(id: number): Promise<Response | Refusal> {
    const found = await this.#reader.event(id);
    if (typeof found === "string") return failed(found);
    return found.json === null ? UNKNOWN : text(found.json + "\n");
  }

  async #series(parameters: QueryParameters): Promise<Response | Refusal> {
    const filter = parameters.filter();
    const interval = parameters.choice("interval", INTERVALS, null);
    const by = parameters.choice("by", COUNTED_BY, null);
    const limit = parameters.integer("limit", LINES);
    parameters.end([...FILTER_PARAMETERS, "interval", "by", "limit"]);
    const query: SeriesQuery = { ...inIntervals(filter, interval), by, limit };
    const { filter: { from, to }, intervalMs } = query;
    const length = (to - from) / intervalMs;
    if (length > INTERVALS_MAX) {
      return parameter({ message: `Expected at most ${INTERVALS_MAX} intervals from from to to.` });
    }
    const series = await this.#reader.series(query);
    if (typeof series === "string") return failed(series);
    return jsonResponse({
      from: iso(from),
      to: iso(to),
      interval_ms: intervalMs,
      starts: Array.from({ length }, (_, i) => from + i * intervalMs),
      series: series.lines.map(({ value, counts }) => ({ value, total: sum(counts), counts })),
      others: series.others,
      complete: series.isComplete,
      counted_from: iso(series.countedFrom),
    });
  }

  async #top(parameters: QueryParameters): Promise<Response | Refusal> {
    const filter = parameters.filter();
    const by = parameters.choice("by", COUNTED_BY, "type");
    const limit = parameters.integer("limit", VALUES);
    parameters.end([...FILTER_PARAMETERS, "by", "limit"]);
    const top = await this.#reader.top({ filter, by, limit });
    if (typeof top === "string") return failed(top);
    const { values, others, isComplete: complete, countedFrom } = top;
    const counted_from = countedFrom === null ? null : iso(countedFrom);
    return jsonResponse({ by, values, others, complete, counted_from });
  }
}

/** Why the read side gave no answer, as a refusal. */
export function failed(failure: ReaderFailure): Refusal {
  return failure === "overloaded" ? OVERLOADED : UNREADABLE;
}

/** A parameter that can not be used. */
export function parameter({ message }: { readonly message: string }): Refusal {
  return { code: "parameter", detail: message };
}

const UNKNOWN: Refusal = {
  code: "unknown-event",
  detail: "There is no event with this id (any more).",
};
const UNREADABLE: Refusal = {
  code: "unreadable",
  detail: "The database can not be read at present. Try again later.",
  headers: { "retry-after": "1" },
};
const OVERLOADED: Refusal = {
  code: "overloaded",
  detail: "Too many queries are under way. Try again later.",
  headers: { "retry-after": "2" },
};

/** The time of a series on the borders of its intervals: the last hour, if nothing is said. */
function inIntervals(
  filter: EventFilter,
  interval: keyof typeof INTERVALS_MS | null,
): Pick<SeriesQuery, "filter" | "intervalMs"> {
  const end = filter.to ?? Math.max(Date.now(), (filter.from ?? 0) + 1);
  const begin = filter.from ?? end - HOUR_MS;
  const intervalMs = interval === null ? fitting(end - begin) : INTERVALS_MS[interval];
  const from = Math.floor(begin / intervalMs) * intervalMs;
  const to = Math.ceil(end / intervalMs) * intervalMs;
  return { filter: { ...filter, from, to }, intervalMs };
}

function fitting(ms: number): number {
  const all = Object.values(INTERVALS_MS);
  return all.find((each) => ms / each <= INTERVALS_SHOWN) ?? all.at(-1) ?? HOUR_MS;
}

function jsonPage({ events, isComplete }: EventPage, next: string | null): string {
  const rest = JSON.stringify({ next, complete: isComplete }).slice(1);
  return `{"events":[${events.join(",\n")}],${rest}\n`;
}

function lines({ events }: EventPage): string {
  return events.map((event) => event + "\n").join("");
}

function nextOf(path: string, query: string, cursor: string): string {
  const parameters = new URLSearchParams(query);
  parameters.set("after", cursor);
  return `${path}?${parameters}`;
}

function text(
  body: BodyInit,
  type = "application/json",
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    headers: { "content-type": type, "cache-control": "no-store", ...NOSNIFF, ...headers },
  });
}

const NOSNIFF = { "x-content-type-options": "nosniff" };

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}
