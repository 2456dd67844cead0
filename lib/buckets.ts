/** Counts by size, as a Prometheus histogram has them: how many values were at most each bound. */

/** What was counted. */
export interface BucketCounts {
  /** Rising; in the unit recorded. */
  readonly bounds: readonly number[];
  /** How many values were at most each bound and above the one before; last, those above them all. */
  readonly counts: readonly number[];
  /** How many values there were. */
  readonly count: number;
  /** Their sum, in the unit recorded. */
  readonly sum: number;
}

/** See the head of this file. A record takes some 10 ns and no memory. */
export class Buckets {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /**
   * Counts nothing yet.
   *
   * @throws {RangeError} if the bounds do not rise.
   */
  constructor(bounds: readonly number[]) {
    if (bounds.some((bound, i) => !(bound > (bounds[i - 1] ?? -Infinity)))) {
      throw new RangeError(`Cannot make buckets: the bounds must rise, got ${bounds}`);
    }
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts one value. */
  record(value: number): void {
    const bounds = this.#bounds, counts = this.#counts;
    let at = 0;
    // Most values are small, and a search by halves does not pay for so few bounds.
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    counts[at] = (counts[at] as number) + 1;
    this.#sum += value;
  }

  /** What was counted so far, as of now. */
  counts(): BucketCounts {
    const counts = [...this.#counts];
    const count = counts.reduce((sum, each) => sum + each, 0);
    return { bounds: this.#bounds, counts, count, sum: this.#sum };
  }
}

/** Bounds for what takes from half a millisecond to ten seconds, in ms. */
export const DURATION_BOUNDS_MS: readonly number[] = [
  ...[0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1000, 2500, 5000, 10_000],
];
