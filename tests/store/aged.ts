/** Databases whose events are as old as a test wants them. */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { APPLICATION_ID, MIGRATIONS } from "../../lib/store/schema.ts";
import type { Database, DatabaseOptions } from "../../lib/store/database.ts";
import { query } from "../e2e/rows.ts";
import { batchOf, newFolder, openDatabase } from "./batches.ts";

/** See the head of this file. */
export class Aged implements Disposable {
  readonly #folder = newFolder();
  readonly path = this.#folder.database;
  readonly database: Database;
  #batches = 0;

  constructor(options: Partial<DatabaseOptions> = {}) {
    this.database = openDatabase(this.path, options);
  }

  /** Stores events that were received at these times. */
  add(receivedAt: readonly number[], mark: unknown = 0): void {
    if (receivedAt.length === 0) return;
    const batch = batchOf(++this.#batches, receivedAt.map(() => mark));
    deepEqual(this.database.write(batch), { kind: "committed" });
    const last = this.ids.at(-1) ?? 0;
    using other = new DatabaseSync(this.path);
    other.exec("BEGIN");
    const update = other.prepare("UPDATE events SET received_at = ? WHERE id = ?");
    for (const [index, ms] of receivedAt.entries()) {
      update.run(ms, last - receivedAt.length + 1 + index);
    }
    other.exec("COMMIT");
  }

  /** The ids of the events that are there. */
  get ids(): number[] {
    return query<{ id: bigint }>(this.path, "SELECT id FROM events ORDER BY id")
      .map(({ id }) => Number(id));
  }

  /** How many were removed, as the database counts. */
  get removed(): number {
    return Number(
      query<{ count: bigint }>(this.path, "SELECT count FROM events_removed")[0]?.count,
    );
  }

  /** Size of the file, its log copied into it. */
  get fileBytes(): number {
    this.database.checkpointAll();
    return Deno.statSync(this.path).size;
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.#folder[Symbol.dispose]();
  }
}

/** Makes a database of version 3, as its program left it: its file can not get shorter. */
export function makeVersion3(path: string, statements = ""): void {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192");
  for (const sql of MIGRATIONS.slice(0, 3).flat()) database.exec(sql);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 3;
    PRAGMA journal_mode = wal; ${statements}`);
}

/** So many times the same. */
export function times(count: number, value: number): number[] {
  return Array.from({ length: count }, () => value);
}
