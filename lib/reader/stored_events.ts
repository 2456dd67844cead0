/** Rows of `events` as the reader selects them. */

import type { StoredEvent } from "../query.ts";

/** The columns, in the order {@linkcode storedEvent} expects; integers beyond 2^53 as text. */
export const EVENT_COLUMNS =
  "id, CAST(user_id AS TEXT), actor, timestamp, metadata, received_at, source, type, event_id";

/** The event of a row. */
export function storedEvent(row: readonly unknown[]): StoredEvent {
  return {
    id: row[0] as number,
    userId: row[1] as string | null,
    actor: row[2] as string | null,
    timestamp: row[3] as string,
    metadata: row[4] as string,
    receivedAt: row[5] as number,
    source: row[6] as string,
    type: row[7] as string | null,
    eventId: row[8] as string | null,
  };
}
