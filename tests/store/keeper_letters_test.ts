/** Dead letters that leave the journal. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { Keeper } from "../../lib/store/keeper.ts";
import { letters } from "../fakes/letters.ts";
import { batchOfParts, openDatabase, RUN_ID, runCounts } from "./batches.ts";
import { Kept, startOf, stateOf } from "./kept.ts";

Deno.test("dead letters of this run and an earlier one, applied together, count once each", () => {
  using kept = new Kept();
  const { rows } = batchOfParts(1, [letters(["a", "b"])]);
  kept.journal.append({ run: "earlier", number: 1, events: 2, rows });
  const keeper = new Keeper(
    startOf({ database: openDatabase(kept.path), journaled: 2, recovered: 2 }),
    kept.options,
  );
  equal(keeper.write(batchOfParts(1, [letters(["c", "d", "e"])])).kind, "journaled");
  keeper.drain();
  deepEqual(keeper.state, stateOf(3, { deadLettered: 5 }));
  deepEqual([runCounts(kept.path, "earlier"), runCounts(kept.path, RUN_ID)], [
    [1, 2, 0, 2],
    [1, 3, 0, 3],
  ]);
  keeper.close();
});
