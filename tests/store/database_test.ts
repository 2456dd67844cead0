import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { encodeBatch, type EventRecord } from "../../lib/event.ts";
import { EventIds } from "../../lib/event_ids.ts";
import type { WriteOutcome } from "../../lib/store.ts";
import { isTransient } from "../../lib/store/connection.ts";
import { SqliteError } from "../../lib/sqlite/driver.ts";
import { query, storedCount, storedEvents } from "../e2e/rows.ts";
import { withIds } from "../fakes/collecting.ts";
import {
  batchOf,
  elsewhere,
  encoded,
  newFolder,
  NO_PROGRESS,
  openDatabase,
  RECEIVED_AT,
  RUN_ID,
  runOf,
  storedMarks,
} from "./batches.ts";

/** A database of this program in a new folder. */
class Opened implements Disposable {
  readonly #folder = newFolder();
  readonly path = this.#folder.database;
  database = openDatabase(this.path);

  /** Runs SQL on a connection of another program. */
  elsewhere(sql: string): void {
    elsewhere(this.path, sql);
  }

  /** Has the database refuse the events with these marks. */
  refuse(marks: readonly number[], how: "ABORT" | "FAIL" | "ROLLBACK"): void {
    const list = marks.map((mark) => `'{"m":${mark}}'`).join();
    this.elsewhere(`
      CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.metadata IN (${list})
      BEGIN SELECT RAISE(${how}, 'refused by the test'); END`);
  }

  /** Of its run: number of the last batch, how many events are settled, rows and dead letters. */
  counts(): number[] {
    const [row] = query(
      this.path,
      `SELECT last_batch, settled, committed, dead_lettered FROM runs WHERE id = '${RUN_ID}'`,
    );
    return Object.values(row ?? {}).map(Number);
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.#folder[Symbol.dispose]();
  }
}

function rejectedRows(outcome: WriteOutcome): number[] {
  ok(outcome.kind === "rejected", `the outcome is ${outcome.kind}`);
  for (const { reason } of outcome.rows) equal(reason, "refused by the test");
  return outcome.rows.map(({ index }) => index);
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

Deno.test("every column of an event is stored exactly as sent", () => {
  using opened = new Opened();
  const events: EventRecord[] = [
    {
      userId: "-9223372036854775808",
      timestamp: "2026-11-24T11:03:40.123456789Z",
      metadata: '{ "big" : 9223372036854775808, "f":1.0, "a":1, "a":2, "s":"😀\\u0000" }',
      actor: "actor-😀",
      type: "type/1",
      eventId: "id-1",
    },
    { userId: null, timestamp: "t", metadata: "{}", actor: null, type: null, eventId: null },
  ];
  const batch = { ...batchOf(1, [1, 2]), rows: encoded(events) };
  deepEqual(opened.database.write(batch), { kind: "committed" });
  deepEqual(
    storedEvents(opened.path).map((row) => ({ ...row })),
    events.map(({ userId, eventId, ...same }, i) => ({
      ...same,
      id: BigInt(i + 1),
      user_id: userId === null ? null : BigInt(userId),
      received_at: BigInt(RECEIVED_AT),
      source: "test",
      event_id: eventId,
    })),
  );
});

for (const rows of [1, 99, 100, 101, 250]) {
  Deno.test(`a batch of ${rows} is stored whole and in order, and only once when it is written twice`, () => {
    using opened = new Opened();
    const batch = batchOf(1, range(rows));
    for (const _ of [1, 2]) {
      deepEqual(opened.database.write(batch), { kind: "committed" });
      deepEqual(storedMarks(opened.path), range(rows));
      deepEqual(opened.counts(), [1, rows, rows, 0]);
    }
    equal(opened.database.progress(RUN_ID)?.lastBatch, 1);
    deepEqual(opened.database.write(batchOf(2, ["next"])), { kind: "committed" });
    deepEqual(storedMarks(opened.path), [...range(rows), "next"]);
  });
}

Deno.test("rows to skip are left out and dead letters kept, in the same transaction", () => {
  using opened = new Opened();
  deepEqual(opened.database.write(batchOf(1, ["first", "second"])), { kind: "committed" });
  const deadLetters = [{
    receivedAt: 5,
    source: "s",
    protocol: "test",
    reason: "why",
    raw: '{"m":1}',
    isDecoded: true,
    index: 99,
  }];
  const batch = batchOf(2, range(205), { skip: [0, 1, 99, 100, 204], deadLetters });
  for (const _ of [1, 2]) deepEqual(opened.database.write(batch), { kind: "committed" });
  deepEqual(storedMarks(opened.path), [
    "first",
    "second",
    ...range(205).filter((i) => !batch.skip.includes(i)),
  ]);
  const letters = query<object>(opened.path, "SELECT * FROM dead_letters");
  deepEqual(letters.map((letter) => ({ ...letter })), [
    {
      id: 1n,
      received_at: 5n,
      source: "s",
      reason: "why",
      protocol: "test",
      raw: '{"m":1}',
      decoded: 1n,
      run: RUN_ID,
      sequence: 101n,
    },
  ]);
  deepEqual(opened.counts(), [2, 203, 202, 1]);
  const deadLettered = (first: number, events: number) =>
    opened.database.deadLettered({ run: RUN_ID, first, events });
  deepEqual([deadLettered(101, 1), deadLettered(0, 101), deadLettered(102, 9)], [1, 0, 0]);
  equal(opened.database.deadLettered({ run: "other", first: 0, events: 999 }), 0);
});

Deno.test("a batch of which every row is skipped still counts as written", () => {
  using opened = new Opened();
  deepEqual(opened.database.write(batchOf(1, [1, 2], { skip: [0, 1] })), { kind: "committed" });
  deepEqual(opened.counts(), [1, 0, 0, 0]);
});

for (const how of ["ABORT", "FAIL", "ROLLBACK"] as const) {
  for (const refused of [[120], [0, 99, 100, 149, 249], range(3)]) {
    Deno.test(`rows refused by RAISE(${how}) at ${refused.join()} are named and nothing is stored`, () => {
      using opened = new Opened();
      opened.refuse(refused, how);
      const marks = refused.length === 3 ? refused : range(250);
      const batch = batchOf(1, marks);
      deepEqual(rejectedRows(opened.database.write(batch)), refused);
      equal(storedCount(opened.path), 0);
      deepEqual(opened.counts(), [0, 0, 0, 0]);
      opened.elsewhere("BEGIN IMMEDIATE; COMMIT"); // nothing of it holds the lock
      const again = opened.database.write({ ...batch, skip: refused });
      deepEqual(again, { kind: "committed" });
      deepEqual(storedMarks(opened.path), marks.filter((mark) => !refused.includes(mark)));
    });
  }
}

Deno.test("positions of refused rows count the skipped ones", () => {
  using opened = new Opened();
  opened.refuse([2, 5], "ABORT");
  const batch = batchOf(1, range(8), { skip: [0, 2, 3] });
  deepEqual(rejectedRows(opened.database.write(batch)), [5]);
});

Deno.test("a refusal that is no row's fault is an error, not a row to leave out", () => {
  using opened = new Opened();
  opened.elsewhere(`CREATE TRIGGER no_runs BEFORE UPDATE ON runs
    BEGIN SELECT RAISE(ABORT, 'not now'); END`);
  throws(() => opened.database.write(batchOf(1, [1])), (error) => {
    ok(error instanceof SqliteError);
    equal(error.resultCode, 1811);
    equal(isTransient(error), false);
    return true;
  });
  equal(storedCount(opened.path), 0);
});

Deno.test("an error in the middle of a transaction undoes it and leaves no lock", () => {
  using opened = new Opened();
  opened.elsewhere(`CREATE TRIGGER fail AFTER INSERT ON dead_letters
    BEGIN SELECT abs(-9223372036854775807 - 1); END`);
  const deadLetters = [{
    receivedAt: 1,
    source: "s",
    protocol: "test",
    reason: "r",
    raw: "{}",
    isDecoded: true,
    index: 0,
  }];
  throws(() => opened.database.write(batchOf(1, [1], { deadLetters })), /integer overflow/);
  opened.elsewhere("BEGIN IMMEDIATE; DROP TRIGGER fail; COMMIT");
  deepEqual(opened.database.write(batchOf(1, [2])), { kind: "committed" });
  deepEqual(storedMarks(opened.path), [2]);
});

Deno.test("another program's lock is a transient SqliteError, and the batch fits afterwards", () => {
  using opened = new Opened();
  using other = new DatabaseSync(opened.path);
  other.exec("BEGIN IMMEDIATE");
  throws(() => opened.database.write(batchOf(1, [1])), (error) => {
    ok(error instanceof SqliteError);
    equal(error.primaryCode, 5);
    ok(isTransient(error));
    return true;
  });
  other.exec("COMMIT");
  deepEqual(opened.database.write(batchOf(1, [1])), { kind: "committed" });
  deepEqual(storedMarks(opened.path), [1]);
});

Deno.test("reopening keeps the number of the last batch and the rows", () => {
  using opened = new Opened();
  opened.database.write(batchOf(1, [1]));
  opened.database.close();
  opened.database = openDatabase(opened.path);
  equal(opened.database.progress(RUN_ID)?.lastBatch, 1);
  opened.database.write(batchOf(1, ["again"]));
  opened.database.write(batchOf(2, [2]));
  deepEqual(storedMarks(opened.path), [1, 2]);
});

Deno.test("checkpointing copies the log into the file, and all of it empties the log", () => {
  using opened = new Opened();
  const text = "x".repeat(1024 * 1024);
  opened.database.write(batchOf(1, Array(33).fill(text)));
  ok(Deno.statSync(opened.path).size < 1024 * 1024);
  opened.database.checkpointIfDue();
  ok(
    Deno.statSync(opened.path).size > 33 * 1024 * 1024,
    "33 MiB were written and not checkpointed",
  );
  opened.database.checkpointAll();
  equal(Deno.statSync(`${opened.path}-wal`).size, 0);
});

Deno.test("without the row of its run nothing is called committed", () => {
  using opened = new Opened();
  opened.elsewhere("DELETE FROM runs");
  throws(() => opened.database.write(batchOf(1, [1])), /does not know this run/);
  equal(storedCount(opened.path), 0);
});

Deno.test("a batch whose predecessor is not there is not written", () => {
  using opened = new Opened();
  const reason = "batch 1 comes before 2";
  deepEqual(opened.database.write(batchOf(2, ["early"])), { kind: "failed", reason });
  deepEqual(storedMarks(opened.path), []);
  deepEqual(opened.database.write(batchOf(1, ["first"])), { kind: "committed" });
  deepEqual(opened.database.write(batchOf(2, ["early"])), { kind: "committed" });
  deepEqual(storedMarks(opened.path), ["first", "early"]);
});

Deno.test("a run after which another one started writes nothing more", () => {
  using opened = new Opened();
  const other = openDatabase(opened.path, { run: runOf("00000000000000bb") });
  deepEqual(other.write(batchOf(1, ["theirs"])), { kind: "committed" });
  other.close();
  for (const _ of [1, 2]) {
    throws(() => opened.database.write(batchOf(1, ["ours"])), /another collector writes/);
    throws(() => opened.database.apply([]), /another collector writes/);
    opened.database.takeOver(NO_PROGRESS); // it does not come before it again
  }
  deepEqual(storedMarks(opened.path), ["theirs"]);
});

Deno.test("a seed that a run brings along takes the place of the database's, with what it was for", () => {
  using opened = new Opened();
  const { database } = opened;
  const ids = (seed: Uint32Array) => new EventIds(10, seed, database.remembered().eventIds);
  const write = (number: number, id: string) => {
    const rows = encodeBatch([withIds([id])]);
    deepEqual(database.write({ ...batchOf(number, [1]), rows }), { kind: "committed" });
  };
  write(1, "before");
  const own = database.seed;
  database.takeOver(NO_PROGRESS, own.slice());
  equal(ids(own).keepNew(withIds(["before"])), null, "the same seed forgot something");
  const seed = Uint32Array.from([1, 2, 3, 4]);
  deepEqual(database.takeOver(NO_PROGRESS, seed).lastBatch, 1);
  deepEqual([database.seed, database.remembered().eventIds.length], [seed, 0]);
  write(2, "after");
  equal(ids(seed).keepNew(withIds(["after"])), null);
  const again = openDatabase(opened.path);
  deepEqual(again.seed, seed, "it is not in the file");
  again.close();
});

Deno.test("dead letters out of the journal are told once, and are those of their run", () => {
  using opened = new Opened();
  opened.refuse([2], "ABORT");
  const record = (run: string) => ({ run, number: 1, events: 3, rows: batchOf(1, [1, 2, 3]).rows });
  equal(opened.database.apply([record("other")]), 1);
  equal(opened.database.apply([record("other")]), 0, "told twice");
  equal(opened.database.apply([record(RUN_ID)]), 1);
  equal(opened.database.progress(RUN_ID)?.deadLettered, 1);
  equal(opened.database.progress("other")?.deadLettered, 1);
});

Deno.test("a statement waits for locks as long as it was told to last", () => {
  using opened = new Opened();
  using other = new DatabaseSync(opened.path);
  other.exec("BEGIN IMMEDIATE");
  for (const ms of [150, 0]) {
    opened.database.waitForLocks(ms);
    const startMs = performance.now();
    throws(() => opened.database.write(batchOf(1, [1])), /locked/);
    const waitedMs = performance.now() - startMs;
    ok(ms === 0 ? waitedMs < 100 : waitedMs >= ms, `it waited ${waitedMs} ms of ${ms}`);
  }
});
