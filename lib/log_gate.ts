/**
 * How the store asks the readers of this process to keep off for a moment. SQLite can begin its log
 * anew only while nobody reads from it: readers that take turns without a gap would let it grow for
 * ever.
 */

/** What both sides share. */
export type GateMemory = SharedArrayBuffer;

const CLOSED = 1, OPEN = 0;
const LOOK_MS = 4;
/** A reader waits no longer: it may be another program that keeps the log. */
const WAIT_MS_MAX = 500;
/** And then not again for so long. */
const PATIENCE_MS = 2000;

/** Makes what both sides share. */
export function gateMemory(): GateMemory {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** See the head of this file. */
export class LogGate {
  readonly #state: Int32Array;
  #freeUntilMs = -Infinity;

  /** `memory` is made by {@linkcode gateMemory}. */
  constructor(memory: GateMemory) {
    this.#state = new Int32Array(memory);
  }

  /** Asks the readers to keep off from their next turn on. */
  close(): void {
    Atomics.store(this.#state, 0, CLOSED);
  }

  /** Lets them read again. */
  open(): void {
    Atomics.store(this.#state, 0, OPEN);
  }

  /** Whether readers are to keep off. */
  get isClosed(): boolean {
    return Atomics.load(this.#state, 0) === CLOSED;
  }

  /** For a reader: resolves when it may take its turn. */
  async pass(): Promise<void> {
    if (!this.isClosed || performance.now() < this.#freeUntilMs) return;
    const endMs = performance.now() + WAIT_MS_MAX;
    while (this.isClosed && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (this.isClosed) this.#freeUntilMs = performance.now() + PATIENCE_MS;
  }
}
