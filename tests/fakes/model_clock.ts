/**
 * A clock for simulations: timers, both clocks and `Math.random` are its own until it is disposed
 * of. What a timer wakes runs as microtasks, so that a simulated second costs no real one.
 */

interface Timer {
  readonly id: number;
  dueMs: number;
  readonly everyMs: number | null;
  readonly run: () => void;
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};
const realRandom = Math.random, realNow = Date.now;
/** Longer than any chain of promises in the program. */
const MICROTASKS = 40;

/** See the head of this file. */
export class ModelClock implements Disposable {
  /** What `performance.now` gives. */
  nowMs = 1000;
  /** How far the wall clock is ahead of it. */
  wallMs = Date.parse("2026-11-24T11:03:40Z");
  readonly #timers = new Map<number, Timer>();
  #lastId = 0;

  constructor(random: () => number) {
    const start = (everyMs: (ms: number) => number | null) => (run: () => void, ms = 0) => {
      const id = ++this.#lastId;
      this.#timers.set(id, { id, dueMs: this.nowMs + ms, everyMs: everyMs(ms), run });
      return id;
    };
    const stop = (id?: number) => void (id !== undefined && this.#timers.delete(id));
    Object.assign(globalThis, {
      setTimeout: start(() => null),
      setInterval: start((ms) => Math.max(1, ms)),
      clearTimeout: stop,
      clearInterval: stop,
    });
    Object.defineProperty(performance, "now", { configurable: true, value: () => this.nowMs });
    Date.now = () => Math.floor(this.nowMs + this.wallMs);
    Math.random = random;
  }

  /** Forgets all timers, as a process that ends. */
  async clear(): Promise<void> {
    this.#timers.clear();
    await settle(); // what was woken before may set others
    this.#timers.clear();
  }

  /** Runs the next timer that is due by then, and what it wakes; false if there is none. */
  async runNext(untilMs = Infinity): Promise<boolean> {
    await settle();
    let next: Timer | null = null;
    for (const timer of this.#timers.values()) {
      if (next === null || timer.dueMs < next.dueMs) next = timer;
    }
    if (next === null || next.dueMs > untilMs) return false;
    this.nowMs = Math.max(this.nowMs, next.dueMs);
    if (next.everyMs === null) this.#timers.delete(next.id);
    else next.dueMs += next.everyMs;
    next.run();
    await settle();
    return true;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, real);
    delete (performance as { now?: unknown }).now;
    Date.now = realNow;
    Math.random = realRandom;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < MICROTASKS; i++) await null;
}
