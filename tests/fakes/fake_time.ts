/** A clock that stands still until it is told to move, so that no test has to sleep. */

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

/** Lets everything that is ready run: a turn of the real event loop, timers and all. */
export function turn(): Promise<void> {
  return new Promise((resolve) => real.setTimeout(resolve, 0));
}

/** Stands in for timers and `performance.now` until it is disposed of. */
export class FakeTime implements Disposable {
  nowMs = 1000;
  readonly #timers = new Map<number, Timer>();
  #lastId = 0;

  constructor() {
    const start = (everyMs: (ms: number) => number | null) => (run: () => void, ms = 0) => {
      const id = ++this.#lastId;
      this.#timers.set(id, { id, dueMs: this.nowMs + ms, everyMs: everyMs(ms), run });
      return id;
    };
    const stop = (id?: number) => void (id !== undefined && this.#timers.delete(id));
    Object.assign(globalThis, {
      setTimeout: start(() => null),
      setInterval: start((ms) => ms),
      clearTimeout: stop,
      clearInterval: stop,
    });
    Object.defineProperty(performance, "now", { configurable: true, value: () => this.nowMs });
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves the clock, runs each timer at its time, and lets what they woke run. */
  async tick(ms: number): Promise<void> {
    await turn();
    const endMs = this.nowMs + ms;
    while ((this.#next()?.dueMs ?? Infinity) <= endMs) await this.runNext();
    this.nowMs = endMs;
    await turn();
  }

  /** Moves the clock to the next timer, runs it and what it wakes; gives how far it moved, in ms. */
  async runNext(): Promise<number> {
    const timer = this.#next();
    if (timer === null) throw new RangeError("Cannot run the next timer: none is set");
    const ms = timer.dueMs - this.nowMs;
    this.nowMs = timer.dueMs;
    if (timer.everyMs === null) this.#timers.delete(timer.id);
    else timer.dueMs += Math.max(1, timer.everyMs);
    timer.run();
    await turn();
    return ms;
  }

  #next(): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers.values()) {
      if (next === null || timer.dueMs < next.dueMs) next = timer;
    }
    return next;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, real);
    delete (performance as { now?: unknown }).now;
  }
}
