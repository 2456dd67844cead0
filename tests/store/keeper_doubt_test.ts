/** A keeper whose database says less than it did, or meets errors of the disk. */

import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { SqliteError } from "../../lib/sqlite/driver.ts";
import { batchOf } from "./batches.ts";
import { Kept, lock, patched, stateOf } from "./kept.ts";

const IO_ERROR = 10;

Deno.test("[G7] a commit that happened and said that it did not is not applied a second time", () => {
  let inDoubt = 0;
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
  equal(kept.write(1, ["a"]), "committed");
  inDoubt = 1;
  equal(kept.write(2, ["b"]), "journaled");
  deepEqual(kept.marks, ["a", "b"]);
  equal(kept.keeper.database, null, "the connection is still used");
  equal(kept.write(3, ["c"]), "journaled");
  deepEqual(kept.keeper.state, stateOf(1, { journaled: 2 }));
  deepEqual(kept.drainAll(), stateOf(3));
  deepEqual([kept.marks, kept.journal.records], [["a", "b", "c"], 0]);
});

Deno.test("[G7] a commit that happened, said that it did not, and is written again counts once", () => {
  let inDoubt = 1;
  using kept = new Kept({
    mayJournal: false,
    wrap: (database) =>
      patched(database, {
        write: (batch) => {
          const outcome = database.write(batch);
          if (inDoubt-- > 0) throw new SqliteError("disk I/O error", IO_ERROR, undefined);
          return outcome;
        },
      }),
  });
  const deadLetters = [{
    receivedAt: 1,
    source: "s",
    protocol: "test",
    reason: "no",
    raw: "2",
    isDecoded: true,
    index: 1,
  }];
  const batch = batchOf(1, ["a", "x", "b"], { skip: [1], deadLetters });
  deepEqual(kept.keeper.write(batch), { kind: "failed", reason: "disk I/O error" });
  deepEqual(kept.keeper.write(batch), { kind: "committed" });
  deepEqual([kept.marks, kept.keeper.state], [["a", "b"], stateOf(3, { deadLettered: 1 })]);
});

Deno.test("[G7] an application that happened and said that it did not is counted once", () => {
  let inDoubt = 0;
  using kept = new Kept({
    wrap: (database) =>
      patched(database, {
        apply: (records) => {
          const applied = database.apply(records);
          if (inDoubt-- > 0) throw new SqliteError("disk I/O error", IO_ERROR, undefined);
          return applied;
        },
      }),
  });
  {
    using _ = lock(kept.path);
    equal(kept.write(1, ["a", "b"]), "journaled");
  }
  inDoubt = 1;
  throws(() => kept.keeper.drain(), /I\/O error/);
  equal(kept.journal.records, 1);
  deepEqual(kept.drainAll(), stateOf(2));
  deepEqual(kept.marks, ["a", "b"]);
});

Deno.test("[G7] after an error of the disk the new connection is checked before it is used", () => {
  const calls: string[] = [];
  let failing = 0;
  using kept = new Kept({
    wrap: (database) =>
      patched(database, {
        recheck: () => {
          calls.push("recheck");
          database.recheck();
        },
        write: (batch) => {
          calls.push("write");
          if (failing-- > 0) throw new SqliteError("disk I/O error", IO_ERROR, undefined);
          return database.write(batch);
        },
        apply: (records) => {
          calls.push("apply");
          return database.apply(records);
        },
      }),
  });
  failing = 1;
  equal(kept.write(1, ["a"]), "journaled");
  deepEqual(calls, ["write"], "the same call was tried again on the same connection");
  kept.drainAll();
  deepEqual(calls, ["write", "recheck", "apply"]);
  equal(kept.write(2, ["b"]), "committed");
  deepEqual(kept.marks, ["a", "b"]);
});

Deno.test("[G7] an error of the disk while it is opened again makes the next connection be checked", () => {
  const calls: string[] = [];
  let failing = 0;
  const fail = () => {
    if (failing-- > 0) throw new SqliteError("disk I/O error", IO_ERROR, undefined);
  };
  using kept = new Kept({
    wrap: (database) =>
      patched(database, {
        recheck: () => {
          calls.push("recheck");
          database.recheck();
        },
        takeOver: (known, seed) => {
          calls.push("takeOver");
          fail();
          return database.takeOver(known, seed);
        },
      }),
  });
  kept.keeper.close(); // the connection is gone, for a reason that is not the disk's
  failing = 1;
  equal(kept.write(1, ["a"]), "journaled");
  deepEqual(calls, ["takeOver"]);
  kept.drainAll();
  deepEqual(calls, ["takeOver", "recheck", "takeOver"]);
  deepEqual(kept.marks, ["a"]);
});

for (const [what, kind] of [["busy", 5], ["locked", 6], ["a full disk", 13]] as const) {
  Deno.test(`after ${what} the same connection is used again`, () => {
    let failing = 1, opened = 0;
    using kept = new Kept({
      wrap: (database) => {
        opened++;
        return patched(database, {
          write: (batch) => {
            if (failing-- > 0) throw new SqliteError(what, kind, undefined);
            return database.write(batch);
          },
        });
      },
    });
    equal(kept.write(1, ["a"]), "journaled");
    kept.drainAll();
    equal(opened, 1);
    deepEqual(kept.marks, ["a"]);
  });
}
