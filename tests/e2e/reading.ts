/** Asks a collector for what it stored, as a client does. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { CollectorProcess } from "./collector_process.ts";
import type { Answer } from "./expect.ts";
import type { StoredEvent } from "./rows.ts";

/** A page of events as `GET /events` gives it. */
export interface PageJson {
  readonly events: readonly EventJson[];
  readonly next: string | null;
  readonly complete: boolean;
}

/** An event as every answer gives it; `user_id` loses digits beyond 2^53. */
export interface EventJson {
  readonly id: number;
  readonly user_id: number | null;
  readonly actor: string | null;
  readonly timestamp: string;
  readonly received_at: string;
  readonly source: string;
  readonly type: string | null;
  readonly event_id: string | null;
  readonly metadata: Record<string, unknown>;
}

/** What `GET /series` gives. */
export interface SeriesJson {
  readonly from: string;
  readonly to: string;
  readonly interval_ms: number;
  readonly starts: readonly number[];
  readonly series: readonly { value: string | null; total: number; counts: readonly number[] }[];
  readonly others: readonly number[] | null;
  readonly complete: boolean;
  readonly counted_from: string;
}

/** What `GET /top` gives. */
export interface TopJson {
  readonly by: string;
  readonly values: readonly { value: string | null; count: number }[];
  readonly others: number;
  readonly complete: boolean;
  readonly counted_from: string | null;
}

/** Asks, and reads the whole answer. */
export async function read(
  collector: CollectorProcess,
  target: string,
  init: RequestInit = {},
): Promise<Answer> {
  const response = await fetch(collector.url + target, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Asks for JSON that must be there. */
export async function readJson<T>(
  collector: CollectorProcess,
  target: string,
  init: RequestInit = {},
): Promise<T> {
  const { status, headers, text } = await read(collector, target, init);
  equal(status, 200, `${target}: ${text}`);
  equal(headers.get("content-type"), "application/json");
  return JSON.parse(text);
}

/** Status and code of a refusal, which must be one as they all are. */
export function refusal({ status, headers, text }: Answer): readonly [number, string] {
  equal(headers.get("content-type"), "application/problem+json", text);
  const problem = JSON.parse(text);
  equal(problem.status, status);
  return [status, String(problem.type).replace("/problems/", "")];
}

/** `name=value` for each, encoded. */
export function parameters(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).map(([name, value]) =>
    `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  ).join("&");
}

/** Goes from page to page to the end, and gives the ids in the order in which they came. */
export async function allIds(
  collector: CollectorProcess,
  query: string,
  cursor: string | null = null,
): Promise<number[]> {
  const ids: number[] = [];
  let after = cursor === null ? "" : `&after=${cursor}`;
  do {
    const page: PageJson = await readJson(collector, `/events?${query}${after}`);
    ids.push(...page.events.map(({ id }) => id));
    ok(page.complete || page.next !== null, "what is not complete goes on");
    after = page.next === null ? "" : `&after=${page.next}`;
  } while (after !== "");
  return ids;
}

/** A row as the answers must show it: written down a second time. */
export function eventText(row: StoredEvent): string {
  const { id, user_id, actor, timestamp, received_at, source, type, event_id, metadata } = row;
  const text = JSON.stringify;
  return `{"id":${id},"user_id":${user_id},"actor":${text(actor)},"timestamp":"${timestamp}",` +
    `"received_at":"${new Date(Number(received_at)).toISOString()}","source":${text(source)},` +
    `"type":${text(type)},"event_id":${text(event_id)},` +
    `"metadata":${metadata.replaceAll("\n", " ").replaceAll("\r", " ")}}`;
}

/** Sends a file of events a line each, which must be stored. */
export async function send(collector: CollectorProcess, lines: readonly string[]): Promise<void> {
  const { status, text } = await collector.post("/events", new Blob([lines.join("\n")]), {
    "content-type": "application/x-ndjson",
  });
  deepEqual([status, JSON.parse(text).accepted], [202, lines.length], text);
}
