/** How long events are kept, and what is told of it. */

/** How long events are kept: see `options.ts`. */
export interface RetentionPolicy {
  /** Days after which an event is removed; 0: not for its age. */
  readonly retainDays: number;
  /** Most bytes of the database file: above them the oldest events are removed; 0: no limit. */
  readonly retainBytes: number;
  /** `yes`: no event after the lowest export point is removed, and none while there is no point. */
  readonly retainUnexported: "yes" | "no";
}

/** Where retention stands, as of its last turn. */
export interface RetentionState {
  /** The oldest event; null if there is none. */
  readonly oldest: OldestEvent | null;
  /** Events removed from this database in all. */
  readonly removed: number;
  /** Events removed since the collector started. */
  readonly removedThisRun: number;
  /** The export point without which more were removed; null if none holds it up. */
  readonly heldBy: string | null;
  /** Why it removes nothing though something is to be removed, in words; null if it goes on. */
  readonly heldUp: string | null;
  /** Bytes of the database file that hold nothing: what comes next is written there. */
  readonly freeBytes: number;
  /** Longest time that a step of it has held the write lock since the collector started, in ms. */
  readonly longestStepMs: number;
}

/** The event that is the next to be removed. */
export interface OldestEvent {
  /** Its number. */
  readonly id: number;
  /** Collector's clock at its admission, Unix epoch in ms. */
  readonly receivedAt: number;
}

/** Where it stands, as `GET /stats` shows it; null before its first turn. */
export function retentionStats(
  state: RetentionState | null,
): Readonly<Record<string, string | number | null>> | null {
  if (state === null) return null;
  const { oldest, removed, removedThisRun, heldBy, heldUp, freeBytes, longestStepMs } = state;
  return {
    oldest_id: oldest?.id ?? null,
    oldest_received_at: oldest === null ? null : timeOf(oldest.receivedAt),
    removed,
    removed_this_run: removedThisRun,
    held_by: heldBy,
    held_up: heldUp,
    free_bytes: freeBytes,
    longest_step_ms: Math.round(longestStepMs * 10) / 10,
  };
}

const MIB = 1024 * 1024;
const ROOM_BYTES = 64 * MIB;
const ID_BYTES = 28, KEY_BYTES = 64;

/**
 * Smallest limit of the database file that makes sense, in bytes: what is remembered of ids and keys
 * is in it too, and where that alone passes the limit every event would be removed at once.
 */
export function retainBytesMin(
  { recentEventIds, recentRequests }: {
    readonly recentEventIds: number;
    readonly recentRequests: number;
  },
): number {
  return ROOM_BYTES + recentEventIds * ID_BYTES + recentRequests * KEY_BYTES;
}

/** RFC 3339; null for an instant that a `Date` can not hold. */
function timeOf(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
