/** How far the events of this run have got, and where those are that the store was given. */

import { NOTHING_STORED, type StoredTerms, storedTerms } from "./account.ts";
import type { Level } from "./admission.ts";
import type { Histogram } from "./histogram.ts";
import type { StoreState } from "./store.ts";
import { Watermark } from "./watermark.ts";

/** See the head of this file. Dispose of it to let nobody wait any more. */
export class StoredProgress implements Disposable {
  /** Events that are on the disk, in the order of their admission. */
  readonly flushed: Watermark;
  /** Those that are in the database; below 0 as long as the journal holds events of earlier runs. */
  readonly committed: Watermark;
  #state: StoreState = NO_STATE;
  #recovered = 0;
  /** What was told last of where the events are. */
  #shown = NOTHING_STORED;
  #lastCommitAtMs = 0;

  /** `waitedMs` is told how long each wait took that ended well, in ms. */
  constructor(waitedMs: Pick<Histogram, "record">) {
    this.flushed = new Watermark(0, waitedMs);
    this.committed = new Watermark(-1, waitedMs);
  }

  /** Events of earlier runs that were in the journal at the start. */
  get recovered(): number {
    return this.#recovered;
  }

  /** When something was committed last, Unix epoch in ms; 0 if nothing was. */
  get lastCommitAtMs(): number {
    return this.#lastCommitAtMs;
  }

  /** Whether the store said anything yet. */
  get isKnown(): boolean {
    return this.#state !== NO_STATE;
  }

  /** So many events of earlier runs are in the journal at the start. */
  found(recovered: number): void {
    this.#recovered = recovered;
  }

  /** The store says how it is. */
  told(state: StoreState): void {
    if (state.settled > this.#state.settled) this.#lastCommitAtMs = Date.now();
    this.#state = state;
    this.#raiseCommitted();
  }

  /** The store answered that it has so many more events. */
  stored(events: number): void {
    this.flushed.raise(this.flushed.value + events);
    this.#raiseCommitted();
  }

  /** How far the event of this number has got. */
  level(sequence: number): Level {
    if (sequence <= this.committed.value) return "committed";
    return sequence <= this.flushed.value ? "journaled" : "queued";
  }

  /** Where the events are now. */
  terms(): StoredTerms {
    const { value: flushed } = this.flushed;
    this.#shown = storedTerms(this.#state, flushed, this.#recovered, this.#shown);
    return this.#shown;
  }

  /** Tells all who wait that it was not reached. */
  [Symbol.dispose](): void {
    this.flushed[Symbol.dispose]();
    this.committed[Symbol.dispose]();
  }

  #raiseCommitted(): void {
    const { recoveredLeft, settled } = this.#state;
    if (recoveredLeft === 0) this.committed.raise(Math.min(settled, this.flushed.value));
  }
}

const NO_STATE: StoreState = {
  settled: 0,
  deadLettered: 0,
  journaled: 0,
  recoveredLeft: 0,
  lost: 0,
};
