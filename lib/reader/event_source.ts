/** What the reader reads: the database, and the index of its whole blocks. */

import type { Connection } from "../sqlite/driver.ts";
import { blockOf, type Ids, idsOf } from "./block.ts";
import type { IndexFile } from "./index_file.ts";

/** See the head of this file. Open for as long as its owner keeps it so. */
export interface EventSource {
  /** The database, only to be read. */
  readonly connection: Connection;
  /** Tells its file from others at the same path, one after the other. */
  readonly database: string;
  /** The index; null if there is none. */
  readonly index: IndexFile | null;
}

/** The ids that are there now. @throws {SqliteError} */
// Two look-ups: min and max in one query would read the whole table.
export function storedIds({ connection }: Pick<EventSource, "connection">): Ids {
  const [row] = connection.prepare(
    "SELECT (SELECT min(id) FROM events), (SELECT max(id) FROM events)",
  ).rows([]);
  const last = Number(row?.[1] ?? 0);
  return { first: Number(row?.[0] ?? last + 1), last };
}

/** Whether all ids of a block are within the given ones. */
export function isWhole(block: number, stored: Ids): boolean {
  const { first, last } = idsOf(block);
  return stored.first <= first && last <= stored.last;
}

/** The last block of which all events have come; -1 if there is none. */
export function lastWholeBlock({ last }: Ids): number {
  return blockOf(last + 1) - 1;
}
