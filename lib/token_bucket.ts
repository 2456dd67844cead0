/** A limit on a rate that lets short bursts through: a token bucket. */

/** What it holds when full, in seconds of its rate. */
const CAPACITY_SECONDS = 2;
const RETRY_SECONDS_MAX = 60;
/** Part of the capacity that rounding may be off by. */
const ROUNDING = 1e-9;

/**
 * Holds at most two seconds' worth, and starts full. Who asks for more than that is served by a
 * full bucket, which owes it then: else a large request could never be sent.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  readonly #capacity: number;
  /** Below 0 it owes. */
  #level: number;
  #filledAtMs: number;

  /** Fills by `perSecond`, above 0, after a clock that does not go back. */
  constructor(perSecond: number, nowMs: () => number) {
    if (!(perSecond > 0 && perSecond < Infinity)) {
      throw new RangeError(`Cannot limit a rate: expected a number above 0, got ${perSecond}`);
    }
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
    this.#capacity = CAPACITY_SECONDS * perSecond;
    this.#level = this.#capacity;
    this.#filledAtMs = nowMs();
  }

  /**
   * Takes an amount and gives 0, or takes nothing and gives the whole seconds after which it may
   * be there, 1 to 60.
   */
  take(amount: number): number {
    const nowMs = this.#nowMs();
    const filled = this.#level + (nowMs - this.#filledAtMs) / 1000 * this.#perSecond;
    this.#level = Math.min(this.#capacity, filled);
    this.#filledAtMs = nowMs;
    if (amount <= 0) return 0; // nothing is there even when it owes
    const capacity = this.#capacity;
    const missing = Math.min(amount, capacity) - this.#level - ROUNDING * capacity;
    if (missing <= 0) {
      this.#level -= amount;
      return 0;
    }
    const seconds = Math.ceil(missing / this.#perSecond);
    return Math.min(RETRY_SECONDS_MAX, Math.max(1, seconds));
  }
}
