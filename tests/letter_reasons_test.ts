import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { LetterReasons } from "../lib/letter_reasons.ts";
import type { StoreState } from "../lib/store.ts";

/** Has the store get so far. */
function reach(reasons: LetterReasons, state: Partial<StoreState>): void {
  reasons.reached({
    ...{ settled: 0, deadLettered: 0, journaled: 0, recoveredLeft: 0, lost: 0 },
    ...state,
  });
}

Deno.test("what a decoder found bad counts once it is settled, all else is the database's", () => {
  const reasons = new LetterReasons();
  reasons.admitted(10, 3);
  reasons.admitted(20, 2);
  deepEqual(reasons.of(0), { decoder: 0, database: 0, recovered: 0 });
  reach(reasons, { settled: 9 });
  deepEqual(reasons.of(0), { decoder: 0, database: 0, recovered: 0 });
  reach(reasons, { settled: 12, deadLettered: 4 });
  deepEqual(reasons.of(4), { decoder: 3, database: 1, recovered: 0 });
  reach(reasons, { settled: 20, deadLettered: 6 });
  deepEqual(reasons.of(6), { decoder: 5, database: 1, recovered: 0 });
});

Deno.test("as long as the journal held events of earlier runs their letters are recovered", () => {
  const reasons = new LetterReasons();
  reach(reasons, { recoveredLeft: 5, journaled: 5 });
  reasons.admitted(1, 1);
  reach(reasons, { recoveredLeft: 3, deadLettered: 2 });
  reach(reasons, { recoveredLeft: 0, deadLettered: 4, settled: 1 }); // one of them is this run's
  reach(reasons, { recoveredLeft: 0, deadLettered: 5, settled: 2 });
  deepEqual(reasons.of(5), { decoder: 1, database: 1, recovered: 3 });
});

Deno.test("the reasons add up to what is shown, also while that is behind", () => {
  const reasons = new LetterReasons();
  reasons.admitted(3, 3);
  reach(reasons, { settled: 4, deadLettered: 4 });
  deepEqual(reasons.of(2), { decoder: 2, database: 0, recovered: 0 });
});
