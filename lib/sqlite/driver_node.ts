/** The driver that is used by default: `node:sqlite`, built into Deno. */

import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import {
  type Connection,
  type OpenOptions,
  SqliteError,
  type SqlValue,
  type Statement,
} from "./driver.ts";

/** What it calls itself in messages and tests. */
export const driverName = "node:sqlite";

const PAGES_MAX = 2 ** 31 - 1;

/** Opens the database file, making it if it is not there. @throws {SqliteError} */
export function open(path: string, { readOnly = false }: OpenOptions = {}): Connection {
  const database = translated(() => new DatabaseSync(path, { readOnly }));
  return {
    get inTransaction() {
      return database.isOpen && database.isTransaction;
    },
    prepare: (sql) => wrap(database, sql),
    // In one step: with more, a commit in between would make it begin again, for ever.
    backup: (to) =>
      backup(database, to, { rate: PAGES_MAX }).then(() => {}, (error) => {
        throw sqliteError(error);
      }),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function wrap(database: DatabaseSync, sql: string): Statement {
  const statement = translated(() => database.prepare(sql));
  let byPosition: StatementSync | undefined;
  return {
    run: (values: readonly SqlValue[]) => void translated(() => statement.run(...values)),
    get: (values: readonly SqlValue[]) =>
      translated(() => statement.get(...values)) as Record<string, unknown> | undefined,
    all: (values: readonly SqlValue[]) =>
      translated(() => statement.all(...values)) as Record<string, unknown>[],
    rows: (values: readonly SqlValue[]) =>
      translated(() => {
        byPosition ??= arrays(database.prepare(sql));
        return byPosition.all(...values) as unknown as unknown[][];
      }),
  };
}

/** Deno has the call, its type library does not. */
function arrays(statement: StatementSync): StatementSync {
  (statement as StatementSync & { setReturnArrays(on: boolean): void }).setReturnArrays(true);
  return statement;
}

/** Runs a call of the driver, so that what it throws is a SqliteError. */
function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw sqliteError(error);
  }
}

function sqliteError(error: unknown): SqliteError {
  const { message, errcode } = error as { message: string; errcode?: unknown };
  return new SqliteError(message, typeof errcode === "number" ? errcode : 1, error);
}
