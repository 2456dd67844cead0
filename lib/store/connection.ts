/** Opening `events.db`: its tables made or migrated, its settings in force, its errors explained. */

import { open } from "#driver";
import { CollectorError } from "../errors.ts";
import { type Connection, SqliteError } from "../sqlite/driver.ts";
import { hasBytes } from "./files.ts";
import {
  APPLICATION_ID,
  corrupt,
  EVENT_COLUMNS,
  foreign,
  MIGRATIONS,
  SCHEMA_VERSION,
} from "./schema.ts";

/** How far a commit goes before it is answered: `full` flushes the log to the disk, `normal` does not. */
export type Synchronous = "full" | "normal";

/** How a connection is opened. */
export interface ConnectionOptions {
  /** The database file. */
  readonly path: string;
  /** How far a commit goes. */
  readonly synchronous: Synchronous;
  /** How long opening waits for a lock of another process, in ms. */
  readonly openTimeoutMs: number;
}

/** Bytes of a page: 15-20 % faster than 4096 at this kind of row. */
export const PAGE_BYTES = 8192;
const WAL_BYTES_KEPT = 64 * 1024 * 1024;
const BUSY = 5, LOCKED = 6, CORRUPT = 11, FULL = 13, NOTADB = 26;
/** BUSY, LOCKED, READONLY, CANTOPEN */
const NEEDS_WRITING: ReadonlySet<number> = new Set([5, 6, 8, 14]);
/** TOOBIG, CONSTRAINT, MISMATCH, RANGE: the same row will be refused again. */
const PERMANENT: ReadonlySet<number> = new Set([18, 19, 20, 25]);

/** Whether waiting and trying again on the same connection is right; after any other it is reopened. */
export function isTransient(error: unknown): boolean {
  return error instanceof SqliteError && [BUSY, LOCKED, FULL].includes(error.primaryCode);
}

/** Whether another program holds a lock that is needed. */
export function isBusy(error: unknown): boolean {
  return error instanceof SqliteError && [BUSY, LOCKED].includes(error.primaryCode);
}

/** Whether the same row would be refused again. */
export function isPermanent(error: unknown): boolean {
  return error instanceof SqliteError && PERMANENT.has(error.primaryCode);
}

/** Whether the file is damaged. */
export function isCorrupt(error: unknown): boolean {
  if (error instanceof CollectorError) return error.code === "database-corrupt";
  return error instanceof SqliteError && [CORRUPT, NOTADB].includes(error.primaryCode);
}

/** The error that a part of the database that must be there is not. */
export function damaged(what: string): SqliteError {
  return new SqliteError(what, CORRUPT, undefined);
}

/** The error that the database can not take a batch for now, as if it were locked. */
export function heldUp(why: string): SqliteError {
  return new SqliteError(why, LOCKED, undefined);
}

/**
 * Opens the database, makes or migrates its tables, and checks that each setting is in force.
 *
 * @throws {CollectorError} if it is not a database of this program, or can not be used.
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { path, openTimeoutMs } = options;
  let connection: Connection | undefined;
  try {
    checkBefore(path, openTimeoutMs);
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
export function explain(cause: unknown, path: string): CollectorError {
  if (cause instanceof CollectorError) return cause;
  const message = (cause as Error).message;
  const code = cause instanceof SqliteError ? cause.primaryCode : 0;
  if (code === BUSY || code === LOCKED || /database is locked/.test(message)) {
    return new CollectorError("database-locked", `The database ${path} is locked.`, {
      hint: "Another program holds its write lock: close it, or wait until it is done.",
      cause,
    });
  }
  if (code === CORRUPT || code === NOTADB) return corrupt(path, message, cause);
  return new CollectorError("database-open", `Cannot open the database ${path}: ${message}.`, {
    hint: "Check that the folder and the file can be written and that the disk is not full.",
    cause,
  });
}

/** Sets a pragma by a prepared statement, whose errors carry their code, and gives its value. */
export function pragma(connection: Connection, name: string, value?: string | number): unknown {
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
  connection.prepare(isNew ? "BEGIN" : "BEGIN IMMEDIATE").run([]);
  // It must come before anything is written, and writes itself: what is killed here is not there.
  if (isNew) pragma(connection, "auto_vacuum", "INCREMENTAL");
  for (const sql of MIGRATIONS.slice(version).flat()) connection.prepare(sql).run([]);
  pragma(connection, "application_id", APPLICATION_ID);
  pragma(connection, "user_version", SCHEMA_VERSION);
  connection.prepare("COMMIT").run([]);
}

/**
 * Looks at a database of this version before it is opened for writing: closing that connection would
 * write the log into a file that is damaged.
 */
function checkBefore(path: string, openTimeoutMs: number): void {
  if (!hasBytes(path)) return;
  const connection = open(path, { readOnly: true });
  try {
    pragma(connection, "busy_timeout", openTimeoutMs);
    if (pragma(connection, "user_version") === SCHEMA_VERSION) checkTables(connection);
  } catch (error) {
    // What can only be read by writing first, such as after a crash, is looked at later.
    if (error instanceof SqliteError && NEEDS_WRITING.has(error.primaryCode)) return;
    throw error;
  } finally {
    connection.close();
  }
}

/** Notices tables or columns that somebody took away, and a damaged end of the events. */
function checkTables(connection: Connection): void {
  const columns = { events: EVENT_COLUMNS.join(), dead_letters: "run, sequence, raw" };
  for (const [table, names] of Object.entries(columns)) {
    // Counted, not read: the driver throws on an integer beyond 2^53.
    const last = `SELECT ${names} FROM ${table} ORDER BY id DESC LIMIT 1`;
    connection.prepare(`SELECT count(*) FROM (${last})`).get([]);
  }
  connection.prepare("SELECT settled FROM runs ORDER BY number DESC LIMIT 1").get([]);
  connection.prepare("SELECT total, records FROM recent_event_ids");
  connection.prepare("SELECT total, records FROM recent_requests");
  connection.prepare("SELECT count FROM events_removed");
  connection.prepare("SELECT name, id, updated_at FROM export_points");
  const seed = connection.prepare("SELECT seed FROM fingerprint_seed").get([]);
  if (seed === undefined) throw damaged("the fingerprints' seed is missing");
}

/** Applies the settings and reads each back: a pragma that did not take says nothing. */
function applySettings(connection: Connection, synchronous: Synchronous): void {
  const settings: [name: string, value: string | number, expected: string | number][] = [
    ["journal_mode", "wal", "wal"],
    ["synchronous", synchronous, synchronous === "full" ? 2 : 1],
    ["wal_autocheckpoint", 0, 0],
    ["journal_size_limit", WAL_BYTES_KEPT, WAL_BYTES_KEPT],
    ["trusted_schema", 0, 0],
    ["cell_size_check", 1, 1],
    ["mmap_size", 0, 0],
  ];
  for (const [name, value, expected] of settings) {
    pragma(connection, name, value);
    const actual = pragma(connection, name);
    if (actual !== expected && !(name === "mmap_size" && actual === undefined)) {
      throw new SqliteError(`PRAGMA ${name} is ${actual}, expected ${expected}`, 1, undefined);
    }
  }
}
