import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type AccountTerms, balance, storedTerms } from "../lib/account.ts";
import type { StoreState } from "../lib/store.ts";

const BALANCED: AccountTerms = {
  received: 100,
  accepted: 80,
  rejected: 15,
  duplicates: 5,
  recovered: 10,
  committed: 50,
  dead_lettered: 4,
  dropped: 1,
  queued: 12,
  in_flight: 8,
  journaled: 15,
};

Deno.test("terms that add up have no residual, and come back as they were", () => {
  deepEqual(balance(BALANCED), { ...BALANCED, residual: 0 });
});

for (const name of Object.keys(BALANCED) as (keyof AccountTerms)[]) {
  Deno.test(`the residual catches a wrong ${name}, in either direction`, () => {
    // What was accepted stands in both identities.
    const expected = name === "accepted" ? 6 : 3;
    for (const off of [3, -3]) {
      equal(balance({ ...BALANCED, [name]: BALANCED[name] + off }).residual, expected);
    }
  });
}

Deno.test("errors of the two identities do not make up for one another", () => {
  equal(balance({ ...BALANCED, received: 101, committed: 51 }).residual, 2);
  equal(balance({ ...BALANCED, received: 101, committed: 49 }).residual, 2);
});

/** A state of this run alone. */
function own(settled: number, journaled: number, more: Partial<StoreState> = {}): StoreState {
  return { settled, deadLettered: 0, journaled, recoveredLeft: 0, lost: 0, ...more };
}

type Stored = [committed: number, deadLettered: number, dropped: number, journaled: number];

const STORED: readonly [what: string, StoreState, flushed: number, recovered: number, Stored][] = [
  ["nothing", own(0, 0), 0, 0, [0, 0, 0, 0]],
  ["all that was answered", own(5, 3), 8, 0, [5, 0, 0, 3]],
  ["a committed batch whose answer is under way", own(5, 0), 3, 0, [3, 0, 0, 0]],
  ["a journaled batch whose answer is under way", own(5, 3), 6, 0, [5, 0, 0, 1]],
  ["both", own(5, 3), 4, 0, [4, 0, 0, 0]],
  ["dead letters in a batch whose answer is under way", own(2, 0, { deadLettered: 1 }), 0, 0, [
    0,
    0,
    0,
    0,
  ]],
  ["less than was answered", own(5, 1), 8, 0, [5, 0, 0, 1]],
  ["events of earlier runs", own(0, 7, { recoveredLeft: 4 }), 3, 9, [5, 0, 0, 7]],
  ["what was lost", own(5, 0, { lost: 2, deadLettered: 1 }), 5, 0, [2, 1, 2, 0]],
];
for (const [what, state, flushed, recovered, expected] of STORED) {
  Deno.test(`a store holds ${what}`, () => {
    const { committed, dead_lettered, dropped, journaled } = storedTerms(state, flushed, recovered);
    deepEqual([committed, dead_lettered, dropped, journaled], expected);
  });
}

const TERMS = ["committed", "dead_lettered", "dropped"] as const;

Deno.test("no count falls, whatever is told of a batch before its answer, and none is made up", () => {
  // Each batch: rows, dead letters, and how many of both the writer was answered for by then.
  const events = fc.nat({ max: 5 });
  const steps = fc.array(fc.tuple(events, events, fc.nat({ max: 10 }), fc.boolean()));
  fc.assert(fc.property(steps, (steps) => {
    let state = own(0, 0), flushed = 0, shown = storedTerms(state, 0, 0);
    for (const [rows, letters, answered, isJournaled] of steps) {
      const { settled, journaled, deadLettered } = state;
      state = isJournaled
        ? own(settled, journaled + rows + letters, { deadLettered })
        : own(settled + journaled + rows + letters, 0, { deadLettered: deadLettered + letters });
      flushed = Math.min(state.settled + state.journaled, flushed + answered);
      const next = storedTerms(state, flushed, 0, shown);
      for (const term of TERMS) ok(next[term] >= shown[term], `${term} fell`);
      equal(next.committed + next.dead_lettered + next.dropped + next.journaled, flushed);
      ok(next.journaled >= 0 && next.journaled <= state.journaled);
      shown = next;
    }
  }));
});
