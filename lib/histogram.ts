/** Quantiles in constant memory: Node's HDR histogram, built into Deno, behind the calls needed. */

import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { type BucketCounts, Buckets } from "./buckets.ts";

/** Quantiles of what was recorded, in the unit it was recorded in. */
export interface Quantiles {
  /** How many values were recorded. */
  readonly count: number;
  /** Half of them are at most this. */
  readonly p50: number;
  /** 90 % of them are at most this. */
  readonly p90: number;
  /** 99 % of them are at most this. */
  readonly p99: number;
  /** The largest. */
  readonly max: number;
}

/** Records non-negative numbers with 3 significant digits. */
export class Histogram {
  readonly #inner: RecordableHistogram = createHistogram();
  readonly #scale: number;
  readonly #buckets: Buckets;
  #max = 0;

  /**
   * `resolution` is the smallest difference it can tell, in the unit recorded: 0.001 for
   * microseconds where milliseconds are recorded. `bounds` are those of the {@linkcode
   * Histogram.buckets}, in the unit recorded.
   */
  constructor(resolution: number, bounds: readonly number[] = []) {
    this.#scale = 1 / resolution;
    this.#buckets = new Buckets(bounds);
  }

  /** Records one value. */
  record(value: number): void {
    this.#inner.record(Math.max(1, Math.round(value * this.#scale)));
    this.#max = Math.max(this.#max, value);
    this.#buckets.record(value);
  }

  /** The values so far by size. */
  buckets(): BucketCounts {
    return this.#buckets.counts();
  }

  /** The quantiles so far; all 0 if nothing was recorded. */
  quantiles(): Quantiles {
    const { count } = this.#inner;
    // A bucket answers for its largest value, which may be above all that was recorded.
    const at = (percentile: number) =>
      count === 0 ? 0 : Math.min(this.#inner.percentile(percentile) / this.#scale, this.#max);
    return { count, p50: at(50), p90: at(90), p99: at(99), max: this.#max };
  }
}
