/** Which events became dead letters for which kind of reason. */

import type { StoreState } from "./store.ts";

/**
 * Why events became dead letters: `decoder` found them bad, the `database` refused them, or either
 * happened to events of an earlier run, `recovered` from its journal.
 */
export type LetterReason = "decoder" | "database" | "recovered";

interface Aside {
  /** The last of them, counted in the order of admission. */
  readonly sequence: number;
  readonly events: number;
}

/** See the head of this file. Holds a few numbers for each request in the pipeline that has any. */
export class LetterReasons {
  /** What decoders found bad that is not settled, the oldest first. */
  readonly #waiting: Aside[] = [];
  #decoder = 0;
  #recovered = 0;
  #known: Pick<StoreState, "deadLettered" | "recoveredLeft"> = {
    deadLettered: 0,
    recoveredLeft: 0,
  };

  /** Events were admitted that their decoder found bad; `sequence` is the last of them. */
  admitted(sequence: number, events: number): void {
    this.#waiting.push({ sequence, events });
  }

  /** The store has got so far. */
  reached(state: StoreState): void {
    let settled = 0;
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (first.sequence > state.settled) break;
      settled += first.events;
      this.#waiting.shift();
    }
    this.#decoder += settled;
    // What the journal held from before leaves it first; nothing else can become a letter by then.
    const more = state.deadLettered - this.#known.deadLettered - settled;
    if (this.#known.recoveredLeft > 0) this.#recovered += Math.max(0, more);
    this.#known = state;
  }

  /** `total` by its reasons: all dead letters that the account has. */
  of(total: number): Record<LetterReason, number> {
    const recovered = Math.min(this.#recovered, total);
    const decoder = Math.min(this.#decoder, total - recovered);
    return { decoder, database: total - recovered - decoder, recovered };
  }
}
