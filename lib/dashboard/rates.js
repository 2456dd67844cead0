/** What two answers of `GET /stats` tell about the time between them. */

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
