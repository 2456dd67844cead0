/** The load generator's own account of a run. */

import { Histogram, type Quantiles } from "../../lib/histogram.ts";
import type { Outcome } from "./client.ts";

/** How many answers took up to so long. */
export interface LatencyBucket {
  /** Infinity for the last. */
  readonly upToMs: number;
  readonly count: number;
}

const BUCKETS_MS: readonly number[] = [
  ...[0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
  Infinity,
];
const LABELS_MAX = 20;

/** Counts requests by how they ended. */
export class Tally {
  /** Requests begun; a retry is not a new one. */
  sent = 0;
  accepted = 0;
  failed = 0;
  unknown = 0;
  cutShort = 0;
  /** Tries after a refusal. */
  retries = 0;
  /** Tries after an outcome that was not known. */
  repeats = 0;
  /** Accepted requests some of whose events the collector knew already. */
  knownBefore = 0;
  /** Requests waiting to be sent again. */
  waiting = 0;
  readonly #failures = new Map<string, number>();
  readonly #latencyMs = new Histogram(0.001);
  readonly #buckets = BUCKETS_MS.map(() => 0);

  /** How many requests have ended. */
  get ended(): number {
    return this.accepted + this.failed + this.unknown + this.cutShort;
  }

  /** Counts a request that ended. */
  record(outcome: Outcome): void {
    switch (outcome.kind) {
      case "accepted": {
        this.accepted++;
        if (outcome.duplicates > 0) this.knownBefore++;
        this.#latencyMs.record(outcome.latencyMs);
        const bucket = BUCKETS_MS.findIndex((upToMs) => outcome.latencyMs <= upToMs);
        this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
        return;
      }
      case "cut-short":
        this.cutShort++;
        return;
      case "failed":
      case "unknown": {
        this[outcome.kind]++;
        const isNew = !this.#failures.has(outcome.label);
        const label = isNew && this.#failures.size >= LABELS_MAX ? "other" : outcome.label;
        this.#failures.set(label, (this.#failures.get(label) ?? 0) + 1);
      }
    }
  }

  /** Failed and unknown requests by status or by name of the error. */
  failures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#failures);
  }

  /** Quantiles of the latency of accepted requests. */
  latencyMs(): Quantiles {
    return this.#latencyMs.quantiles();
  }

  /** The latencies of accepted requests, without the empty buckets at both ends. */
  latencyBuckets(): readonly LatencyBucket[] {
    const counts = this.#buckets;
    const first = counts.findIndex((count) => count > 0);
    const last = counts.findLastIndex((count) => count > 0);
    return BUCKETS_MS.map((upToMs, i) => ({ upToMs, count: counts[i] ?? 0 }))
      .filter((_, i) => first >= 0 && i >= first && i <= last);
  }
}
