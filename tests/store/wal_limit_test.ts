/** A reader that holds an old state of the database, so that its log can not be emptied. */

import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { isTransient } from "../../lib/store/connection.ts";
import { WorkerStore } from "../../lib/store/worker_store.ts";
import { batchOf, keepOptionsOf, newFolder, openDatabase, storedMarks } from "./batches.ts";
import { Kept } from "./kept.ts";

const WAL_BYTES_MAX = 400_000;
/** A batch of some 200 KB. */
const TEXTS = Array<string>(100).fill("x".repeat(2000));

/** A connection of another program within a read transaction. */
function reader(path: string): DatabaseSync {
  const other = new DatabaseSync(path);
  other.exec("BEGIN; SELECT count(*) FROM events");
  return other;
}

Deno.test("[G11] a log at its limit that a reader holds goes no further: events go to the journal", () => {
  using kept = new Kept({ walBytesMax: WAL_BYTES_MAX });
  const levels: string[] = [];
  let number = 0;
  const write = () => levels.push(kept.write(++number, TEXTS));
  {
    using _ = reader(kept.path);
    while (levels.length < 12) write();
    equal(levels[0], "committed");
    const held = Deno.statSync(`${kept.path}-wal`).size;
    ok(held < 2 * WAL_BYTES_MAX, `the log has ${held} bytes`);
    equal(levels.at(-1), "journaled");
    match(kept.notices.at(-1) ?? "", /go to the journal: .*reached --wal-bytes/);
    throws(() => kept.keeper.drain(), /reader keeps/);
    ok(kept.keeper.database !== null, "the connection was given up");
    ok((kept.keeper.database?.walBytesHeld ?? 0) >= WAL_BYTES_MAX);
  }
  equal(kept.drainAll().settled, number * TEXTS.length);
  equal(kept.write(++number, ["after"]), "committed");
  deepEqual(kept.marks, [...Array(12).fill(TEXTS).flat(), "after"]);
});

Deno.test("[G11] a log at its limit is an error that passes, and the batch fits afterwards", () => {
  using folder = newFolder();
  const database = openDatabase(folder.database, { walBytesMax: WAL_BYTES_MAX });
  let number = 0;
  {
    using _ = reader(folder.database);
    throws(() => {
      for (;;) database.write(batchOf(++number, TEXTS));
    }, (error) => {
      ok(isTransient(error));
      match((error as Error).message, /reader keeps .* --wal-bytes/);
      return true;
    });
    ok(number >= 2, "it refused what had room");
  }
  deepEqual(database.write(batchOf(number, TEXTS)), { kind: "committed" });
  database.close();
  equal(storedMarks(folder.database).length, number * TEXTS.length);
});

Deno.test("[G11] what is written again of the log is refused while a reader holds it", () => {
  using folder = newFolder();
  const database = openDatabase(folder.database);
  database.write(batchOf(1, ["a"]));
  {
    using _ = reader(folder.database);
    database.write(batchOf(2, ["b"]));
    throws(() => database.rewriteLog(), /reader keeps|locked/);
    throws(() => database.recheck(), /reader keeps|locked/);
  }
  database.recheck();
  equal(Deno.statSync(`${folder.database}-wal`).size, 0);
  database.close();
});

Deno.test("[G11] the operator is told once that a reader holds the log, before it is at its limit", async () => {
  using folder = newFolder();
  const notices: string[] = [];
  const keep = keepOptionsOf(folder.database, { walBytesMax: 120_000_000, mayJournal: true });
  const store = new WorkerStore({ keep, hangMs: 20_000, onHang: () => {}, onGone: () => {} });
  await store.open({ state: () => {}, notice: (text) => notices.push(text) });
  deepEqual(await store.write(batchOf(1, ["a"])), { kind: "committed" });
  {
    using _ = reader(folder.database);
    const large = Array<string>(10).fill("x".repeat(1_000_000));
    for (const number of [2, 3, 4, 5, 6]) {
      deepEqual(await store.write(batchOf(number, large)), { kind: "committed" });
    }
  }
  await store.close();
  equal(notices.length, 1, notices.join("\n"));
  match(notices[0] ?? "", /keeps the database's log from being emptied: .*--wal-bytes/);
});
