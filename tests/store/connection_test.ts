/** Opening a database: how a new one looks, and what is refused. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorError, type CollectorErrorCode } from "../../lib/errors.ts";
import { Database } from "../../lib/store/database.ts";
import { query } from "../e2e/rows.ts";
import { databaseOptions, elsewhere, newFolder, openDatabase, RUN_ID } from "./batches.ts";

function open(path: string, openTimeoutMs = 0): Database {
  return new Database(databaseOptions(path, { openTimeoutMs }));
}

function pragma(path: string, name: string): unknown {
  return Object.values(query<Record<string, unknown>>(path, `PRAGMA ${name}`)[0] ?? {})[0];
}

function refuses(path: string, code: CollectorErrorCode, message: RegExp): void {
  throws(() => open(path), (error) => {
    ok(error instanceof CollectorError, `not a CollectorError: ${error}`);
    equal(error.code, code);
    ok(message.test(error.message), error.message);
    ok(error.hint.length > 20, "no hint");
    return true;
  });
}

Deno.test("a new database has the table of the design, its marks and its settings", () => {
  using folder = newFolder();
  openDatabase(folder.database).close();
  const { database: path } = folder;
  const columns = query<{ name: string; type: string; notnull: bigint; pk: bigint }>(
    path,
    "PRAGMA table_info(events)",
  );
  deepEqual(columns.map((c) => `${c.name} ${c.type}${c.notnull || c.pk ? "" : ", nullable"}`), [
    "id INTEGER",
    "user_id INTEGER, nullable",
    "actor TEXT, nullable",
    "timestamp TEXT",
    "metadata TEXT",
    "received_at INTEGER",
    "source TEXT",
    "type TEXT, nullable",
    "event_id TEXT, nullable",
  ]);
  deepEqual(
    query<{ name: string; strict: bigint }>(path, "PRAGMA table_list")
      .filter(({ name }) => !name.startsWith("sqlite_"))
      .map(({ name, strict }) => `${name} ${strict}`).sort(),
    [
      "dead_letters 1",
      "dead_letters_removed 1",
      "events 1",
      "events_removed 1",
      "export_points 1",
      "fingerprint_seed 1",
      "recent_event_ids 1",
      "recent_requests 1",
      "runs 1",
    ],
  );
  equal(query(path, "PRAGMA index_list(events)").length, 0);
  equal(pragma(path, "application_id"), 0x46484331n);
  equal(pragma(path, "user_version"), 4n);
  equal(pragma(path, "auto_vacuum"), 2n);
  equal(pragma(path, "journal_mode"), "wal");
  equal(pragma(path, "page_size"), 8192n);
  deepEqual(
    query<object>(path, "SELECT number, id, durability, queue_capacity, last_batch FROM runs")
      .map((run) => ({ ...run })),
    [{ number: 1n, id: RUN_ID, durability: "disk", queue_capacity: 1000n, last_batch: 0n }],
  );
});

Deno.test("opening a locked database is refused, after the time it was given and not before", () => {
  using folder = newFolder();
  open(folder.database).close();
  using other = new DatabaseSync(folder.database);
  other.exec("PRAGMA locking_mode = exclusive; BEGIN IMMEDIATE; COMMIT");
  const start = performance.now();
  throws(() => open(folder.database, 200), { name: "CollectorError", code: "database-locked" });
  ok(performance.now() - start >= 200, "it did not wait");
});

Deno.test("a setting that is not in force is an error: SQLite refuses WAL without a word", () => {
  throws(() => open(":memory:"), {
    code: "database-open",
    message: /PRAGMA journal_mode is memory, expected wal/,
  });
});

Deno.test("a database that cannot be used is refused by name", () => {
  using folder = newFolder();
  const foreignPath = `${folder.path}/foreign.db`, newerPath = `${folder.path}/newer.db`;
  {
    using foreign = new DatabaseSync(foreignPath);
    foreign.exec("CREATE TABLE t (n); PRAGMA application_id = 7");
    using newer = new DatabaseSync(newerPath);
    newer.exec(
      `CREATE TABLE t (n); PRAGMA application_id = ${0x46484331}; PRAGMA user_version = 5`,
    );
  }
  Deno.writeTextFileSync(`${folder.path}/text.db`, "not a database, ".repeat(700));
  refuses(foreignPath, "database-foreign", /another program/);
  refuses(newerPath, "database-foreign", /schema version is 5, this program knows 4/);
  refuses(`${folder.path}/text.db`, "database-corrupt", /file is not a database/);
  refuses(`${folder.path}/missing/events.db`, "database-open", /unable to open database file/);
});

const DAMAGE: Record<string, { code: CollectorErrorCode; message: RegExp }> = {
  "DROP TABLE dead_letters": { code: "database-open", message: /no such table: dead_letters/ },
  "ALTER TABLE events DROP COLUMN type": {
    code: "database-open",
    message: /no such column: type/,
  },
  "DROP TABLE runs": { code: "database-open", message: /no such table: runs/ },
  "DELETE FROM fingerprint_seed": { code: "database-corrupt", message: /seed is missing/ },
};
for (const [damage, { code, message }] of Object.entries(DAMAGE)) {
  Deno.test(`opening after ${damage} is refused and says why`, () => {
    using folder = newFolder();
    openDatabase(folder.database).close();
    elsewhere(folder.database, damage);
    refuses(folder.database, code, message);
  });
}
