/** Batches for the tests of the store. */

import { DatabaseSync } from "node:sqlite";
import {
  encodeBatch,
  type EventRecord,
  fieldsOf,
  fieldsPerRow,
  LETTER_FIELDS,
  type Submission,
} from "../../lib/event.ts";
import type { Batch } from "../../lib/store.ts";
import { Database, type DatabaseOptions, type Progress } from "../../lib/store/database.ts";
import type { KeepOptions } from "../../lib/store/keep_options.ts";
import type { Run } from "../../lib/store/runs_table.ts";
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
    aside: 0,
    skip: [],
    deadLetters: [],
    ...more,
  };
}

/** The batch of these submissions, dead letters among them, as the writer makes it. */
export function batchOfParts(
  number: number,
  parts: readonly Submission[],
  more: Partial<Batch> = {},
): Batch {
  const sum = (some: readonly Submission[]) => some.reduce((n, { events }) => n + events, 0);
  const aside = sum(parts.filter((part) => fieldsPerRow(part) === LETTER_FIELDS));
  return { ...batchOf(number, [], more), events: sum(parts), rows: encodeBatch(parts), aside };
}

/** Of a run: number of its last batch, how many events are settled, rows and dead letters. */
export function runCounts(path: string, run: string = RUN_ID): number[] {
  const [row] = query(
    path,
    `SELECT last_batch, settled, committed, dead_lettered FROM runs WHERE id = '${run}'`,
  );
  return Object.values(row ?? {}).map(Number);
}

/** The rows of one submission from the source `test`. */
export function encoded(events: readonly EventRecord[], protocol = "test"): string {
  return encodeBatch([{
    events: events.length,
    bytes: 0,
    receivedAt: RECEIVED_AT,
    source: "test",
    protocol,
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

/** The run of {@linkcode databaseOptions}. */
export const RUN_ID = "00000000000000aa";

/** A run of this name. */
export function runOf(id: string, more: Partial<Run> = {}): Run {
  return { id, durability: "disk", queueCapacity: 1000, startedAt: RECEIVED_AT, ...more };
}

/** Options of a database that waits for no lock. */
export function databaseOptions(
  path: string,
  more: Partial<DatabaseOptions> = {},
): DatabaseOptions {
  return {
    path,
    synchronous: "normal",
    openTimeoutMs: 0,
    busyTimeoutMs: 0,
    run: runOf(RUN_ID),
    walBytesMax: 1e9,
    recentEventIds: 1000,
    recentRequests: 1000,
    ...more,
  };
}

/** How far a run is that has written nothing. */
export const NO_PROGRESS: Progress = { lastBatch: 0, settled: 0, deadLettered: 0 };

/** A database that its run has taken over. */
export function openDatabase(path: string, more: Partial<DatabaseOptions> = {}): Database {
  const database = new Database(databaseOptions(path, more));
  database.takeOver(NO_PROGRESS);
  return database;
}

/** Options of a store Worker, which may not use the journal unless it is told that it may. */
export function keepOptionsOf(path: string, more: Partial<KeepOptions> = {}): KeepOptions {
  return {
    ...databaseOptions(path),
    onCorrupt: "refuse",
    mayJournal: false,
    journalBytes: 1 << 30,
    retention: { retainDays: 0, retainBytes: 0, retainUnexported: "no" },
    ...more,
  };
}

/** Runs SQL on a connection of another program. */
export function elsewhere(path: string, sql: string): void {
  using other = new DatabaseSync(path);
  other.exec(sql);
}
