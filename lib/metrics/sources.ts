/** Where metrics come from. */

import type { Collector } from "../collector.ts";
import type { Config } from "../config.ts";
import type { Histogram } from "../histogram.ts";
import type { RequestCounts } from "../request_counts.ts";
import type { RetentionState } from "../retention.ts";

/** What metrics are made of. */
export interface MetricsSources {
  /** Keeps the account. */
  readonly collector: Pick<Collector, "measured" | "size" | "statsNow">;
  /** Counts the requests. */
  readonly requests: RequestCounts;
  /** How late the event loop is, in ms. */
  readonly loopLagMs: Pick<Histogram, "buckets">;
  /** The settings in force. */
  readonly config: Pick<Config, "synchronous" | "journalBytes" | "walBytes">;
  /** Bodies that are being received. */
  readonly bodiesInFlight: () => number;
  /** How often the listener had to be started again. */
  readonly relistens: () => number;
  /** How often each Worker had to be started again. */
  readonly workerRestarts: () => Readonly<Record<string, number>>;
  /** Live tails: how many are open, and how many were ended since nobody read them. */
  readonly tails: { readonly open: number; readonly dropped: number };
  /** Where retention stands; null before its first turn. */
  readonly retention: () => RetentionState | null;
}
