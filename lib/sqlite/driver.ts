/**
 * The few calls the store needs of SQLite, so that the driver can be changed: `#driver` in the
 * import map names the file that is used, and each such file exports `open` and `driverName`.
 */

/** What can be bound to a statement. Integers beyond 2^53 are bound as decimal text. */
export type SqlValue = string | number | Uint8Array | null;

/** A prepared statement. Keep it and use it again: preparing costs more than running. */
export interface Statement {
  /** Runs it to its end. @throws {SqliteError} */
  run(values: readonly SqlValue[]): void;
  /** Its first row, by column name; undefined if there is none. @throws {SqliteError} */
  get(values: readonly SqlValue[]): Record<string, unknown> | undefined;
  /** All its rows, each by column name. @throws {SqliteError} */
  all(values: readonly SqlValue[]): Record<string, unknown>[];
  /** All its rows, each by the position of its columns: three times as fast. @throws {SqliteError} */
  rows(values: readonly SqlValue[]): unknown[][];
}

/** How a database is opened. */
export interface OpenOptions {
  /** Only to be read: closing it then leaves its log as it is. Default false. */
  readonly readOnly?: boolean;
}

/** One open database. Calls are synchronous: use it where nobody waits, in a Worker. */
export interface Connection {
  /** Whether a transaction is open; SQLite ends one by itself after some errors. */
  readonly inTransaction: boolean;
  /** Prepares one statement. @throws {SqliteError} */
  prepare(sql: string): Statement;
  /** Copies all of it, as of one moment, into a file that is not there yet. @throws {SqliteError} */
  backup(path: string): Promise<void>;
  /** Closes it; statements of it are then unusable. */
  close(): void;
}

/** What went wrong, as SQLite numbers it (sqlite.org/rescode.html). */
export class SqliteError extends Error {
  /** Extended result code; 1 (SQLITE_ERROR) where the driver gives none. */
  readonly resultCode: number;

  /** Wraps what a driver threw. */
  constructor(message: string, resultCode: number, cause: unknown) {
    super(message, { cause });
    this.name = "SqliteError";
    this.resultCode = resultCode;
  }

  /** Primary result code: what kind of error it is. */
  get primaryCode(): number {
    return this.resultCode & 0xff;
  }
}
