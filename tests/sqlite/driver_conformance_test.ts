/** What the store expects of a driver, whichever it is: the same tests on each one that is there. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import type { Connection } from "../../lib/sqlite/driver.ts";
import { SqliteError, type SqlValue } from "../../lib/sqlite/driver.ts";
import * as nodeDriver from "../../lib/sqlite/driver_node.ts";

interface Driver {
  readonly driverName: string;
  open(path: string): Connection;
}

/** One test: `connect` opens a connection to one new file that is closed when the test is over. */
type DriverTest = (connect: () => Connection, driver: Driver, path: string) => void | Promise<void>;

const TESTS: Record<string, DriverTest> = {
  "an int64 bound as text is stored exactly in a STRICT INTEGER column"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    const insert = connection.prepare("INSERT INTO t VALUES (?)");
    const stored = connection.prepare("SELECT CAST(n AS TEXT) AS n, typeof(n) AS type FROM t");
    for (const n of ["9223372036854775807", "-9223372036854775808", "9007199254740993", "0"]) {
      run(connection, "DELETE FROM t");
      insert.run([n]);
      deepEqual({ ...stored.get([]) }, { n, type: "integer" });
    }
  },

  "a safe integer bound as a number is stored exactly and read back"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    const insert = connection.prepare("INSERT INTO t VALUES (?)");
    for (const n of [0, -1, 2 ** 31, -(2 ** 31) - 1, 1795518220123, Number.MAX_SAFE_INTEGER]) {
      run(connection, "DELETE FROM t");
      insert.run([n]);
      equal(connection.prepare("SELECT n FROM t").get([])?.n, n);
      equal(connection.prepare("SELECT CAST(n AS TEXT) AS n FROM t").get([])?.n, String(n));
    }
  },

  "null is stored as NULL, an empty string is not, and neither keeps the value before it"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (a TEXT, b TEXT) STRICT");
    const insert = connection.prepare("INSERT INTO t VALUES (?, ?)");
    insert.run(["before", "before"]);
    insert.run([null, ""]);
    const stored = connection.prepare("SELECT a, b, typeof(a) AS type FROM t WHERE rowid = 2");
    deepEqual({ ...stored.get([]) }, { a: null, b: "", type: "null" });
  },

  "text beyond the basic plane comes back character for character"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (s TEXT) STRICT");
    const text = "a😀\u{10ffff}é\u{1f469}\u200d\u{1f692}'\"\\";
    connection.prepare("INSERT INTO t VALUES (?)").run([text]);
    deepEqual(
      { ...connection.prepare("SELECT s, length(s) AS n FROM t WHERE s = ?").get([text]) },
      {
        s: text,
        n: [...text].length,
      },
    );
  },

  "800 values in one statement are 100 rows in order, also when it is used again"(connect) {
    const connection = connect();
    const columns = [..."abcdefgh"];
    run(connection, `CREATE TABLE t (${columns.map((name) => `${name} INTEGER`).join()}) STRICT`);
    const row = `(${columns.map(() => "?").join()})`;
    const insert = connection.prepare(`INSERT INTO t VALUES ${Array(100).fill(row).join()}`);
    for (const start of [0, 800]) {
      insert.run(Array.from({ length: 800 }, (_, i): SqlValue => start + i));
    }
    const wrong = `SELECT count(*) AS rows, total(a <> 8 * rowid - 8) + total(h <> 8 * rowid - 1)
      AS wrong FROM t`;
    deepEqual({ ...connection.prepare(wrong).get([]) }, { rows: 200, wrong: 0 });
  },

  "get gives undefined where there is no row, and rows that do not change afterwards"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    const first = connection.prepare("SELECT n FROM t ORDER BY n DESC");
    equal(first.get([]), undefined);
    run(connection, "INSERT INTO t VALUES (1)");
    const row = first.get([]);
    run(connection, "INSERT INTO t VALUES (2)");
    equal(first.get([])?.n, 2);
    equal(row?.n, 1);
    equal(connection.prepare("SELECT n FROM t WHERE n = ?").get([3]), undefined);
  },

  "a pragma is set and read back by prepare and get"(connect) {
    const connection = connect();
    deepEqual({ ...connection.prepare("PRAGMA journal_mode = wal").get([]) }, {
      journal_mode: "wal",
    });
    equal(connection.prepare("PRAGMA user_version = 7").get([]), undefined);
    equal(connection.prepare("PRAGMA user_version").get([])?.user_version, 7);
    deepEqual({ ...connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get([]) }, {
      busy: 0,
      log: 0,
      checkpointed: 0,
    });
  },

  "a trigger's RAISE(ABORT) is a SqliteError 1811 with its text, and the statement still works"(
    connect,
  ) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER NOT NULL) STRICT");
    refuseNumber13(connection, "ABORT");
    const insert = connection.prepare("INSERT INTO t VALUES (?)");
    for (const _ of [1, 2]) {
      fails(() => insert.run([13]), 1811, /^no thirteen$/);
      insert.run([1]);
    }
    equal(count(connection), 2);
    fails(() => insert.run([null]), 1299, /NOT NULL constraint failed: t\.n/);
    fails(() => insert.run(["x"]), 3091, /cannot store TEXT value/);
    insert.run([2]);
    equal(count(connection), 3);
  },

  "another connection's write lock is a SqliteError of kind 5, and waiting helps"(connect) {
    const connection = connect(), other = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    const begin = connection.prepare("BEGIN IMMEDIATE");
    run(other, "BEGIN IMMEDIATE");
    fails(() => begin.run([]), 5, /locked/);
    equal(connection.inTransaction, false);
    run(other, "COMMIT");
    begin.run([]);
    equal(connection.inTransaction, true);
    run(connection, "COMMIT");
  },

  "a database locked whole is a SqliteError of kind 5, also where it is noticed while preparing"(
    connect,
  ) {
    const connection = connect(), other = connect();
    run(other, "CREATE TABLE t (n INTEGER) STRICT");
    run(other, "BEGIN EXCLUSIVE");
    fails(() => connection.prepare("SELECT n FROM t").get([]), 5, /locked/);
    run(other, "COMMIT");
    equal(connection.prepare("SELECT n FROM t").get([]), undefined);
  },

  "a syntax error is a SqliteError of kind 1 that names the place"(connect) {
    const connection = connect();
    fails(() => connection.prepare("SELEC 1"), 1, /near "SELEC": syntax error/);
    fails(() => connection.prepare("SELECT * FROM missing"), 1, /no such table: missing/);
  },

  "too many values are a SqliteError and run nothing"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    const insert = connection.prepare("INSERT INTO t VALUES (?)");
    throws(() => insert.run([1, 2]), SqliteError);
    equal(count(connection), 0);
  },

  "a file that is no database is a SqliteError of kind 26 and stays as it is"(_, driver, path) {
    const text = "not a database, ".repeat(300);
    Deno.writeTextFileSync(path, text);
    const connection = driver.open(path);
    fails(() => connection.prepare("PRAGMA user_version").get([]), 26, /not a database/);
    connection.close();
    equal(Deno.readTextFileSync(path), text);
  },

  "a folder that is not there is a SqliteError when opening"(_connect, driver, path) {
    const open = () => driver.open(`${path}-missing/a.db`);
    throws(open, SqliteError); // node:sqlite gives no code here
    throws(open, /unable to open database file/);
  },

  "inTransaction follows BEGIN, COMMIT, ROLLBACK and RAISE(ROLLBACK)"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    refuseNumber13(connection, "ROLLBACK");
    const insert = connection.prepare("INSERT INTO t VALUES (?)");
    equal(connection.inTransaction, false);
    for (const end of ["COMMIT", "ROLLBACK"]) {
      run(connection, "BEGIN IMMEDIATE");
      equal(connection.inTransaction, true);
      insert.run([1]);
      equal(connection.inTransaction, true);
      run(connection, end);
      equal(connection.inTransaction, false);
    }
    equal(count(connection), 1);
    run(connection, "BEGIN");
    insert.run([2]);
    fails(() => insert.run([13]), 1811, /no thirteen/);
    equal(connection.inTransaction, false);
    equal(count(connection), 1);
  },

  "closing with statements and a transaction open undoes it and lets go of the file"(
    connect,
    driver,
    path,
  ) {
    const connection = driver.open(path), other = connect();
    run(connection, "PRAGMA journal_mode = wal");
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    const read = connection.prepare("SELECT n FROM t");
    const insert = connection.prepare("INSERT INTO t VALUES (?)");
    run(connection, "BEGIN IMMEDIATE");
    insert.run([1]);
    equal(read.get([])?.n, 1);
    connection.close();
    equal(count(other), 0);
    run(other, "BEGIN IMMEDIATE");
    run(other, "COMMIT");
    throws(() => insert.run([1]), SqliteError);
    throws(() => read.get([]), SqliteError);
    throws(() => connection.prepare("SELECT 1"), SqliteError);
    equal(count(other), 0);
  },

  "rows by position are the same as by name, integers beyond 2^53 read as text"(connect) {
    const connection = connect();
    run(connection, "CREATE TABLE t (n INTEGER, s TEXT, b BLOB) STRICT");
    const insert = connection.prepare("INSERT INTO t VALUES (?, ?, ?)");
    insert.run(["9223372036854775807", "a", new Uint8Array([1, 2])]);
    insert.run([2, null, null]);
    const select = connection.prepare("SELECT CAST(n AS TEXT), s, b FROM t WHERE n > ? ORDER BY n");
    const rows = select.rows([0]);
    equal(rows.length, 2);
    equal(String(rows[0]), "2,,");
    equal(rows[1]?.[0], "9223372036854775807");
    equal(rows[1]?.[1], "a");
    equal(String(rows[1]?.[2]), "1,2");
    equal(Object.values(select.all([0])[1] ?? {})[0], "9223372036854775807");
    equal(select.rows([3]).length, 1);
  },

  async "a backup is the state of one moment, though another connection commits meanwhile"(
    connect,
    driver,
    path,
  ) {
    const writer = connect();
    run(writer, "PRAGMA journal_mode = wal");
    run(writer, "CREATE TABLE t (n INTEGER) STRICT");
    run(writer, "INSERT INTO t VALUES (1)");
    const reader = connect();
    const copying = reader.backup(`${path}.copy`);
    run(writer, "INSERT INTO t VALUES (2)");
    await copying;
    const copy = driver.open(`${path}.copy`);
    ok([1, 2].includes(Number(count(copy))), `${count(copy)} rows`);
    equal(Object.values(copy.prepare("PRAGMA integrity_check").get([]) ?? {})[0], "ok");
    copy.close();
    equal(count(writer), 2);
  },

  "closing again harms nothing"(connect, driver, path) {
    const connection = driver.open(path), other = connect();
    run(connection, "CREATE TABLE t (n INTEGER) STRICT");
    connection.close();
    try {
      connection.close();
    } catch (error) { // a driver may say so, but no more
      ok(/not open/.test((error as Error).message), String(error));
    }
    run(other, "INSERT INTO t VALUES (1)");
    equal(count(other), 1);
  },
};

function run(connection: Connection, sql: string): void {
  connection.prepare(sql).run([]);
}

function count(connection: Connection): unknown {
  return connection.prepare("SELECT count(*) AS n FROM t").get([])?.n;
}

function refuseNumber13(connection: Connection, how: "ABORT" | "ROLLBACK"): void {
  run(
    connection,
    `CREATE TRIGGER refuse BEFORE INSERT ON t WHEN new.n = 13
     BEGIN SELECT RAISE(${how}, 'no thirteen'); END`,
  );
}

/** Expects a SqliteError with this result code; a code below 256 is compared as the primary one. */
function fails(call: () => unknown, code: number, message: RegExp): void {
  throws(call, (error) => {
    ok(error instanceof SqliteError, `not a SqliteError: ${error}`);
    equal(code < 256 ? error.primaryCode : error.resultCode, code, error.message);
    ok(message.test(error.message), error.message);
    return true;
  });
}

async function inNewFolder(driver: Driver, test: DriverTest): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-driver-" });
  const path = `${folder}/a.db`;
  const opened: Connection[] = [];
  const connect = () => {
    const connection = driver.open(path);
    opened.push(connection);
    return connection;
  };
  try {
    await test(connect, driver, path);
  } finally {
    for (const connection of opened) connection.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

const drivers: Driver[] = [nodeDriver];
if (import.meta.resolve("@db/sqlite").startsWith("file:")) {
  const how = "JSR is not configured; run: deno task --config deno.jsr.json test:driver";
  Deno.test.ignore(`@db/sqlite: all of these tests are SKIPPED, because ${how}`, () => {});
} else {
  drivers.push(await import("../../lib/sqlite/driver_jsr.ts"));
}
for (const driver of drivers) {
  for (const [name, test] of Object.entries(TESTS)) {
    Deno.test(`${driver.driverName}: ${name}`, () => inNewFolder(driver, test));
  }
}
