import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { EventRecord } from "../../lib/event.ts";
import { CollectorError, type CollectorErrorCode } from "../../lib/errors.ts";
import type { WriteOutcome } from "../../lib/store.ts";
import { Database, isTransient } from "../../lib/store/database.ts";
import { SqliteError } from "../../lib/store/driver.ts";
import { query, storedCount, storedEvents } from "../e2e/rows.ts";
import { batchOf, encoded, newFolder, RECEIVED_AT, storedMarks } from "./batches.ts";

/** A database of this program in a new folder. */
class Opened implements Disposable {
  readonly #folder = newFolder();
  readonly path = this.#folder.database;
  database = open(this.path);

  /** Runs SQL on a connection of another program. */
  elsewhere(sql: string): void {
    using other = new DatabaseSync(this.path);
    other.exec(sql);
  }

  /** Has the database refuse the events with these marks. */
  refuse(marks: readonly number[], how: "ABORT" | "FAIL" | "ROLLBACK"): void {
    const list = marks.map((mark) => `'{"m":${mark}}'`).join();
    this.elsewhere(`
      CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.metadata IN (${list})
      BEGIN SELECT RAISE(${how}, 'refused by the test'); END`);
  }

  ledger(): unknown {
    const [row] = query(this.path, "SELECT last_batch, committed, dead_lettered FROM ledger");
    return Object.values(row ?? {}).map(Number);
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.#folder[Symbol.dispose]();
  }
}

function open(path: string, openTimeoutMs = 0): Database {
  return new Database({ path, synchronous: "normal", openTimeoutMs, run: "" });
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

function rejectedRows(outcome: WriteOutcome): number[] {
  ok(outcome.kind === "rejected", `the outcome is ${outcome.kind}`);
  for (const { reason } of outcome.rows) equal(reason, "refused by the test");
  return outcome.rows.map(({ index }) => index);
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

Deno.test("a new database has the table of the design, its marks and its settings", () => {
  using opened = new Opened();
  const columns = query<{ name: string; type: string; notnull: bigint; pk: bigint }>(
    opened.path,
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
    query<{ name: string; strict: bigint }>(opened.path, "PRAGMA table_list")
      .filter(({ name }) => !name.startsWith("sqlite_"))
      .map(({ name, strict }) => `${name} ${strict}`).sort(),
    ["dead_letters 1", "events 1", "ledger 1"],
  );
  equal(query(opened.path, "PRAGMA index_list(events)").length, 0);
  equal(pragma(opened.path, "application_id"), 0x46484331n);
  equal(pragma(opened.path, "user_version"), 1n);
  equal(pragma(opened.path, "journal_mode"), "wal");
  equal(pragma(opened.path, "page_size"), 8192n);
  deepEqual(opened.ledger(), [0, 0, 0]);
  equal(opened.database.lastBatch, 0);
});

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
      deepEqual(opened.ledger(), [1, rows, 0]);
    }
    equal(opened.database.lastBatch, 1);
    deepEqual(opened.database.write(batchOf(2, ["next"])), { kind: "committed" });
    deepEqual(storedMarks(opened.path), [...range(rows), "next"]);
  });
}

Deno.test("rows to skip are left out and dead letters kept, in the same transaction", () => {
  using opened = new Opened();
  const deadLetters = [{ receivedAt: 5, source: "s", reason: "why", raw: '{"m":1}' }];
  const batch = batchOf(1, range(205), { skip: [0, 1, 99, 100, 204], deadLetters });
  for (const _ of [1, 2]) deepEqual(opened.database.write(batch), { kind: "committed" });
  deepEqual(storedMarks(opened.path), range(205).filter((i) => !batch.skip.includes(i)));
  const letters = query<object>(opened.path, "SELECT * FROM dead_letters");
  deepEqual(letters.map((letter) => ({ ...letter })), [
    { id: 1n, received_at: 5n, source: "s", reason: "why", raw: '{"m":1}' },
  ]);
  deepEqual(opened.ledger(), [1, 200, 1]);
});

Deno.test("a batch of which every row is skipped still counts as written", () => {
  using opened = new Opened();
  deepEqual(opened.database.write(batchOf(1, [1, 2], { skip: [0, 1] })), { kind: "committed" });
  deepEqual(opened.ledger(), [1, 0, 0]);
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
      deepEqual(opened.ledger(), [0, 0, 0]);
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
  opened.elsewhere(`CREATE TRIGGER no_ledger BEFORE UPDATE ON ledger
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
  const deadLetters = [{ receivedAt: 1, source: "s", reason: "r", raw: "{}" }];
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

Deno.test("reopening keeps the number of the last batch and the rows", () => {
  using opened = new Opened();
  opened.database.write(batchOf(1, [1]));
  opened.database.close();
  opened.database = open(opened.path);
  equal(opened.database.lastBatch, 1);
  opened.database.write(batchOf(1, ["again"]));
  opened.database.write(batchOf(2, [2]));
  deepEqual(storedMarks(opened.path), [1, 2]);
});

Deno.test("checkpointing copies the log into the file, and all of it empties the log", () => {
  using opened = new Opened();
  const text = "x".repeat(1024 * 1024);
  opened.database.write(batchOf(1, Array(9).fill(text)));
  ok(Deno.statSync(opened.path).size < 1024 * 1024);
  opened.database.checkpointIfDue();
  ok(Deno.statSync(opened.path).size > 9 * 1024 * 1024, "9 MiB were written and not checkpointed");
  opened.database.checkpointAll();
  equal(Deno.statSync(`${opened.path}-wal`).size, 0);
});

Deno.test("a database that cannot be used is refused by name", () => {
  using folder = newFolder();
  const foreignPath = `${folder.path}/foreign.db`, newerPath = `${folder.path}/newer.db`;
  {
    using foreign = new DatabaseSync(foreignPath);
    foreign.exec("CREATE TABLE t (n); PRAGMA application_id = 7");
    using newer = new DatabaseSync(newerPath);
    newer.exec(
      `CREATE TABLE t (n); PRAGMA application_id = ${0x46484331}; PRAGMA user_version = 2`,
    );
  }
  Deno.writeTextFileSync(`${folder.path}/text.db`, "not a database, ".repeat(700));
  refuses(foreignPath, "database-foreign", /another program/);
  refuses(newerPath, "database-foreign", /schema version is 2, this program knows 1/);
  refuses(`${folder.path}/text.db`, "database-foreign", /not a SQLite database/);
  refuses(`${folder.path}/missing/events.db`, "database-open", /unable to open database file/);
});

const DAMAGE: Record<string, RegExp> = {
  "DELETE FROM ledger": /the ledger has no row/,
  "DROP TABLE dead_letters": /no such table: dead_letters/,
  "ALTER TABLE events DROP COLUMN type": /no such column: type/,
};
for (const [damage, message] of Object.entries(DAMAGE)) {
  Deno.test(`after ${damage} nothing is called committed, and opening says why`, () => {
    using folder = newFolder();
    const database = open(folder.database);
    using other = new DatabaseSync(folder.database);
    other.exec(damage);
    const deadLetters = [{ receivedAt: 1, source: "s", reason: "r", raw: "{}" }];
    throws(() => database.write(batchOf(1, [1], { deadLetters })), SqliteError);
    database.close();
    refuses(folder.database, "database-open", message);
  });
}

Deno.test("a batch whose predecessor is not there is not written", () => {
  using opened = new Opened();
  const reason = "batch 1 comes before 2";
  deepEqual(opened.database.write(batchOf(2, ["early"])), { kind: "failed", reason });
  deepEqual(storedMarks(opened.path), []);
  deepEqual(opened.database.write(batchOf(1, ["first"])), { kind: "committed" });
  deepEqual(opened.database.write(batchOf(2, ["early"])), { kind: "committed" });
  deepEqual(storedMarks(opened.path), ["first", "early"]);
});

Deno.test("a batch of another run is refused, not taken for one that was written", () => {
  using opened = new Opened();
  using other = {
    database: openRun(opened.path, "other"),
    [Symbol.dispose]() {
      this.database.close();
    },
  };
  other.database.takeOver();
  deepEqual(other.database.write(batchOf(1, ["theirs"])), { kind: "committed" });
  const reason = "another collector writes to this database";
  deepEqual(opened.database.write(batchOf(1, ["ours"])), { kind: "failed", reason });
  deepEqual(storedMarks(opened.path), ["theirs"]);
  opened.database.takeOver();
  deepEqual(opened.database.write(batchOf(2, ["ours"])), { kind: "committed" });
  deepEqual(storedMarks(opened.path), ["theirs", "ours"]);
});

function openRun(path: string, run: string): Database {
  return new Database({ path, synchronous: "normal", openTimeoutMs: 0, run });
}
