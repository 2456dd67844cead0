/** What the end-to-end tests of durability have in common: flags, bodies, receipts, rows. */

import { strictEqual as equal } from "node:assert/strict";
import type { CollectorProcess } from "./collector_process.ts";
import { storedEvents } from "./rows.ts";

/** The flags of the level at which 202 means queued. */
export const MEMORY: readonly string[] = ["--durability", "memory"];
/** The headers of a body that is one event, or an array. */
export const JSON_BODY: Record<string, string> = { "content-type": "application/json" };
/** The headers of a body with an event a line. */
export const LINES: Record<string, string> = { "content-type": "application/x-ndjson" };

/** A valid event with an id of its sender's, and a mark in its metadata. */
export function identified(id: string, mark: unknown, userId = 1): string {
  const [quotedId, metadata] = [JSON.stringify(id), JSON.stringify(mark)];
  return `{"id":${quotedId},"user_id":${userId},"timestamp":"2026-11-24T11:03:40.123Z",` +
    `"metadata":{"m":${metadata}}}`;
}

/** The marks of all stored events in the order of commit. */
export function marks(database: string): unknown[] {
  return storedEvents(database).map(({ metadata }) => JSON.parse(metadata).m);
}

/** What `GET /receipts/{id}` says under a Location. */
export interface ReceiptAnswer {
  readonly status: "pending" | "committed" | "dead_lettered";
  readonly events: number;
  readonly dead_lettered: number;
}

/** Asks for a receipt; null if it is not known. */
export async function receipt(
  collector: CollectorProcess,
  location: string | null,
): Promise<ReceiptAnswer | null> {
  const answer = await fetch(collector.url + location);
  const body = await answer.json();
  if (answer.status === 200) return body;
  equal(answer.status, 404, JSON.stringify(body));
  equal(body.type, "/problems/unknown-receipt");
  return null;
}

/** Asks for a receipt until it is no longer pending. */
export async function settledReceipt(
  collector: CollectorProcess,
  location: string | null,
): Promise<ReceiptAnswer | null> {
  for (let asked = 0; asked < 1000; asked++) {
    const found = await receipt(collector, location);
    if (found?.status !== "pending") return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${location} is still pending`);
}

/** A folder that outlives the collectors in it. */
export class TempFolder implements AsyncDisposable {
  /** Where it is. */
  readonly path: string = Deno.makeTempDirSync({ prefix: "firehouse-" });

  /** The database in it. */
  get database(): string {
    return `${this.path}/events.db`;
  }

  /** The names in it that the pattern matches. */
  names(pattern: RegExp): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name)
      .filter((name) => pattern.test(name)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
