/** Batches that carry dead letters beside their rows: into the database, also through the journal. */

import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import type { Submission } from "../../lib/event.ts";
import { SqliteError } from "../../lib/sqlite/driver.ts";
import { Keeper } from "../../lib/store/keeper.ts";
import { query } from "../e2e/rows.ts";
import { letters } from "../fakes/letters.ts";
import { submission } from "../fakes/submissions.ts";
import { batchOfParts, elsewhere, newFolder, openDatabase, RUN_ID, runCounts } from "./batches.ts";
import { Kept, lock, patched, startOf, stateOf } from "./kept.ts";

const IO_ERROR = 778;

/** Rows 1, 2 and 3 at the places 1, 2 and 5, letters a, b, c and d around them. */
const MIXED: readonly Submission[] = [
  letters(["a"]),
  submission([1, 2]),
  letters(["b", "c"]),
  submission([3]),
  letters(["d"]),
];
const MIXED_STORED = { users: [1, 2, 3], letters: ["0 a", "3 b", "4 c", "6 d"] };

/** The users of the stored events, and the dead letters with their places in the run. */
function stored(path: string, run = RUN_ID): typeof MIXED_STORED {
  const users = query<{ user_id: bigint }>(path, "SELECT user_id FROM events ORDER BY id");
  const found = query<{ sequence: bigint; raw: string }>(
    path,
    `SELECT sequence, raw FROM dead_letters WHERE run = '${run}' ORDER BY id`,
  );
  return {
    users: users.map(({ user_id }) => Number(user_id)),
    letters: found.map(({ sequence, raw }) => `${sequence} ${raw}`),
  };
}

/** Has the database refuse the event of a user. */
function refuse(path: string, user: number): void {
  elsewhere(
    path,
    `CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.user_id = ${user}
       BEGIN SELECT RAISE(ABORT, 'not this one'); END`,
  );
}

Deno.test("rows and letters of a batch are stored in one transaction, and written twice once", () => {
  using folder = newFolder();
  const database = openDatabase(folder.database);
  for (const _ of [1, 2]) {
    deepEqual(database.write(batchOfParts(1, MIXED)), { kind: "committed" });
    deepEqual(stored(folder.database), MIXED_STORED);
    deepEqual(runCounts(folder.database), [1, 7, 3, 4]);
  }
  database.write(batchOfParts(2, [submission([4]), letters(["e"])]));
  deepEqual(stored(folder.database).letters.at(-1), "8 e", "its place counts from 0 again");
  const deadLettered = (first: number, events: number) =>
    database.deadLettered({ run: RUN_ID, first, events });
  deepEqual(
    [deadLettered(0, 1), deadLettered(1, 2), deadLettered(1, 4), deadLettered(0, 9)],
    [1, 0, 2, 5],
    "a receipt does not find the letters of its own events",
  );
  database.close();
});

Deno.test("letters that can not be stored keep the rows beside them from being stored", () => {
  using folder = newFolder();
  const database = openDatabase(folder.database);
  elsewhere(
    folder.database,
    `CREATE TRIGGER fail AFTER INSERT ON dead_letters WHEN new.raw = 'd'
       BEGIN SELECT abs(-9223372036854775807 - 1); END`,
  );
  throws(() => database.write(batchOfParts(1, MIXED)), /integer overflow/);
  deepEqual(stored(folder.database), { users: [], letters: [] });
  deepEqual(runCounts(folder.database), [0, 0, 0, 0]);
  elsewhere(folder.database, "DROP TRIGGER fail");
  database.write(batchOfParts(1, MIXED));
  deepEqual(stored(folder.database), MIXED_STORED);
  database.close();
});

Deno.test("a batch of letters alone is a batch like any other", () => {
  using kept = new Kept();
  deepEqual(kept.keeper.write(batchOfParts(1, [letters(["a", "b"])])), { kind: "committed" });
  deepEqual(kept.keeper.state, stateOf(2, { deadLettered: 2 }));
  deepEqual(stored(kept.path), { users: [], letters: ["0 a", "1 b"] });
  deepEqual(runCounts(kept.path), [1, 2, 0, 2]);
});

Deno.test("a row that the database refuses is named by its place among rows and letters", () => {
  using kept = new Kept();
  refuse(kept.path, 3);
  const batch = batchOfParts(1, MIXED);
  deepEqual(kept.keeper.write(batch), {
    kind: "rejected",
    rows: [{ index: 5, reason: "not this one" }],
  });
  deepEqual(stored(kept.path), { users: [], letters: [] });
  const letter = {
    receivedAt: 7,
    source: "test",
    protocol: "test",
    reason: "not this one",
    raw: "refused",
    isDecoded: true,
    index: 5,
  };
  const again = { ...batch, skip: [5], deadLetters: [letter] };
  deepEqual(kept.keeper.write(again), { kind: "committed" });
  deepEqual(stored(kept.path).users, [1, 2]);
  deepEqual(stored(kept.path).letters.toSorted(), ["0 a", "3 b", "4 c", "5 refused", "6 d"]);
  deepEqual(runCounts(kept.path), [1, 7, 2, 5]);
  deepEqual(kept.keeper.state, stateOf(7, { deadLettered: 5 }));
});

Deno.test("through the journal rows and letters end where they would have without it", () => {
  using kept = new Kept();
  {
    using _ = lock(kept.path);
    for (const _ of [1, 2]) {
      deepEqual(kept.keeper.write(batchOfParts(1, MIXED)), { kind: "journaled" });
      deepEqual(kept.keeper.state, stateOf(0, { journaled: 7 }), "counted before it is one");
    }
    deepEqual(kept.keeper.write(batchOfParts(2, [letters(["e"]), submission([4])])), {
      kind: "journaled",
    });
  }
  deepEqual(kept.drainAll(), stateOf(9, { deadLettered: 5 }));
  deepEqual(stored(kept.path), { users: [1, 2, 3, 4], letters: [...MIXED_STORED.letters, "7 e"] });
  deepEqual(runCounts(kept.path), [2, 9, 4, 5]);
  deepEqual(kept.keeper.write(batchOfParts(2, [submission([9])])), { kind: "committed" });
  deepEqual(runCounts(kept.path), [2, 9, 4, 5], "what had been applied was written again");
  deepEqual(kept.keeper.write(batchOfParts(3, [letters(["f"])])), { kind: "committed" });
  deepEqual(kept.keeper.state, stateOf(10, { deadLettered: 6 }));
});

Deno.test("a raw text survives the journal whatever it holds", () => {
  using kept = new Kept();
  const raw = "\0\x1f\x1e\n{日本語\u{1f600}\uffff";
  {
    using _ = lock(kept.path);
    kept.keeper.write(batchOfParts(1, [letters([raw])]));
  }
  kept.drainAll();
  deepEqual(
    kept.keeper.database?.deadLetters({ after: 0, limit: 9 }).map((letter) => letter.raw),
    [raw],
  );
});

Deno.test("a row refused on its way out of the journal joins the letters of its batch", () => {
  using kept = new Kept();
  {
    using _ = lock(kept.path);
    kept.keeper.write(batchOfParts(1, MIXED));
  }
  refuse(kept.path, 2);
  deepEqual(kept.drainAll(), stateOf(7, { deadLettered: 5 }));
  deepEqual(stored(kept.path).users, [1, 3]);
  deepEqual(stored(kept.path).letters.toSorted(), ["0 a", '2 {"n":2}', "3 b", "4 c", "6 d"]);
  deepEqual(runCounts(kept.path), [1, 7, 2, 5]);
});

Deno.test("[G7] a commit that happened and said that it did not has its letters once", () => {
  let inDoubt = 1;
  using kept = new Kept({
    wrap: (database) =>
      patched(database, {
        write: (batch) => {
          const outcome = database.write(batch);
          if (inDoubt-- > 0) throw new SqliteError("disk I/O error", IO_ERROR, undefined);
          return outcome;
        },
      }),
  });
  deepEqual(kept.keeper.write(batchOfParts(1, MIXED)), { kind: "journaled" });
  deepEqual(kept.drainAll(), stateOf(7, { deadLettered: 4 }));
  deepEqual(stored(kept.path), MIXED_STORED);
  deepEqual(runCounts(kept.path), [1, 7, 3, 4]);
});

Deno.test("letters that an earlier run left in the journal are recovered as letters of that run", () => {
  const earlier = "00000000000000cc";
  using kept = new Kept();
  const { events, rows } = batchOfParts(1, MIXED);
  kept.journal.append({ run: earlier, number: 1, events, rows });
  const database = openDatabase(kept.path);
  const keeper = new Keeper(
    startOf({ database, journaled: events, recovered: events }),
    kept.options,
  );
  while (keeper.isJournaling) keeper.drain();
  deepEqual(keeper.state, stateOf(0, { deadLettered: 4 }));
  deepEqual(stored(kept.path, earlier), MIXED_STORED);
  deepEqual(runCounts(kept.path, earlier), [1, 7, 3, 4]);
  keeper.close();
});
