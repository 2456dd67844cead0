/** Which events a step removes, what it leaves, and how the file gets shorter. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { Removal, RemovalLimits } from "../../lib/store/upkeep.ts";
import { query } from "../e2e/rows.ts";
import { Aged, makeVersion3, times } from "./aged.ts";
import { batchOf, elsewhere, newFolder, openDatabase } from "./batches.ts";

const OLD = 1000, LIMIT = 2000, YOUNG = 3000;
const LARGE = "x".repeat(100_000);
const BY_AGE: RemovalLimits = { receivedBefore: LIMIT, usedBytesMax: null, throughId: Infinity };

/** One step, of at least a moment. */
function step({ database }: Aged, limits: Partial<RemovalLimits> = {}, budgetMs = 1000): Removal {
  return database.change(() => database.upkeep.removeOldest({ ...BY_AGE, ...limits }, budgetMs));
}

const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

Deno.test("events that are old are removed and counted, younger ones stay", () => {
  using aged = new Aged();
  aged.add([...times(70, OLD), LIMIT - 1, LIMIT, YOUNG]);
  deepEqual(step(aged), { removed: 71, endedBy: "nothing" });
  deepEqual([aged.ids, aged.removed], [[72, 73], 71]);
  deepEqual(step(aged), { removed: 0, endedBy: "nothing" });
  deepEqual(aged.database.upkeep.oldest(), { id: 72, receivedAt: LIMIT });
  equal(aged.database.upkeep.removed(), 71);
});

Deno.test("a young event among old ones stays, and those after it until it is old itself", () => {
  using aged = new Aged();
  aged.add([OLD, OLD, YOUNG, OLD, OLD, YOUNG]);
  deepEqual(step(aged), { removed: 2, endedBy: "nothing" });
  deepEqual(aged.ids, [3, 4, 5, 6]);
  deepEqual(step(aged, { receivedBefore: YOUNG + 1 }), { removed: 3, endedBy: "newest" });
  deepEqual(aged.ids, [6]);
});

Deno.test("the newest event stays however old it is, and no id is given twice", () => {
  using aged = new Aged();
  aged.add([OLD]);
  deepEqual(step(aged), { removed: 0, endedBy: "newest" });
  aged.add(times(40, OLD));
  deepEqual(step(aged), { removed: 40, endedBy: "newest" });
  aged.add([YOUNG]);
  deepEqual(aged.ids, [41, 42]);
});

Deno.test("an empty database has nothing to remove", () => {
  using aged = new Aged();
  deepEqual(step(aged), { removed: 0, endedBy: "nothing" });
  deepEqual(step(aged, { usedBytesMax: 0 }), { removed: 0, endedBy: "nothing" });
  equal(aged.database.upkeep.oldest(), null);
});

Deno.test("nothing after the limit of ids is removed", () => {
  using aged = new Aged();
  aged.add(times(100, OLD));
  deepEqual(step(aged, { throughId: 0 }), { removed: 0, endedBy: "limit" });
  deepEqual(step(aged, { throughId: 50 }), { removed: 50, endedBy: "limit" });
  deepEqual(aged.ids, from(51, 100));
  deepEqual(step(aged, { throughId: 49 }), { removed: 0, endedBy: "limit" });
  deepEqual(step(aged, { throughId: 99 }), { removed: 49, endedBy: "newest" });
});

Deno.test("a step ends when its time is up, and the next goes on", () => {
  using aged = new Aged();
  aged.add(times(100, OLD));
  const removals: Removal[] = [];
  for (let i = 0; i < 5; i++) removals.push(step(aged, {}, 0));
  deepEqual(removals.map(({ removed }) => removed), [32, 32, 32, 3, 0]);
  deepEqual([aged.ids, aged.removed], [[100], 99]);
});

Deno.test("over the limit of bytes any event goes, the oldest first, until the rest fits", () => {
  using aged = new Aged();
  aged.add(times(100, YOUNG), LARGE);
  const used = () => {
    const { fileBytes, freeBytes } = aged.database.upkeep.room();
    return fileBytes - freeBytes;
  };
  const usedBytesMax = used() / 2;
  const { removed, endedBy } = step(aged, { receivedBefore: null, usedBytesMax });
  equal(endedBy, "nothing");
  ok(used() <= usedBytesMax, `${used()} of ${usedBytesMax} bytes are in use`);
  ok(removed >= 45 && removed <= 50 + 32, `${removed} of 100 were removed`);
  deepEqual(aged.ids, from(removed + 1, 100));
});

Deno.test("events that somebody deleted are not counted as removed", () => {
  using aged = new Aged();
  aged.add(times(200, OLD));
  elsewhere(aged.path, "DELETE FROM events WHERE id BETWEEN 20 AND 150");
  deepEqual(step(aged), { removed: 199 - 131, endedBy: "newest" });
  deepEqual([aged.ids, aged.removed], [[200], 68]);
});

Deno.test("a step that fails has removed and counted nothing", () => {
  using aged = new Aged();
  aged.add(times(40, OLD));
  elsewhere(
    aged.path,
    `CREATE TRIGGER keep BEFORE UPDATE ON events_removed BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
  try {
    step(aged);
    throw new Error("it did not fail");
  } catch (error) {
    equal((error as Error).message, "no");
  }
  deepEqual([aged.ids.length, aged.removed], [40, 0]);
});

Deno.test("whatever the ages are, what goes is the longest run of old events, and no more", () => {
  const ages = fc.array(fc.constantFrom(OLD, OLD, OLD, YOUNG), { maxLength: 150 });
  fc.assert(
    fc.property(ages, fc.nat(160), fc.boolean(), (receivedAt, throughId, hasLimit) => {
      using aged = new Aged();
      aged.add(receivedAt);
      step(aged, hasLimit ? { throughId } : {});
      const young = receivedAt.findIndex((ms) => ms >= LIMIT);
      const old = young === -1 ? receivedAt.length : young;
      const expected = Math.min(
        old,
        Math.max(0, receivedAt.length - 1),
        hasLimit ? throughId : Infinity,
      );
      equal(aged.removed, expected);
      deepEqual(aged.ids, from(expected + 1, receivedAt.length));
    }),
    { numRuns: 25 },
  );
});

Deno.test("pages that are given back make the file shorter, and every event stays as it is", () => {
  using aged = new Aged();
  aged.add(times(100, OLD), LARGE);
  aged.add(times(20, YOUNG), LARGE);
  step(aged);
  const before = aged.fileBytes, { upkeep } = aged.database;
  const { freeBytes } = upkeep.room();
  ok(freeBytes > before / 2, `${freeBytes} bytes of ${before} are free`);
  while (upkeep.room().freeBytes > 0) {
    aged.database.change(() => upkeep.shrink(upkeep.room().freeBytes, 5));
  }
  equal(aged.fileBytes, before - freeBytes);
  deepEqual(aged.ids, from(101, 120));
  const texts = query<{ metadata: string }>(aged.path, "SELECT DISTINCT metadata FROM events");
  deepEqual(texts.map(({ metadata }) => JSON.parse(metadata)), [{ m: LARGE }]);
  equal(query<{ ok: string }>(aged.path, "SELECT * FROM pragma_integrity_check").length, 1);
});

Deno.test("no more is given back than was asked for, as to whole steps", () => {
  using aged = new Aged();
  aged.add(times(100, OLD), LARGE);
  step(aged);
  const { upkeep } = aged.database, before = upkeep.room().freeBytes;
  aged.database.change(() => upkeep.shrink(100_000, 1000));
  const given = before - upkeep.room().freeBytes;
  ok(given >= 100_000 && given < 200_000, `${given} bytes were given back`);
});

Deno.test("a database of an earlier version does not shrink, and what is freed is used again", () => {
  using folder = newFolder();
  makeVersion3(folder.database);
  const database = openDatabase(folder.database);
  equal(database.upkeep.canShrink, false);
  database.write(batchOf(1, times(50, 1).map(() => LARGE)));
  const { fileBytes } = database.upkeep.room();
  database.change(() => database.upkeep.removeOldest({ ...BY_AGE, receivedBefore: 9e15 }, 1000));
  database.write(batchOf(2, times(40, 1).map(() => LARGE)));
  equal(database.upkeep.room().fileBytes, fileBytes);
  database.close();
});
