/** `GET /stats`, about once a second for as long as the page is open, and the rates it tells. */

import { ApiError, askJson, GoneError } from "./api.js";
import { isLost } from "./connection.js";
import { ratesBetween } from "./rates.js";

/** @typedef {import("./rates.js").Stats} Stats */
/** @typedef {import("./rates.js").Rates} Rates */

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
      else if (!(error instanceof GoneError)) reportError(error);
    }
    const waitMs = isLost() ? LOST_INTERVAL_MS : INTERVAL_MS;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
