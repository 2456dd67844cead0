/** A database of an earlier version is brought up to date when it is opened. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { checkHeader } from "../../lib/store/files.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../lib/store/schema.ts";
import { query } from "../e2e/rows.ts";
import { batchOf, newFolder, openDatabase, RUN_ID } from "./batches.ts";

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
