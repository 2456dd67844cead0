/** Batches for the tests of the store. */

import { encodeBatch, type EventRecord, fieldsOf } from "../../lib/event.ts";
import type { Batch } from "../../lib/store.ts";
import { query } from "../e2e/rows.ts";

/** When the events of {@linkcode batchOf} were received. */
export const RECEIVED_AT = 1_795_518_220_123;

/** A batch whose events differ by the mark in their metadata. */
export function batchOf(
  number: number,
  marks: readonly unknown[],
  more: Partial<Batch> = {},
): Batch {
  const events = marks.map((mark): EventRecord => ({
    userId: "1",
    timestamp: "2026-11-24T11:03:40.123Z",
    metadata: JSON.stringify({ m: mark }),
    actor: null,
    type: null,
    eventId: null,
  }));
  return {
    number,
    events: marks.length,
    rows: encoded(events),
    skip: [],
    deadLetters: [],
    ...more,
  };
}

/** The rows of one submission from the source `test`. */
export function encoded(events: readonly EventRecord[]): string {
  return encodeBatch([{
    events: events.length,
    bytes: 0,
    receivedAt: RECEIVED_AT,
    source: "test",
    fields: events.flatMap(fieldsOf),
    body: "",
    splitBody: () => [],
  }]);
}

/** The marks of the stored events in the order of commit. */
export function storedMarks(path: string): unknown[] {
  return query<{ metadata: string }>(path, "SELECT metadata FROM events ORDER BY id")
    .map(({ metadata }) => JSON.parse(metadata).m);
}

/** A new folder that is gone when it is disposed of. */
export function newFolder(): Disposable & { readonly database: string; readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "firehouse-store-" });
  return {
    path,
    database: `${path}/events.db`,
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}
