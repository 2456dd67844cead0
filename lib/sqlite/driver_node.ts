/** The driver that is used by default: `node:sqlite`, built into Deno. */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import {
  type Connection,
  type OpenOptions,
  SqliteError,
  type SqlValue,
  type Statement,
} from "./driver.ts";

/** What it calls itself in messages and tests. */
export const driverName = "node:sqlite";

/** Opens the database file, making it if it is not there. @throws {SqliteError} */
export function open(path: string, { readOnly = false }: OpenOptions = {}): Connection {
  const database = translated(() => new DatabaseSync(path, { readOnly }));
  return {
    get inTransaction() {
      return database.isOpen && database.isTransaction;
    },
    prepare: (sql) => wrap(translated(() => database.prepare(sql))),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function wrap(statement: StatementSync): Statement {
  return {
    run: (values: readonly SqlValue[]) => void translated(() => statement.run(...values)),
    get: (values: readonly SqlValue[]) =>
      translated(() => statement.get(...values)) as Record<string, unknown> | undefined,
    all: (values: readonly SqlValue[]) =>
      translated(() => statement.all(...values)) as Record<string, unknown>[],
  };
}

/** Runs a call of the driver, so that what it throws is a SqliteError. */
function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { message, errcode } = error as { message: string; errcode?: unknown };
    throw new SqliteError(message, typeof errcode === "number" ? errcode : 1, error);
  }
}
