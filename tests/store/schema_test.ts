/** A database of an earlier version is brought up to date when it is opened. */

import {
  deepStrictEqual as deepEqual,
  match,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { checkHeader } from "../../lib/store/files.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../lib/store/schema.ts";
import { verify } from "../../lib/store/verify.ts";
import { query } from "../e2e/rows.ts";
import { letters } from "../fakes/letters.ts";
import { submission } from "../fakes/submissions.ts";
import { batchOf, batchOfParts, newFolder, openDatabase, RUN_ID, runOf } from "./batches.ts";

/** Makes a database of version 1, as its program left it. */
function makeVersion1(path: string, statements = ""): void {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192");
  for (const sql of MIGRATIONS[0] ?? []) database.exec(sql);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1;
    PRAGMA journal_mode = wal; ${statements}`);
}

const USED = `
  INSERT INTO events VALUES
    (1, 9223372036854775807, 'actor', 't', '{"m":1}', 5, 'native', 'type', 'id'),
    (7, NULL, NULL, 't', '{"m":2}', 6, 'native', NULL, NULL);
  INSERT INTO dead_letters VALUES (3, 5, 's', 'why', '{"n":1}');
  UPDATE ledger SET run = 'b2d0', last_batch = 12, committed = 2, dead_lettered = 1`;

Deno.test("a database of version 1 keeps its events, dead letters and counts", () => {
  using folder = newFolder();
  const path = folder.database;
  makeVersion1(path, USED);
  checkHeader(path);
  const events = query<object>(path, "SELECT * FROM events").map((row) => ({ ...row }));
  const database = openDatabase(path);
  deepEqual(query<object>(path, "SELECT * FROM events").map((row) => ({ ...row })), events);
  deepEqual(query<object>(path, "SELECT * FROM dead_letters").map((row) => ({ ...row })), [{
    id: 3n,
    received_at: 5n,
    source: "s",
    reason: "why",
    raw: '{"n":1}',
    run: null,
    sequence: null,
    protocol: "native",
    decoded: 1n,
  }]);
  const runs = query<Record<string, unknown>>(path, "SELECT * FROM runs ORDER BY number");
  deepEqual(
    runs.map((run) => [run.id, run.last_batch, run.settled, run.committed, run.dead_lettered]),
    [["before", 12n, 3n, 2n, 1n], [RUN_ID, 0n, 0n, 0n, 0n]],
  );
  deepEqual(query(path, "SELECT name FROM sqlite_schema WHERE name = 'ledger'"), []);
  const { lastRunEnded, uncleanRuns, eventIds, requests } = database.remembered();
  deepEqual([lastRunEnded, uncleanRuns, eventIds.length, requests.length], [true, 0, 0, 0]);
  deepEqual(database.write(batchOf(1, [3])), { kind: "committed" });
  database.close();
  deepEqual(query<{ id: bigint }>(path, "SELECT id FROM events").map(({ id }) => id), [1n, 7n, 8n]);
});

Deno.test("a database of version 1 that was never used has no run before", () => {
  using folder = newFolder();
  makeVersion1(folder.database);
  openDatabase(folder.database).close();
  deepEqual(query<{ id: string }>(folder.database, "SELECT id FROM runs").map(({ id }) => id), [
    RUN_ID,
  ]);
});

Deno.test("each database has a seed of its own, of 16 bytes, which it keeps", () => {
  const seeds = [1, 2].map(() => {
    using folder = newFolder();
    makeVersion1(folder.database);
    const [first, again] = [1, 2].map(() => {
      const database = openDatabase(folder.database);
      const { seed } = database.remembered();
      database.close();
      return seed;
    });
    equal(first?.length, 4);
    deepEqual(first, again);
    return first?.join();
  });
  equal(new Set(seeds).size, 2);
});

/** Makes a database of version 2, as its program left it. */
function makeVersion2(path: string, statements: string): void {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192");
  for (const sql of MIGRATIONS.slice(0, 2).flat()) database.exec(sql);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 2;
    PRAGMA journal_mode = wal; ${statements}`);
}

const EARLIER = "00000000000000ee";
const USED_2 = `
  INSERT INTO events VALUES
    (1, -9223372036854775808, 'actor', 't', '{"m":1}', 5, 'native', 'type', 'id'),
    (2, NULL, NULL, 't', '{"m":2}', 6, 'web', NULL, NULL);
  INSERT INTO runs VALUES
    (1, 'before', 'memory', 0, 0, 0, 4, 1, 0, 1),
    (2, '${EARLIER}', 'disk', 1000, 5, 6, 12, 5, 2, 3);
  INSERT INTO dead_letters VALUES
    (3, 5, 's', 'old', '{"n":0}', NULL, NULL),
    (5, 6, 'web', 'why', '{"n":1}', '${EARLIER}', 1),
    (6, 6, 'web', 'why', CAST(x'610062' AS TEXT), '${EARLIER}', 3),
    (9, 6, 'web', 'why', '', '${EARLIER}', 4);
  INSERT INTO recent_event_ids VALUES (1, 1, x'000102030405060708090a0b0c0d0e0f');
  UPDATE fingerprint_seed SET seed = x'0f0e0d0c0b0a09080706050403020100'`;

Deno.test("a database of version 2 keeps its events, dead letters, runs and what it remembers", () => {
  using folder = newFolder();
  const path = folder.database;
  makeVersion2(path, USED_2);
  checkHeader(path);
  const tables = ["events", "runs", "recent_event_ids", "recent_requests", "fingerprint_seed"];
  const rowsOf = (table: string) =>
    query<object>(path, `SELECT * FROM ${table}`).map((row) => ({ ...row }));
  const before = tables.map(rowsOf);
  const lettersBefore = rowsOf("dead_letters").map((row) => ({
    ...row,
    protocol: "native",
    decoded: 1n,
  }));
  const database = openDatabase(path, { run: runOf("00000000000000ff") });
  equal(query<{ user_version: bigint }>(path, "PRAGMA user_version")[0]?.user_version, 4n);
  const after = tables.map(rowsOf);
  deepEqual(after[1]?.slice(0, 2), before[1], "its runs");
  deepEqual([after[0], ...after.slice(2)], [before[0], ...before.slice(2)]);
  deepEqual(rowsOf("dead_letters"), lettersBefore);
  deepEqual(
    database.deadLetters({ after: 0, limit: 9 }).map(({ id, raw, event, isDecoded }) => [
      id,
      raw,
      event,
      isDecoded,
    ]),
    [
      [3, '{"n":0}', "/3", true],
      [5, '{"n":1}', `${EARLIER}/1`, true],
      [6, "a\0b", `${EARLIER}/3`, true],
      [9, "", `${EARLIER}/4`, true],
    ],
  );
  equal(database.deadLettered({ run: EARLIER, first: 0, events: 5 }), 3);
  const parts = [submission([7]), letters(["new"])];
  deepEqual(database.write(batchOfParts(1, parts)), { kind: "committed" });
  equal(database.removeDeadLetters({ first: 3, last: 9 }), 4);
  deepEqual(database.deadLetters({ after: 0, limit: 9 }).map(({ id }) => id), [10]);
  database.close();
  deepEqual(verify(path).filter(({ isOk }) => !isOk), []);
});

Deno.test("an index of version 3 finds the letters of a receipt", () => {
  using folder = newFolder();
  makeVersion2(folder.database, USED_2);
  openDatabase(folder.database).close();
  const [plan] = query<{ detail: string }>(
    folder.database,
    "EXPLAIN QUERY PLAN SELECT count(*) FROM dead_letters WHERE run = 'x' AND sequence >= 1",
  );
  match(plan?.detail ?? "", /USING COVERING INDEX dead_letters_by_event/);
});

Deno.test("a migration that fails leaves the database of version 2 as it was", () => {
  using folder = newFolder();
  makeVersion2(folder.database, `${USED_2}; CREATE TABLE dead_letters_removed (own TEXT)`);
  const columns = () =>
    query<{ name: string }>(folder.database, "PRAGMA table_info(dead_letters)").map(({ name }) =>
      name
    ).join();
  const before = columns();
  throws(() => openDatabase(folder.database), /dead_letters_removed already exists/);
  equal(columns(), before);
  equal(
    query<{ user_version: bigint }>(folder.database, "PRAGMA user_version")[0]?.user_version,
    2n,
  );
  equal(query(folder.database, "SELECT id FROM dead_letters").length, 4);
});
