/** Looks whether a copy of a database is whole. */

import { open } from "#driver";

/** What was found. */
export interface Checked {
  /** What is wrong with it; null if nothing is. */
  readonly error: string | null;
  /** How many events it has. */
  readonly events: number;
  /** Id of the newest; 0 if there are none. */
  readonly lastId: number;
}

/**
 * Reads all of a copy that nobody else uses. It then is one file, without a log beside it: whoever
 * may only read it can open it, and need not write into its folder.
 */
export function checkCopy(path: string): Checked {
  try {
    const connection = open(path);
    try {
      const one = (sql: string) => connection.prepare(sql).rows([])[0]?.[0];
      // First: a log that was made by opening it goes with the last connection.
      const mode = one("PRAGMA journal_mode = delete");
      const integrity = String(one("PRAGMA integrity_check(1)"));
      const error = integrity !== "ok"
        ? integrity
        : mode !== "delete"
        ? "another program uses it"
        : null;
      if (error !== null) return { error, events: 0, lastId: 0 };
      const events = Number(one("SELECT count(*) FROM events"));
      return { error, events, lastId: Number(one("SELECT coalesce(max(id), 0) FROM events")) };
    } finally {
      connection.close();
    }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error), events: 0, lastId: 0 };
  }
}
