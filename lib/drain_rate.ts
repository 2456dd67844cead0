/**
 * How fast the writer drains the queue, for telling a refused client when to come back.
 *
 * Measured over the time the writer was busy, so an idle hour does not make it look slow; a batch
 * that is stuck counts with the time it has been stuck, so a locked database shows at once.
 */

const WINDOW_MS = 5000;
const RETRY_SECONDS_MAX = 60;
/** What is assumed before the first batch: a start that any database keeps up with. */
const ASSUMED_EVENTS = 1000, ASSUMED_MS = 100;

/** Events a second, weighted towards the last few seconds of work. */
export class DrainRate {
  #events = ASSUMED_EVENTS;
  #busyMs = ASSUMED_MS;

  /** A batch of `events` took `ms`. */
  record(events: number, ms: number): void {
    const keep = Math.exp(-ms / WINDOW_MS);
    this.#events = this.#events * keep + events;
    this.#busyMs = this.#busyMs * keep + ms;
  }

  /** Events a second, with the present batch under way for `batchAgeMs`. */
  perSecond(batchAgeMs: number): number {
    const keep = Math.exp(-batchAgeMs / WINDOW_MS);
    return this.#events * keep / (this.#busyMs * keep + batchAgeMs) * 1000;
  }
}

/**
 * Whole seconds until `depth` events are drained, 1 to 60, up to half as long again by `random`
 * (0 to 1) so that refused clients do not come back together.
 */
export function retryAfterSeconds(depth: number, perSecond: number, random: number): number {
  const seconds = Math.ceil(depth / perSecond); // Infinity for a rate of 0
  const clamped = Math.min(RETRY_SECONDS_MAX, Math.max(1, seconds));
  return Math.min(RETRY_SECONDS_MAX, Math.round(clamped * (1 + random / 2)));
}
