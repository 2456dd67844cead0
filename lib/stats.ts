/** What the collector tells of itself. */

import type { Account } from "./account.ts";
import type { Durability } from "./admission.ts";
import type { RefusalCode } from "./errors.ts";
import type { Quantiles } from "./histogram.ts";

/** What `GET /stats` shows of the collector: the account, gauges and quantiles. */
export interface Stats extends Account {
  /** When events are acknowledged. */
  readonly durability: Durability;
  /** The channel; queued and in flight count together. */
  readonly queue: {
    readonly events: number;
    readonly capacity_events: number;
    readonly bytes: number;
    readonly capacity_bytes: number;
    readonly oldest_age_ms: number;
  };
  /**
   * Time from the admission of a request to its acknowledgement, where that waited for the flush or
   * the commit, in ms; not of those that were not confirmed in time.
   */
  readonly ack_ms: Quantiles;
  /** Time from taking a batch to its commit, retries included, in ms. */
  readonly commit_ms: Quantiles;
  /** Events a batch, that is a transaction. */
  readonly batch_events: Quantiles;
  /** How fast the writer drains the queue while it is busy. */
  readonly drain_events_per_second: number;
  /** Failed attempts to store a batch. */
  readonly commit_retries: number;
  /** Collector's clock at the last commit, null before the first. */
  readonly last_commit_at: string | null;
  /** Why the last attempt failed, null once one succeeded. */
  readonly last_commit_error: string | null;
  /** Refused requests by code. */
  readonly refused_requests: Readonly<Partial<Record<RefusalCode, number>>>;
  /** Size of the database file. */
  readonly database_bytes: number;
  /** Size of its write-ahead log. */
  readonly wal_bytes: number;
  /** Size of the journal's segments; 0 while the database takes every batch. */
  readonly journal_bytes: number;
  /** Room that is left on the disk for it; null if that is not known (`--allow-sys=statfs`). */
  readonly disk_free_bytes: number | null;
  /** Requests that were answered as a repeat by their key. */
  readonly replays: number;
  /** Event ids remembered. */
  readonly recent_event_ids: number;
  /** Earlier runs on this database that did not end by themselves. */
  readonly unclean_runs: number;
  /** Most events that these had acknowledged as `queued` and may have lost. */
  readonly lost_at_most: number;
  /** What was found damaged at the start, and moved aside. */
  readonly damaged: {
    readonly journal_files: number;
    readonly journal_bytes: number;
    readonly databases: number;
    readonly transactions: number;
  };
  /** Collector's clock at its start. */
  readonly started_at: string;
  /** Whole seconds since then. */
  readonly uptime_seconds: number;
}

/** Whether it can take events, and why not. */
export interface Readiness {
  /** Whether new events are likely to be taken and stored. */
  readonly ready: boolean;
  /** Why not; `ok` if it is. */
  readonly reason: string;
}
