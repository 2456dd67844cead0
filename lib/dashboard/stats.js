/** `GET /stats`, about once a second for as long as the page is open, and the rates it tells. */

import { ApiError, askJson } from "./api.js";
import { isLost } from "./connection.js";

/**
 * What is used of the answer. Members with a `?` came later: an older collector lacks them.
 * @typedef {{
 *   received: number, accepted: number, rejected: number, duplicates: number, recovered: number,
 *   committed: number, dead_lettered: number, dropped: number, queued: number, in_flight: number,
 *   journaled: number, residual: number, durability: string, started_at: string,
 *   queue: { events: number, capacity_events: number, bytes: number, capacity_bytes: number,
 *     oldest_age_ms: number },
 *   commit_ms: Quantiles, ack_ms?: Quantiles, batch_events: Quantiles,
 *   commit_retries: number, last_commit_at: string | null, last_commit_error: string | null,
 *   refused_requests: Record<string, number>,
 *   database_bytes: number, wal_bytes: number, journal_bytes: number, disk_free_bytes?: number | null,
 *   uptime_seconds: number, unclean_runs: number, lost_at_most: number,
 *   bodies_in_flight: number, requests_in_flight?: number, event_loop_lag_ms?: Quantiles,
 * }} Stats
 */
/** @typedef {{ count: number, p50: number, p90: number, p99: number, max: number }} Quantiles */

/**
 * Events a second between two answers, requests for `refused`.
 * @typedef {{ received: number, accepted: number, committed: number, refused: number }} Rates
 */

const INTERVAL_MS = 1000, LOST_INTERVAL_MS = 2000;

/** @typedef {(stats: Stats, rates: Rates | null) => void} StatsListener */

/**
 * Calls a listener with every answer; the rates are null where there is nothing to compare with.
 * @param {StatsListener} onStats
 * @param {(error: Error) => void} onRefused told why there is no answer, if somebody refuses
 */
export async function watchStats(onStats, onRefused) {
  /** @type {{ stats: Stats, atMs: number } | null} */
  let before = null;
  for (;;) {
    try {
      const stats = /** @type {Stats} */ (await askJson("stats")), atMs = performance.now();
      onStats(stats, before === null ? null : ratesBetween(before, { stats, atMs }));
      before = { stats, atMs };
    } catch (error) {
      before = null;
      if (error instanceof ApiError) onRefused(error);
    }
    const waitMs = isLost() ? LOST_INTERVAL_MS : INTERVAL_MS;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** @typedef {{ readonly stats: Stats, readonly atMs: number }} Sample */

/**
 * The rates between two answers; null if the collector was started anew between them.
 * @param {Sample} before
 * @param {Sample} after
 * @returns {Rates | null}
 */
export function ratesBetween(before, after) {
  if (before.stats.started_at !== after.stats.started_at) return null;
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const rate = (/** @type {(stats: Stats) => number} */ of) =>
    Math.max(0, of(after.stats) - of(before.stats)) / seconds;
  return {
    received: rate(({ received }) => received),
    accepted: rate(({ accepted }) => accepted),
    committed: rate(({ committed }) => committed),
    refused: rate(refusedRequests),
  };
}

/**
 * How many requests were refused, for whatever reason.
 * @param {Stats} stats
 * @returns {number}
 */
export function refusedRequests({ refused_requests }) {
  return Object.values(refused_requests).reduce((sum, value) => sum + value, 0);
}
