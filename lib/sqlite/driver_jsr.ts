/**
 * The other driver: `@db/sqlite` from JSR, SQLite through FFI. `deno.jsr.json` selects it.
 *
 * It throws errors without SQLite's result code. The one call of it that gives the code is
 * `finalize()` on the statement that failed, so that is done, and the statement is prepared again
 * when it is used again.
 */

import { Database, type Statement as NativeStatement } from "@db/sqlite";
import {
  type Connection,
  type OpenOptions,
  SqliteError,
  type SqlValue,
  type Statement,
} from "./driver.ts";

/** What it calls itself in messages and tests. */
export const driverName = "@db/sqlite";

/** READWRITE, CREATE, EXRESCODE: the last one asks for extended result codes. */
const OPEN_FLAGS = 0x2 | 0x4 | 0x2000000;
/** READONLY, EXRESCODE. */
const OPEN_READ_ONLY_FLAGS = 0x1 | 0x2000000;
const MISUSE = 21;

/** How the messages begin that do not come from the SQL itself: preparing gives no code at all. */
const CODES_BY_MESSAGE: readonly (readonly [beginning: string, resultCode: number])[] = [
  ["database is locked", 5],
  ["database table is locked", 6],
  ["database schema is locked", 6],
  ["out of memory", 7],
  ["attempt to write a readonly database", 8],
  ["disk I/O error", 10],
  ["database disk image is malformed", 11],
  ["malformed database schema", 11],
  ["database or disk is full", 13],
  ["unable to open database file", 14],
  ["locking protocol", 15],
  ["string or blob too big", 18],
  ["file is not a database", 26],
];

/** Opens the database file, making it if it is not there. @throws {SqliteError} */
export function open(path: string, { readOnly = false }: OpenOptions = {}): Connection {
  const database = connect(path, readOnly);
  return {
    get inTransaction() {
      return database.inTransaction;
    },
    prepare: (sql) => keep(database, sql),
    backup: (to) => {
      const copy = connect(to, false);
      try {
        database.backup(copy);
      } catch (error) {
        return Promise.reject(translated(error));
      } finally {
        copy.close();
      }
      return Promise.resolve();
    },
    close: () => database.close(), // finalises what was prepared, with or without an error
  };
}

function connect(path: string, readOnly: boolean): Database {
  try {
    // Without int64 the driver cuts integers to 32 bits.
    return new Database(path, { flags: readOnly ? OPEN_READ_ONLY_FLAGS : OPEN_FLAGS, int64: true });
  } catch (error) {
    throw translated(error);
  }
}

/** A statement that is prepared at once, and again after an error. */
function keep(database: Database, sql: string): Statement {
  let kept: NativeStatement | undefined = prepare(database, sql);
  const call = <T>(use: (statement: NativeStatement) => T): T => {
    refuseClosed(database);
    const statement = kept ??= prepare(database, sql);
    try {
      return use(statement);
    } catch (error) {
      kept = undefined;
      throw translated(error, finalCode(statement));
    }
  };
  return {
    run: (values: readonly SqlValue[]) => void call((statement) => statement.run(...values)),
    get: (values: readonly SqlValue[]) =>
      call((statement) => {
        const row = statement.get<Record<string, unknown>>(...values);
        return row && { ...row }; // the driver fills the same object each time
      }),
    all: (values: readonly SqlValue[]) =>
      call((statement) =>
        statement.all<Record<string, unknown>>(...values).map((row) => ({ ...row }))
      ),
    rows: (values: readonly SqlValue[]) =>
      call((statement) => statement.values<unknown[]>(...values).map((row) => [...row])),
  };
}

function prepare(database: Database, sql: string): NativeStatement {
  refuseClosed(database);
  try {
    return database.prepare(sql);
  } catch (error) {
    throw translated(error);
  }
}

/** The driver would hand a freed pointer to SQLite. */
function refuseClosed(database: Database): void {
  if (!database.open) throw new SqliteError("database is not open", MISUSE, undefined);
}

/** Frees a statement whose last run failed and gives the result code of that, if there is one. */
function finalCode(statement: NativeStatement): number | undefined {
  try {
    statement.finalize();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

function translated(error: unknown, finalCode?: number): SqliteError {
  const message = error instanceof Error ? error.message.replace(/^\d+: /, "") : String(error);
  const byMessage = () =>
    CODES_BY_MESSAGE.find(([beginning]) => message.startsWith(beginning))?.[1];
  return new SqliteError(message, codeOf(error) ?? finalCode ?? byMessage() ?? 1, error);
}

function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "number" ? code : undefined;
}
