/**
 * A clock to tell the age of events by. Where the system's clock goes forward by a step, every event
 * looks old at once: such a step is believed only when it has lasted for a day, one back at once.
 */

/** The two clocks it is made of, in ms. */
export interface Clocks {
  /** Unix epoch; may step. */
  readonly wallMs: () => number;
  /** Rises evenly. */
  readonly monotonicMs: () => number;
}

const STEP_MS = 60_000;
const BELIEVED_AFTER_MS = 24 * 3_600_000;
const SYSTEM: Clocks = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/** See the head of this file. */
export class SteadyClock {
  readonly #clocks: Clocks;
  /** What is added to the even clock. */
  #offsetMs: number;
  /** Since when the system's clock is ahead, by the even clock; null if it is not. */
  #aheadSinceMs: number | null = null;

  /** Believes the system's clock as it is now. */
  constructor(clocks: Clocks = SYSTEM) {
    this.#clocks = clocks;
    this.#offsetMs = clocks.wallMs() - clocks.monotonicMs();
  }

  /** The time, Unix epoch in ms. */
  nowMs(): number {
    const evenMs = this.#clocks.monotonicMs(), wallMs = this.#clocks.wallMs();
    const isAhead = wallMs - (evenMs + this.#offsetMs) >= STEP_MS;
    if (isAhead) this.#aheadSinceMs ??= evenMs;
    else this.#aheadSinceMs = null;
    const isBelieved = evenMs - (this.#aheadSinceMs ?? evenMs) >= BELIEVED_AFTER_MS;
    if (!isAhead || isBelieved) {
      this.#offsetMs = wallMs - evenMs;
      this.#aheadSinceMs = null;
    }
    return evenMs + this.#offsetMs;
  }

  /** Whether the system's clock is ahead by a step that is not believed yet, as of the last time. */
  get isAhead(): boolean {
    return this.#aheadSinceMs !== null;
  }
}
