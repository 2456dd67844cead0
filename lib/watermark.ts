/**
 * A number that only rises, and that can be waited for. The collector keeps one for the events that
 * are flushed to the disk and one for those in the database: everything up to it has got so far.
 */

import type { Histogram } from "./histogram.ts";

const SWEEP_MS = 100;

interface Waiter {
  readonly value: number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  readonly resolve: (reached: boolean) => void;
}

/** See the head of this file. */
export class Watermark implements Disposable {
  readonly #waitedMs: Pick<Histogram, "record"> | null;
  #value: number;
  /** In the order of their values, the lowest first. */
  #waiters: Waiter[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Starts at a value. `waitedMs` is told how long each wait took that ended well, in ms. */
  constructor(value = 0, waitedMs: Pick<Histogram, "record"> | null = null) {
    this.#value = value;
    this.#waitedMs = waitedMs;
  }

  /** How far it has risen. */
  get value(): number {
    return this.#value;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Lets it rise; a lower value is ignored. */
  raise(value: number): void {
    if (value <= this.#value) return;
    this.#value = value;
    const waiters = this.#waiters;
    let reached = 0;
    while (reached < waiters.length && (waiters[reached] as Waiter).value <= value) reached++;
    if (reached === 0) return;
    this.#waiters = waiters.slice(reached);
    const nowMs = performance.now();
    for (let i = 0; i < reached; i++) {
      const { sinceMs, resolve } = waiters[i] as Waiter;
      this.#waitedMs?.record(nowMs - sinceMs);
      resolve(true);
    }
  }

  /**
   * Resolves to true once it has risen to `value`, to false if it has not within the time, which is
   * kept to 100 ms. Waits at least for what was asked for before.
   *
   * @param timeoutMs Longest wait, in ms; 0 or less asks only.
   */
  reach(value: number, timeoutMs: number): Promise<boolean> {
    if (value <= this.#value) {
      this.#waitedMs?.record(0);
      return Promise.resolve(true);
    }
    if (timeoutMs <= 0) return Promise.resolve(false);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS);
    const last = this.#waiters.at(-1)?.value ?? value;
    const sinceMs = performance.now(), deadlineMs = sinceMs + timeoutMs;
    return new Promise((resolve) => {
      this.#waiters.push({ value: Math.max(value, last), sinceMs, deadlineMs, resolve });
    });
  }

  /** Tells all who wait that it was not reached. */
  [Symbol.dispose](): void {
    this.#giveUp(() => false);
  }

  #sweep(): void {
    const nowMs = performance.now();
    this.#giveUp(({ deadlineMs }) => deadlineMs > nowMs);
  }

  #giveUp(keep: (waiter: Waiter) => boolean): void {
    const given = this.#waiters.filter((waiter) => !keep(waiter));
    if (given.length > 0) this.#waiters = this.#waiters.filter(keep);
    for (const { resolve } of given) resolve(false);
    if (this.#waiters.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
