/**
 * How late the event loop of the main thread comes to what is due. Measured by a timer of its own:
 * `monitorEventLoopDelay` of `node:perf_hooks` does not see in Deno that the loop stood still.
 */

import { Histogram } from "./histogram.ts";

/** How often it looks, in ms: what blocks the loop for less is seen only now and then. */
const EVERY_MS = 100;
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];

/** See the head of this file. Costs some 10 µs a second. */
export class LoopLag implements Disposable {
  /** How late each look was, in ms. */
  readonly ms: Histogram = new Histogram(0.001, BOUNDS_MS);
  #timer: ReturnType<typeof setTimeout>;

  /** Starts to look; dispose of it to end that. */
  constructor() {
    this.#timer = this.#next();
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #next(): ReturnType<typeof setTimeout> {
    const dueMs = performance.now() + EVERY_MS;
    return setTimeout(() => {
      this.ms.record(Math.max(0, performance.now() - dueMs));
      this.#timer = this.#next();
    }, EVERY_MS);
  }
}
