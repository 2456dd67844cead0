/**
 * How much the reader may work. A low priority is not enough: on a machine that catching events
 * keeps busy, even work in idle moments costs a fifth of the rate (measured: two cores share caches
 * and clock). So the busier the rest of the process is, the more the reader rests.
 */

import process from "node:process";

/** What it goes by; the defaults are this process and its clock. */
export interface AllowanceOptions {
  /** Cores of the machine. */
  readonly cores?: number;
  /** CPU time that the rest of the process has used, in ms. */
  readonly othersMs?: () => number;
  /** A clock, in ms. */
  readonly nowMs?: () => number;
}

/** Part of the whole machine that is always left for reading. */
const MACHINE_SHARE_MIN = 0.03;
/** Work that may be done at once, without a rest, when nothing was done for a while, in ms. */
const CREDIT_MS_MAX = 20;
const REST_MS_MAX = 500;
const MEASURE_MS = 250;

/** See the head of this file. */
export class Allowance {
  readonly #cores: number;
  readonly #othersMs: () => number;
  readonly #nowMs: () => number;
  #share = 1;
  #measured: { readonly atMs: number; readonly othersMs: number };
  #creditMs = CREDIT_MS_MAX;
  #creditedMs: number;

  /** Allows everything until it has measured for a moment. */
  constructor(options: AllowanceOptions = {}) {
    const { cores = navigator.hardwareConcurrency, othersMs = cpuOfOthersMs } = options;
    this.#cores = cores;
    this.#othersMs = othersMs;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#creditedMs = this.#nowMs();
    this.#measured = { atMs: this.#creditedMs, othersMs: othersMs() };
  }

  /** Part of the time that may be worked, up to 1. To be asked for now and then. */
  get share(): number {
    const atMs = this.#nowMs(), passedMs = atMs - this.#measured.atMs;
    if (passedMs >= MEASURE_MS) {
      const othersMs = this.#othersMs();
      const busy = (othersMs - this.#measured.othersMs) / passedMs / this.#cores;
      // All up to a tenth of the machine, the least from 57 % on: the main thread of two cores and some.
      this.#share = Math.min(1, Math.max(MACHINE_SHARE_MIN * this.#cores, 1.2 - 2 * busy));
      this.#measured = { atMs, othersMs };
    }
    return this.#share;
  }

  /** Notes work of so many ms that has just been done; gives how many ms to rest after it. */
  restMs(workedMs: number): number {
    const share = this.share, nowMs = this.#nowMs();
    const earnedMs = (nowMs - this.#creditedMs) * share;
    const creditMs = Math.min(CREDIT_MS_MAX, this.#creditMs + earnedMs) - workedMs;
    // What no rest would make good is forgotten: it would be rested for long after the load is over.
    this.#creditMs = Math.max(creditMs, -REST_MS_MAX * share);
    this.#creditedMs = nowMs;
    return Math.max(0, -this.#creditMs / share);
  }
}

function cpuOfOthersMs(): number {
  const all = process.cpuUsage(), own = process.threadCpuUsage();
  return (all.user + all.system - own.user - own.system) / 1000;
}
