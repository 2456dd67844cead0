/** Reads what a collector stored, by a connection of the test's own. */

import { DatabaseSync } from "node:sqlite";

/** A row of the `events` table; integers as BigInt, so that int64 is exact. */
export interface StoredEvent {
  readonly id: bigint;
  readonly user_id: bigint | null;
  readonly actor: string | null;
  readonly timestamp: string;
  readonly metadata: string;
  readonly received_at: bigint;
  readonly source: string;
  readonly type: string | null;
  readonly event_id: string | null;
}

/** Runs a query and gives all its rows. */
export function query<T>(path: string, sql: string): T[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all() as T[];
  } finally {
    database.close();
  }
}

/** All stored events in the order of commit. */
export function storedEvents(path: string): StoredEvent[] {
  return query<StoredEvent>(path, "SELECT * FROM events ORDER BY id");
}

/** How many events are stored. */
export function storedCount(path: string): number {
  return Number(query<{ n: bigint }>(path, "SELECT count(*) AS n FROM events")[0]?.n);
}
