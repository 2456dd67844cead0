import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { Keeper } from "../../lib/store/keeper.ts";
import { query } from "../e2e/rows.ts";
import { batchOf, elsewhere, encoded, openDatabase, RECEIVED_AT, RUN_ID } from "./batches.ts";
import { Kept, lock, startOf, stateOf } from "./kept.ts";

Deno.test("a batch goes into the database while that takes it, and not into the journal", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  deepEqual([kept.marks, kept.journal.records, kept.keeper.isJournaling], [["a"], 0, false]);
  deepEqual([kept.keeper.state, kept.keeper.lastNumber], [stateOf(1), 1]);
  deepEqual(kept.notices, []);
});

Deno.test("while the database is locked batches are journaled, then applied in order, once", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  {
    using _ = lock(kept.path);
    for (const number of [2, 3, 4]) equal(kept.write(number, [number, `${number}b`]), "journaled");
    throws(() => kept.keeper.drain(), /locked/);
    deepEqual([kept.marks, kept.journal.events], [["a"], 6]);
    deepEqual([kept.keeper.state, kept.keeper.lastNumber], [stateOf(1, { journaled: 6 }), 4]);
  }
  equal(kept.write(5, ["behind"]), "journaled", "it overtook what is in the journal");
  deepEqual(kept.drainAll(), stateOf(8));
  const all = ["a", 2, "2b", 3, "3b", 4, "4b", "behind"];
  deepEqual([kept.marks, kept.journal.records], [all, 0]);
  equal(kept.write(6, ["after"]), "committed");
  deepEqual(kept.marks, [...all, "after"]);
  equal(kept.notices.length, 2);
  match(kept.notices[0] ?? "", /go to the journal: .*locked/);
  match(kept.notices[1] ?? "", /takes events again/);
});

Deno.test("a batch that is written again is answered by its level, and not stored again", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  {
    using _ = lock(kept.path);
    equal(kept.write(2, ["b"]), "journaled");
    deepEqual([kept.write(1, ["a"]), kept.write(2, ["b"])], ["committed", "journaled"]);
  }
  equal(kept.journal.records, 1);
  kept.drainAll();
  equal(kept.write(2, ["b"]), "committed");
  deepEqual(kept.marks, ["a", "b"]);
});

Deno.test("a batch before which one is missing fails, whether there is a journal or not", () => {
  using kept = new Kept();
  equal(kept.write(2, ["early"]), "batch 1 comes before 2");
  using _ = lock(kept.path);
  equal(kept.write(1, ["a"]), "journaled");
  equal(kept.write(3, ["early"]), "batch 2 comes before 3");
  deepEqual([kept.marks, kept.journal.records], [[], 1]);
});

Deno.test("a row that never goes in is named, and set aside by the batch that comes again", () => {
  using kept = new Kept();
  refuse(kept.path, 2);
  const outcome = kept.keeper.write(batchOf(1, [1, 2, 3]));
  deepEqual(outcome, { kind: "rejected", rows: [{ index: 1, reason: "no two" }] });
  const deadLetters = [{
    receivedAt: 1,
    source: "s",
    protocol: "test",
    reason: "no two",
    raw: "2",
    isDecoded: true,
    index: 1,
  }];
  const again = kept.keeper.write(batchOf(1, [1, 2, 3], { skip: [1], deadLetters }));
  deepEqual([again, kept.marks], [{ kind: "committed" }, [1, 3]]);
  deepEqual(kept.keeper.state, stateOf(3, { deadLettered: 1 }));
});

for (const protocol of ["native", "segment"]) {
  Deno.test(`a row that never goes in becomes a dead letter out of the journal, the others are rows: ${protocol}`, () => {
    using kept = new Kept();
    const metadata = '{ "m" : 2, "f":1.0, "a":1, "a":2, "s":"\\u0000😀" }';
    const event = { userId: "9007199254740993", timestamp: "t", actor: null, type: null };
    const rows = encoded([
      { ...event, metadata: '{"m":1}', eventId: null },
      { ...event, metadata, eventId: 'i"d' },
    ], protocol);
    {
      using _ = lock(kept.path);
      equal(kept.write(1, ["a", "b"]), "journaled");
      deepEqual(kept.keeper.write({ ...batchOf(2, [1, 2]), rows }), { kind: "journaled" });
      equal(kept.write(3, ["c"]), "journaled");
    }
    refuse(kept.path, 2);
    deepEqual(kept.drainAll(), stateOf(5, { deadLettered: 1 }));
    deepEqual(kept.marks, ["a", "b", 1, "c"]);
    const [letter] = query<Record<string, unknown>>(kept.path, "SELECT * FROM dead_letters");
    const raw = protocol === "native"
      ? `{"id":"i\\"d","user_id":9007199254740993,"timestamp":"t","metadata":${metadata}}`
      : metadata; // which is the event as sent
    deepEqual({ ...letter }, {
      id: 1n,
      received_at: BigInt(RECEIVED_AT),
      source: "test",
      protocol,
      reason: "no two",
      raw,
      decoded: 1n,
      run: RUN_ID,
      sequence: 3n,
    });
    equal(typeof JSON.parse(raw), "object");
    equal(kept.keeper.database?.deadLettered({ run: RUN_ID, first: 3, events: 1 }), 1);
  });
}

/** Has the database refuse the events whose metadata has this mark. */
function refuse(path: string, mark: number): void {
  elsewhere(
    path,
    `CREATE TRIGGER refuse BEFORE INSERT ON events WHEN json_extract(new.metadata, '$.m') = ${mark}
     BEGIN SELECT RAISE(ABORT, 'no two'); END`,
  );
}

Deno.test("a journal at its cap takes nothing more, and works again when it was applied", () => {
  using kept = new Kept({ journalBytes: 700 });
  {
    using _ = lock(kept.path);
    equal(kept.write(1, ["a"]), "journaled");
    equal(kept.write(2, ["b"]), "journaled");
    match(kept.write(3, ["x".repeat(400)]), /reached its 700 B/);
    deepEqual(kept.journal.events, 2);
    match(kept.write(3, ["x".repeat(400)]), /reached its 700 B/, "it was taken for kept");
  }
  kept.drainAll();
  using _ = lock(kept.path);
  equal(kept.write(3, ["c"]), "journaled");
  ok(kept.journal.bytes <= 700);
  deepEqual(kept.marks, ["a", "b"]);
});

Deno.test("a database and a journal that both take nothing are both named", () => {
  using kept = new Kept({ journalBytes: 1 });
  using _ = lock(kept.path);
  match(kept.write(1, ["a"]), /locked.*; and the journal: .*reached its 1 B/);
  deepEqual([kept.notices, kept.keeper.isJournaling], [[], false]);
});

Deno.test("without a journal a batch fails, and fits when the database takes it", () => {
  using kept = new Kept({ mayJournal: false });
  {
    using _ = lock(kept.path);
    equal(kept.write(1, ["a"]), "database is locked");
  }
  equal(kept.journal.records, 0);
  equal(kept.write(1, ["a"]), "committed");
});

Deno.test("without a journal what an earlier run left in it is applied first", () => {
  using kept = new Kept({ mayJournal: false });
  kept.journal.append({ run: "earlier", number: 7, events: 1, rows: batchOf(7, ["old"]).rows });
  const database = openDatabase(kept.path);
  const keeper = new Keeper(startOf({ database, journaled: 1, recovered: 1 }), kept.options);
  deepEqual(keeper.state, stateOf(0, { journaled: 1, recoveredLeft: 1 }));
  deepEqual(keeper.write(batchOf(1, ["new"])), {
    kind: "failed",
    reason: "the journal of an earlier run is being applied",
  });
  keeper.drain();
  deepEqual(keeper.state, stateOf(0), "events of another run were taken for its own");
  deepEqual(keeper.write(batchOf(1, ["new"])), { kind: "committed" });
  deepEqual(kept.marks, ["old", "new"]);
  keeper.close();
});

Deno.test("a dead letter of an earlier run counts since the start, and not as settled", () => {
  using kept = new Kept();
  refuse(kept.path, 2);
  kept.journal.append({ run: "earlier", number: 1, events: 2, rows: batchOf(1, [1, 2]).rows });
  const keeper = new Keeper(
    startOf({ database: openDatabase(kept.path), journaled: 2, recovered: 2 }),
    kept.options,
  );
  while (keeper.isJournaling) keeper.drain();
  deepEqual([keeper.state, kept.marks], [stateOf(0, { deadLettered: 1 }), [1]]);
  keeper.close();
});

Deno.test("a keeper that begins without a database journals, and goes on when there is one", () => {
  let isMissing = true;
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  const known = { progress: kept.keeper.progress, lastNumber: kept.keeper.lastNumber };
  kept.keeper.close();
  const keeper = new Keeper(
    startOf({ ...known, before: { deadLettered: 3, lost: 2 } }),
    {
      ...kept.options,
      open: () => {
        if (isMissing) throw new Error("no such file");
        return openDatabase(kept.path);
      },
    },
  );
  deepEqual(keeper.state, stateOf(1, { deadLettered: 3, lost: 2 }));
  deepEqual(keeper.write(batchOf(1, ["a"])), { kind: "committed" });
  deepEqual(keeper.write(batchOf(2, ["b"])), { kind: "journaled" });
  throws(() => keeper.drain(), /no such file/);
  isMissing = false;
  while (keeper.isJournaling) keeper.drain();
  deepEqual(keeper.state, stateOf(2, { deadLettered: 3, lost: 2 }));
  deepEqual(kept.marks, ["a", "b"]);
  keeper.close();
});
