import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { query } from "../e2e/rows.ts";
import { batchOf, newFolder, openDatabase, runOf } from "./batches.ts";

const [A, B, C, D] = ["a", "b", "c", "d"].map((char) => char.repeat(16)) as [
  string,
  string,
  string,
  string,
];

/** What a start of a run finds of the runs before it. */
function before(path: string, run: string): unknown {
  const database = openDatabase(path, { run: runOf(run) });
  const { lastRunEnded, uncleanRuns, lostAtMost } = database.remembered();
  database.close();
  return { lastRunEnded, uncleanRuns, lostAtMost };
}

Deno.test("the first run finds no other", () => {
  using folder = newFolder();
  deepEqual(before(folder.database, A), { lastRunEnded: true, uncleanRuns: 0, lostAtMost: 0 });
});

Deno.test("runs that did not end by themselves are counted, and what their queues may have lost", () => {
  using folder = newFolder();
  const path = folder.database;
  openDatabase(path, { run: runOf(A, { durability: "memory", queueCapacity: 700 }) }).close();
  deepEqual(before(path, B), { lastRunEnded: false, uncleanRuns: 1, lostAtMost: 700 });
  openDatabase(path, { run: runOf(C, { durability: "memory", queueCapacity: 30 }) }).close();
  // B acknowledged nothing before it was on the disk: it lost nothing.
  deepEqual(before(path, D), { lastRunEnded: false, uncleanRuns: 3, lostAtMost: 730 });
});

Deno.test("a run that ended by itself is not counted, and the last one is told", () => {
  using folder = newFolder();
  const path = folder.database;
  openDatabase(path, { run: runOf(A, { durability: "memory" }) }).close();
  const ended = openDatabase(path, { run: runOf(B, { durability: "memory" }) });
  ended.endRun();
  ended.close();
  deepEqual(before(path, C), { lastRunEnded: true, uncleanRuns: 1, lostAtMost: 1000 });
});

Deno.test("a run whose Worker starts again is one run, and no longer ended", () => {
  using folder = newFolder();
  const path = folder.database;
  const first = openDatabase(path, { run: runOf(A) });
  first.write(batchOf(1, [1, 2]));
  first.endRun();
  first.close();
  const again = openDatabase(path, { run: runOf(A) });
  deepEqual(again.progress(A), {
    id: A,
    lastBatch: 1,
    settled: 2,
    deadLettered: 0,
    isNewest: true,
  });
  again.close();
  equal(query(path, "SELECT * FROM runs").length, 1);
  deepEqual(before(path, B), { lastRunEnded: false, uncleanRuns: 1, lostAtMost: 0 });
});

Deno.test("in a database that was put in the place of another a run goes on where it had got to", () => {
  using folder = newFolder();
  using database = {
    own: openDatabase(folder.database, { run: runOf(A) }),
    [Symbol.dispose]() {
      this.own.close();
    },
  };
  const { own } = database;
  deepEqual(own.takeOver({ lastBatch: 7, settled: 50, deadLettered: 9 }), {
    id: A,
    lastBatch: 7,
    settled: 50,
    deadLettered: 0, // they are in the other
    isNewest: true,
  });
  deepEqual(
    own.takeOver({ lastBatch: 3, settled: 20, deadLettered: 0 }).settled,
    50,
    "it went back",
  );
  deepEqual(own.write(batchOf(7, ["again"])), { kind: "committed" });
  deepEqual(own.write(batchOf(8, ["a", "b"])), { kind: "committed" });
  deepEqual(own.progress(A)?.settled, 52);
  equal(query(folder.database, "SELECT * FROM events").length, 2);
  equal(own.progress(B), null);
});

Deno.test("a run that is only known from the journal comes before all others", () => {
  using folder = newFolder();
  const own = openDatabase(folder.database, { run: runOf(A) });
  for (const [run, number] of [[C, 4], [C, 5], [B, 9]] as const) {
    own.apply([{ run, number, events: 1, rows: batchOf(number, [`${run}${number}`]).rows }]);
  }
  deepEqual(own.progress(C), { id: C, lastBatch: 5, settled: 2, deadLettered: 0, isNewest: false });
  deepEqual(own.write(batchOf(1, ["own"])), { kind: "committed" });
  deepEqual(own.remembered().uncleanRuns, 0);
  own.close();
  const rows = query<{ id: string }>(folder.database, "SELECT id FROM runs ORDER BY number");
  deepEqual(rows.map(({ id }) => id), [B, C, A]);
});
