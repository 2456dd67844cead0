/** Looks at a collector from outside while a fault is done to it: is it alive, does its account close. */

import type { CollectorProcess, StatsJson } from "../e2e/collector_process.ts";
import { sleep } from "./steady_load.ts";

const EVERY_MS = 40;
const ANSWER_MS_MAX = 5000;
const LOOKS_MIN = 5;
/** Half of the looks at /livez must be answered sooner. */
const ALIVE_MEDIAN_MS_MAX = 200;

/** A watch that goes on; disposing of it ends it. */
export class Watch implements AsyncDisposable {
  /** How long each answer of /livez took. */
  readonly aliveMs: number[] = [];
  /** The largest `wal_bytes` seen. */
  walBytesMax = 0;
  readonly #collector: Pick<CollectorProcess, "url">;
  readonly #violations: string[] = [];
  readonly #running: Promise<unknown>;
  #looks = 0;
  #isEnding = false;

  constructor(collector: Pick<CollectorProcess, "url">) {
    this.#collector = collector;
    this.#running = Promise.all([
      this.#again("/livez", (_, ms) => this.aliveMs.push(ms)),
      this.#again("/stats", (text) => this.#judge(JSON.parse(text))),
    ]);
  }

  /** Ends it and gives every violation; too few looks are one. */
  async end(): Promise<string[]> {
    this.#isEnding = true;
    await this.#running;
    const [median = Infinity] = this.aliveMs.toSorted((a, b) => a - b).slice(
      this.aliveMs.length >> 1,
    );
    const looks = Math.min(this.#looks, this.aliveMs.length);
    return [
      ...this.#violations,
      ...looks < LOOKS_MIN ? [`only ${looks} looks while the fault lasted: no proof`] : [],
      ...median > ALIVE_MEDIAN_MS_MAX ? [`half of the answers of /livez took ${median} ms`] : [],
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }

  async #again(path: string, take: (text: string, ms: number) => void): Promise<void> {
    while (!this.#isEnding) {
      const startMs = performance.now();
      try {
        const signal = AbortSignal.timeout(ANSWER_MS_MAX);
        const response = await fetch(this.#collector.url + path, { signal });
        const text = await response.text();
        if (response.status !== 200) this.#violations.push(`${path} answered ${response.status}`);
        else take(text, performance.now() - startMs);
      } catch (error) {
        this.#violations.push(`${path} did not answer: ${error}`);
      }
      await sleep(EVERY_MS);
    }
  }

  #judge(stats: StatsJson): void {
    this.#looks++;
    this.walBytesMax = Math.max(this.walBytesMax, stats.wal_bytes ?? 0);
    this.#violations.push(...residuals(stats));
  }
}

/** What an account is off by, in words. */
export function residuals(stats: StatsJson): string[] {
  const { residual, received = 0, accepted = 0, rejected = 0, duplicates = 0 } = stats;
  const off = received - accepted - rejected - duplicates;
  return [
    ...residual === 0 ? [] : [`O5: the residual is ${residual}: ${JSON.stringify(stats)}`],
    ...off === 0 ? [] : [`O5: received is off by ${off}: ${JSON.stringify(stats)}`],
  ];
}
