/** Metrics of retention, as of its last turn. */

import type { RetentionState } from "../retention.ts";
import { counter, gauge, type Metric } from "./metric.ts";

/** See the head of this file; without samples before its first turn. */
export function retentionMetrics(state: RetentionState | null): readonly Metric[] {
  return [
    counter(
      "firehouse_retention_removed_events_total",
      "Events that retention removed from this database in all.",
      state?.removed ?? [],
    ),
    gauge(
      "firehouse_retention_oldest_timestamp_seconds",
      "When the oldest event that is there was received, as of its last turn.",
      state === null || state.oldest === null ? [] : state.oldest.receivedAt / 1000,
    ),
    gauge(
      "firehouse_retention_held_up",
      "1 while something keeps it from removing what is to be removed; GET /stats says what.",
      state === null ? [] : Number(state.heldUp !== null || state.heldBy !== null),
    ),
    gauge(
      "firehouse_database_free_bytes",
      "Bytes of the database file that hold nothing and will be written again.",
      state?.freeBytes ?? [],
    ),
  ];
}
