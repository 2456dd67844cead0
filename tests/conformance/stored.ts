/** What a collector stored, as the conformance tests look at it. */

import { query, type StoredEvent, storedEvents } from "../e2e/rows.ts";

/** JSON that came from a client: each test knows its own. */
// deno-lint-ignore no-explicit-any
export type Json = any;

/** A row of `events` that a client made. */
export interface Row {
  readonly source: string;
  readonly type: string | null;
  readonly actor: string | null;
  readonly user_id: bigint | null;
  readonly timestamp: string;
  readonly event_id: string | null;
  /** The column `metadata`, parsed. */
  readonly metadata: Json;
}

/** A row of `dead_letters`. */
export interface Letter {
  readonly source: string;
  readonly protocol: string;
  readonly reason: string;
  readonly raw: string;
}

/** Whether a row is one that `Live.fill` made. */
function isFiller({ source, metadata }: StoredEvent): boolean {
  return source === "native" && metadata === '{"m":"filler"}';
}

/** All events in the order of commit, but for those that filled a queue. */
export function rows(database: string): Row[] {
  return storedEvents(database).filter((row) => !isFiller(row)).map(
    ({ source, type, actor, user_id, timestamp, event_id, metadata }) => (
      { source, type, actor, user_id, timestamp, event_id, metadata: JSON.parse(metadata) }
    ),
  );
}

/** How many events that filled a queue are stored. */
export function fillers(database: string): number {
  return storedEvents(database).filter(isFiller).length;
}

/** All dead letters. */
export function deadLetters(database: string): Letter[] {
  return query<Letter>(
    database,
    "SELECT source, protocol, reason, raw FROM dead_letters ORDER BY id",
  );
}

/** The columns that protocols fill, for `deepEqual` with a table in a test. */
export function columns(
  { source, type, actor, user_id, timestamp, event_id }: Row,
): readonly (string | bigint | null)[] {
  return [source, type, actor, user_id, timestamp, event_id];
}
