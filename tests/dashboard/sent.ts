/** Sends what the tests look for on the page, and reads what is stored of it. */

import { strictEqual as equal } from "node:assert/strict";
import type { CollectorProcess } from "../e2e/collector_process.ts";
import { storedEvents } from "../e2e/rows.ts";

const WHEN = "2026-11-24T11:03:40.123Z";

/** Sends one native event with this text as its metadata, and waits until it is committed. */
export async function sendNative(
  { url }: CollectorProcess,
  userId: string,
  metadata: string,
): Promise<void> {
  const body = `{"user_id":${userId},"timestamp":"${WHEN}","metadata":${metadata}}`;
  await post(`${url}/event`, body, { "content-type": "application/json", "prefer": "wait=10" });
}

/** Sends so many native events in one request: users 1, 2, …, with a number each. */
export async function sendMany({ url }: CollectorProcess, count: number): Promise<void> {
  const lines = Array.from(
    { length: count },
    (_, n) => `{"user_id":${n + 1},"timestamp":"${WHEN}","metadata":{"n":${n}}}`,
  );
  const headers = { "content-type": "application/x-ndjson", "prefer": "wait=10" };
  await post(`${url}/events`, lines.join("\n"), headers);
}

/** Sends so many calls of Segment's: events with a type, an actor and an id. */
export async function sendTyped(
  { url }: CollectorProcess,
  type: string,
  actors: readonly string[],
): Promise<void> {
  const batch = actors.map((userId, n) => (
    { type: "track", messageId: `${type}-${userId}`, userId, event: type, properties: { n } }
  ));
  const headers = { "content-type": "application/json", "authorization": `Basic ${btoa("x:")}` };
  await post(`${url}/v1/batch`, JSON.stringify({ batch }), headers);
}

/** Sends lines of which some are bad: those become dead letters. */
export async function sendLenient(
  { url }: CollectorProcess,
  lines: readonly string[],
): Promise<void> {
  const headers = { "content-type": "application/x-ndjson", "prefer": "handling=lenient" };
  await post(`${url}/events`, lines.join("\n"), headers);
}

/** A line that is a good event. */
export function line(userId: number, metadata = "{}"): string {
  return `{"user_id":${userId},"timestamp":"${WHEN}","metadata":${metadata}}`;
}

/** The metadata of all stored events in the order of commit. */
export function storedMetadata({ database }: CollectorProcess): string[] {
  return storedEvents(database).map(({ metadata }) => metadata);
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<void> {
  const response = await fetch(url, { method: "POST", body: new Blob([body]), headers });
  const text = await response.text();
  equal(Math.floor(response.status / 100), 2, `${response.status} ${text}`);
}
