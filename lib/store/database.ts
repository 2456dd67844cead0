/**
 * The write side of `events.db`: opening it, one transaction a batch, checkpoints.
 *
 * Synchronous from end to end, so it lives in the store Worker.
 */

import { open } from "#driver";
import { CollectorError } from "../errors.ts";
import { decodeGroups, type RowGroup } from "../event.ts";
import type { Batch, RejectedRow, WriteOutcome } from "../store.ts";
import { type Connection, SqliteError, type SqlValue, type Statement } from "./driver.ts";
import { APPLICATION_ID, EVENT_COLUMNS, foreign, MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";

/** How far a commit goes before it is answered: `full` flushes the log to the disk, `normal` does not. */
export type Synchronous = "full" | "normal";

/** How a database is opened. */
export interface DatabaseOptions {
  /** The database file. */
  readonly path: string;
  /** How far a commit goes. */
  readonly synchronous: Synchronous;
  /** Who writes: the same over restarts of the Worker, another for another process. */
  readonly run: string;
  /** How long opening waits for a lock of another process, in ms. */
  readonly openTimeoutMs: number;
}

const PAGE_BYTES = 8192; // 15-20 % faster than 4096 at this kind of row
const BUSY_TIMEOUT_MS = 100; // the writer retries; a longer wait would only delay its answer
const ROWS_PER_INSERT = 100;
const WAL_BYTES_MAX = 64 * 1024 * 1024;
const CHECKPOINT_AFTER_BYTES = 8 * 1024 * 1024;

/** What a statement binds: what the rows share as ?1 and ?2, then the fields of each. */
const NATIVE_ROW = {
  columns: "received_at, source, user_id, timestamp, metadata",
  row: "(?1, ?2, ?, ?, ?)",
};
const WHOLE_ROW = {
  columns: "received_at, source, user_id, timestamp, metadata, actor, type, event_id",
  row: "(?1, ?2, NULLIF(?, ''), ?, ?, NULLIF(?, ''), NULLIF(?, ''), NULLIF(?, ''))",
};

const BUSY = 5, LOCKED = 6, CORRUPT = 11, FULL = 13, NOTADB = 26;
/** TOOBIG, CONSTRAINT, MISMATCH, RANGE: the same row will be refused again. */
const PERMANENT: ReadonlySet<number> = new Set([18, 19, 20, 25]);

/** See the head of this file. */
export class Database {
  readonly #connection: Connection;
  readonly #inserts = new Map<number, Statement>();
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #readLedger: Statement;
  readonly #writeLedger: Statement;
  readonly #insertDeadLetter: Statement;
  readonly #run: string;
  #bytesSinceCheckpoint = 0;

  /**
   * Opens the database, makes or migrates its tables, and checks that each setting is in force.
   *
   * @throws {CollectorError} if it is not a database of this program, or can not be used.
   */
  constructor(options: DatabaseOptions) {
    const connection = this.#connection = openConnection(options);
    this.#run = options.run;
    this.#begin = connection.prepare("BEGIN IMMEDIATE");
    this.#commit = connection.prepare("COMMIT");
    this.#rollback = connection.prepare("ROLLBACK");
    this.#readLedger = connection.prepare("SELECT run, last_batch FROM ledger");
    this.#writeLedger = connection.prepare(
      "UPDATE ledger SET last_batch = ?, committed = committed + ?, dead_lettered = dead_lettered + ?",
    );
    this.#insertDeadLetter = connection.prepare(
      "INSERT INTO dead_letters (received_at, source, reason, raw) VALUES (?, ?, ?, ?)",
    );
  }

  /** Number of the last batch that was committed, 0 if there is none. @throws {SqliteError} */
  get lastBatch(): number {
    return this.#ledger().lastBatch;
  }

  /** Makes this run the one that writes. @throws {SqliteError} */
  takeOver(): void {
    this.#connection.prepare("UPDATE ledger SET run = ?").run([this.#run]);
  }

  /**
   * Writes a batch in one transaction, unless the ledger says that it is there already, that the
   * one before it is not, or that another run writes now.
   *
   * @throws {SqliteError} if it failed; nothing is then known to be stored.
   */
  write(batch: Batch): WriteOutcome {
    try {
      this.#begin.run([]);
      const { run, lastBatch } = this.#ledger();
      const reason = run !== this.#run
        ? "another collector writes to this database"
        : batch.number > lastBatch + 1
        ? `batch ${lastBatch + 1} comes before ${batch.number}`
        : null;
      if (reason !== null) {
        this.#rollBack();
        return { kind: "failed", reason };
      }
      if (batch.number > lastBatch) this.#insert(batch);
      this.#commit.run([]);
    } catch (error) {
      this.#rollBack();
      if (!isPermanent(error)) throw error;
      const rows = this.#isolate(batch);
      if (rows.length === 0) throw error; // not the fault of any one row
      return { kind: "rejected", rows };
    }
    this.#bytesSinceCheckpoint += batch.rows.length;
    return { kind: "committed" };
  }

  /**
   * Copies what was committed from the log into the database file, if enough has gathered. Called
   * after a batch was answered, so that no commit waits for it.
   */
  checkpointIfDue(): void {
    if (this.#bytesSinceCheckpoint < CHECKPOINT_AFTER_BYTES) return;
    this.#bytesSinceCheckpoint = 0;
    this.#connection.prepare("PRAGMA wal_checkpoint(PASSIVE)").get([]);
  }

  /** Copies all of the log into the database file and empties it. @throws {SqliteError} */
  checkpointAll(): void {
    this.#connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get([]);
  }

  /** Closes the connection; a transaction that is open is undone. */
  close(): void {
    this.#connection.close();
  }

  #ledger(): { readonly run: unknown; readonly lastBatch: number } {
    const row = this.#readLedger.get([]);
    // Without this nothing would be written, and every batch be taken for one that was.
    if (row === undefined) throw new SqliteError("the ledger has no row", CORRUPT, undefined);
    return { run: row.run, lastBatch: Number(row.last_batch) };
  }

  #insert(batch: Batch): void {
    let stored = 0;
    for (const run of runsOf(batch)) {
      this.#insertRun(run);
      stored += run.rows;
    }
    const expected = batch.events - batch.skip.length;
    if (stored !== expected) throw new Error(`the batch has ${stored} rows instead of ${expected}`);
    for (const { receivedAt, source, reason, raw } of batch.deadLetters) {
      this.#insertDeadLetter.run([receivedAt, source, reason, raw]);
    }
    this.#writeLedger.run([batch.number, stored, batch.deadLetters.length]);
  }

  /** Inserts the rows of a run by one statement. */
  #insertRun({ group, row, rows }: Run): void {
    const { receivedAt, source, fields, fieldsPerRow, start } = group;
    const from = start + row * fieldsPerRow;
    const values: SqlValue[] = [receivedAt, source];
    for (let i = from; i < from + rows * fieldsPerRow; i++) values.push(fields[i] as string);
    this.#insertStatement(fieldsPerRow, rows).run(values);
  }

  /**
   * The statement that inserts so many rows. Those without actor, type and event id have one of
   * their own, with fewer values to bind: a fifth faster.
   */
  #insertStatement(fieldsPerRow: number, rows: number): Statement {
    const key = fieldsPerRow * 1000 + rows;
    let statement = this.#inserts.get(key);
    if (statement === undefined) {
      const { columns, row } = fieldsPerRow === 3 ? NATIVE_ROW : WHOLE_ROW;
      statement = this.#connection.prepare(
        `INSERT INTO events (${columns}) VALUES ${Array(rows).fill(row).join()}`,
      );
      this.#inserts.set(key, statement);
    }
    return statement;
  }

  /** Finds the rows that can never be stored, by halves, and leaves the database as it was. */
  #isolate(batch: Batch): RejectedRow[] {
    const rejected: RejectedRow[] = [];
    const probe = (run: Run) => {
      if (!this.#connection.inTransaction) this.#begin.run([]); // an error may have ended it
      try {
        this.#insertRun(run);
      } catch (error) {
        if (!isPermanent(error)) throw error;
        if (run.rows === 1) {
          rejected.push({ index: run.index, reason: (error as Error).message });
        } else splitRun(run, run.rows >> 1).forEach(probe);
      }
    };
    try {
      for (const run of runsOf(batch)) probe(run);
    } finally {
      this.#rollBack();
    }
    return rejected;
  }

  #rollBack(): void {
    if (this.#connection.inTransaction) this.#rollback.run([]);
  }
}

/** Whether waiting and trying again on the same connection is right; after any other it is reopened. */
export function isTransient(error: unknown): boolean {
  return error instanceof SqliteError && [BUSY, LOCKED, FULL].includes(error.primaryCode);
}

function isPermanent(error: unknown): boolean {
  return error instanceof SqliteError && PERMANENT.has(error.primaryCode);
}

/** Rows of a group that are inserted by one statement. */
interface Run {
  readonly group: RowGroup;
  /** The first row, counted in its group. */
  readonly row: number;
  /** The first row, counted in the batch. */
  readonly index: number;
  /** How many rows. */
  readonly rows: number;
}

/** The runs of a batch: in order, of at most so many rows, around the rows to leave out. */
function runsOf(batch: Batch): Run[] {
  const runs: Run[] = [];
  let first = 0, skipped = 0;
  for (const group of decodeGroups(batch.rows)) {
    for (let row = 0; row < group.rows;) {
      const skip = (batch.skip[skipped] ?? Infinity) - first;
      if (skip === row) {
        skipped++;
        row++;
        continue;
      }
      const rows = Math.min(group.rows, skip, row + ROWS_PER_INSERT) - row;
      runs.push({ group, row, index: first + row, rows });
      row += rows;
    }
    first += group.rows;
  }
  return runs;
}

function splitRun({ group, row, index, rows }: Run, at: number): [Run, Run] {
  return [
    { group, row, index, rows: at },
    { group, row: row + at, index: index + at, rows: rows - at },
  ];
}

function openConnection(options: DatabaseOptions): Connection {
  const { path, openTimeoutMs } = options;
  let connection: Connection | undefined;
  try {
    connection = open(path);
    pragma(connection, "busy_timeout", openTimeoutMs);
    migrate(connection, path);
    checkTables(connection);
    applySettings(connection, options.synchronous);
    return connection;
  } catch (error) {
    connection?.close();
    throw explain(error, path);
  }
}

/** Says for the operator what SQLite said. */
function explain(cause: unknown, path: string): CollectorError {
  if (cause instanceof CollectorError) return cause;
  const message = (cause as Error).message;
  const code = cause instanceof SqliteError ? cause.primaryCode : 0;
  if (code === BUSY || code === LOCKED || /database is locked/.test(message)) {
    return new CollectorError("database-locked", `The database ${path} is locked.`, {
      hint: "Another program holds its write lock: close it, or wait until it is done.",
      cause,
    });
  }
  if (code === NOTADB) return foreign(path, "it is not a SQLite database");
  return new CollectorError("database-open", `Cannot open the database ${path}: ${message}.`, {
    hint: "Check that the folder and the file can be written and that the disk is not full.",
    cause,
  });
}

/** Sets a pragma by a prepared statement, whose errors carry their code, and gives its value. */
function pragma(connection: Connection, name: string, value?: string | number): unknown {
  const set = value === undefined ? "" : ` = ${value}`;
  const row = connection.prepare(`PRAGMA ${name}${set}`).get([]);
  return row === undefined ? undefined : Object.values(row)[0];
}

/**
 * Makes or migrates the tables in one transaction. A new database is made before it is switched to
 * WAL, so that its application_id is in the file itself from the first moment.
 */
function migrate(connection: Connection, path: string): void {
  const objects = () => connection.prepare("SELECT count(*) AS n FROM sqlite_schema").get([])?.n;
  const isNew = pragma(connection, "application_id") === 0 && objects() === 0;
  if (isNew) pragma(connection, "page_size", PAGE_BYTES);
  else if (pragma(connection, "application_id") !== APPLICATION_ID) {
    throw foreign(path, "it is a database of another program");
  }
  const version = Number(pragma(connection, "user_version"));
  if (version > SCHEMA_VERSION) {
    throw foreign(path, `its schema version is ${version}, this program knows ${SCHEMA_VERSION}`);
  }
  if (version === SCHEMA_VERSION) return;
  connection.prepare("BEGIN IMMEDIATE").run([]);
  for (const sql of MIGRATIONS.slice(version).flat()) connection.prepare(sql).run([]);
  pragma(connection, "application_id", APPLICATION_ID);
  pragma(connection, "user_version", SCHEMA_VERSION);
  connection.prepare("COMMIT").run([]);
}

/** Notices tables, columns or the ledger's row that somebody took away. */
function checkTables(connection: Connection): void {
  connection.prepare(`SELECT ${EVENT_COLUMNS.join()} FROM events`);
  connection.prepare("SELECT received_at, source, reason, raw FROM dead_letters");
  const ledger = connection.prepare("SELECT run, last_batch, committed, dead_lettered FROM ledger");
  if (ledger.get([]) === undefined) {
    throw new SqliteError("the ledger has no row", CORRUPT, undefined);
  }
}

/** Applies the settings and reads each back: a pragma that did not take says nothing. */
function applySettings(connection: Connection, synchronous: Synchronous): void {
  const settings: [name: string, value: string | number, expected: string | number][] = [
    ["journal_mode", "wal", "wal"],
    ["synchronous", synchronous, synchronous === "full" ? 2 : 1],
    ["wal_autocheckpoint", 0, 0],
    ["journal_size_limit", WAL_BYTES_MAX, WAL_BYTES_MAX],
    ["trusted_schema", 0, 0],
    ["cell_size_check", 1, 1],
    ["mmap_size", 0, 0],
    ["busy_timeout", BUSY_TIMEOUT_MS, BUSY_TIMEOUT_MS],
  ];
  for (const [name, value, expected] of settings) {
    pragma(connection, name, value);
    const actual = pragma(connection, name);
    if (actual !== expected && !(name === "mmap_size" && actual === undefined)) {
      throw new SqliteError(`PRAGMA ${name} is ${actual}, expected ${expected}`, 1, undefined);
    }
  }
}
