/**
 * How the store asks the readers of this process to keep off for a moment. SQLite can begin its log
 * anew only while nobody reads from it: readers that take turns without a gap would let it grow for
 * ever.
 */

/** What both sides share. */
export type GateMemory = SharedArrayBuffer;

const LOOK_MS = 4;
/**
 * A reader waits no longer, once each time the gate was closed: it may be another program that keeps
 * the log, or nothing more may be stored, and so nobody opens the gate.
 */
const WAIT_MS_MAX = 500;

/** Makes what both sides share. */
export function gateMemory(): GateMemory {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** See the head of this file. */
export class LogGate {
  /** Rises by 1 whenever it is closed or opened: odd while it is closed. */
  readonly #state: Int32Array;
  /** The state that this reader has waited for in vain. */
  #waitedFor = 0;

  /** `memory` is made by {@linkcode gateMemory}. */
  constructor(memory: GateMemory) {
    this.#state = new Int32Array(memory);
  }

  /** Asks the readers to keep off from their next turn on. */
  close(): void {
    if (!this.isClosed) Atomics.add(this.#state, 0, 1);
  }

  /** Lets them read again. */
  open(): void {
    if (this.isClosed) Atomics.add(this.#state, 0, 1);
  }

  /** Whether readers are to keep off. */
  get isClosed(): boolean {
    return this.#now % 2 !== 0;
  }

  /** For a reader: resolves when it may take its turn. */
  async pass(): Promise<void> {
    const state = this.#now;
    if (state % 2 === 0 || state === this.#waitedFor) return;
    const endMs = performance.now() + WAIT_MS_MAX;
    while (this.#now === state && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (this.#now === state) this.#waitedFor = state;
  }

  get #now(): number {
    return Atomics.load(this.#state, 0);
  }
}
