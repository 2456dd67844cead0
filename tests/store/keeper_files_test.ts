/** A keeper whose database is moved, deleted or damaged, and a journal that somebody destroyed. */

import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { balance, storedTerms } from "../../lib/account.ts";
import { Journal } from "../../lib/store/journal.ts";
import { Keeper } from "../../lib/store/keeper.ts";
import { batchOf, openDatabase, RUN_ID, storedMarks } from "./batches.ts";
import { Kept, startOf, stateOf } from "./kept.ts";

/** Overwrites all but the first page of a file, in place. */
function damage(path: string): void {
  using file = Deno.openSync(path, { write: true });
  const { size } = file.statSync();
  file.seekSync(8192, Deno.SeekMode.Start);
  for (let at = 8192; at < size; at += 8192) file.writeSync(new Uint8Array(8192).fill(0xab));
}

/** What the account is off by if all that was written was acknowledged. */
function residual({ keeper, acknowledged }: Kept): number {
  const terms = storedTerms(keeper.state, acknowledged, 0);
  const [received, accepted] = [acknowledged, acknowledged];
  const none = { rejected: 0, duplicates: 0, recovered: 0, queued: 0, in_flight: 0 };
  return balance({ ...none, received, accepted, ...terms }).residual;
}

Deno.test("a database that was moved away keeps all that was committed, and a new one the rest", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  const moved = `${kept.folder}/moved.db`;
  Deno.renameSync(kept.path, moved);
  const levels = [kept.write(2, ["b"]), kept.write(3, ["c"])];
  for (const level of levels) ok(["committed", "journaled"].includes(level), level);
  ok(kept.notices.some((text) => /moved or deleted/.test(text)), kept.notices.join("\n"));
  kept.drainAll();
  equal(kept.write(4, ["d"]), "committed");
  deepEqual(kept.marks, ["b", "c", "d"]);
  const stored = storedMarks(moved);
  equal(stored[0], "a", "what was committed is not in the moved file");
  equal(kept.keeper.database?.progress(RUN_ID)?.settled, 4, "receipts of this run go wrong");
});

Deno.test("a database that was moved while the journal is applied loses nothing", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  {
    using other = new DatabaseSync(kept.path);
    other.exec("BEGIN IMMEDIATE");
    equal(kept.write(2, ["b"]), "journaled");
  }
  Deno.renameSync(kept.path, `${kept.folder}/moved.db`);
  throws(() => kept.keeper.drain(), /moved or deleted/);
  equal(kept.journal.records, 1);
  deepEqual(kept.drainAll(), stateOf(2));
  deepEqual(kept.marks, ["b"]);
});

Deno.test("dead letters in a database that was moved away still count", () => {
  using kept = new Kept();
  const deadLetters = [{
    receivedAt: 1,
    source: "s",
    protocol: "test",
    reason: "no",
    raw: "2",
    isDecoded: true,
    index: 1,
  }];
  const batch = batchOf(1, [1, 2, 3], { skip: [1], deadLetters });
  deepEqual(kept.keeper.write(batch), { kind: "committed" });
  Deno.renameSync(kept.path, `${kept.folder}/moved.db`);
  kept.write(2, ["b"]);
  deepEqual(kept.drainAll(), stateOf(4, { deadLettered: 1 }));
});

Deno.test("a database that was deleted is made anew and goes on", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  Deno.removeSync(kept.path);
  kept.write(2, ["b"]);
  kept.drainAll();
  equal(kept.write(3, ["c"]), "committed");
  deepEqual(kept.marks, ["b", "c"]);
});

Deno.test("events go to the journal while the folder of the database is missing", () => {
  let isMissing = false;
  using kept = new Kept({
    wrap: (database) => {
      if (!isMissing) return database;
      database.close();
      throw new Error("no such folder");
    },
  });
  isMissing = true;
  kept.keeper.close(); // the connection is gone
  equal(kept.write(1, ["a"]), "journaled");
  equal(kept.write(2, ["b"]), "journaled");
  throws(() => kept.keeper.drain(), /no such folder/);
  isMissing = false;
  kept.drainAll();
  deepEqual(kept.marks, ["a", "b"]);
});

for (const rotate of [false, true]) {
  const what = rotate ? "is moved aside and made anew" : "is left as it is, events are journaled";
  Deno.test(`a database that is damaged while it is open ${what}`, () => {
    using kept = new Kept({ rotate });
    const text = "x".repeat(2000);
    equal(kept.write(1, Array(50).fill(text)), "committed");
    kept.keeper.database?.checkpointAll();
    damage(kept.path);
    const before = Deno.readFileSync(kept.path);
    // What SQLite has read of it is still good: it may notice only on a new connection.
    kept.keeper.close();
    equal(kept.write(2, ["b"]), "journaled");
    if (rotate) {
      equal(kept.asides.length, 1);
      deepEqual(Deno.readFileSync(kept.asides[0] ?? ""), before);
      ok(kept.notices.some((notice) => /damaged and is moved aside/.test(notice)));
      kept.drainAll();
      equal(kept.write(3, ["c"]), "committed");
      deepEqual(kept.marks, ["b", "c"]);
    } else {
      throws(() => kept.keeper.drain(), { code: "database-corrupt" });
      equal(kept.write(3, ["c"]), "journaled");
      deepEqual(Deno.readFileSync(kept.path), before, "the damaged database was written to");
      equal(kept.journal.records, 2);
    }
  });
}

Deno.test("[G10] records that somebody destroyed are told as lost, also if the rest can not be applied yet", () => {
  using kept = new Kept();
  {
    using other = new DatabaseSync(kept.path);
    other.exec("BEGIN IMMEDIATE");
    equal(kept.write(1, ["a"]), "journaled");
    const { bytes } = kept.journal;
    equal(kept.write(2, ["b", "c"]), "journaled");
    Deno.truncateSync(`${kept.path}.journal.000001`, bytes);
    throws(() => kept.keeper.drain(), /locked/);
    match(kept.notices.at(-1) ?? "", /^2 events .* can not be read any more/);
    equal(residual(kept), 0, "while the rest is in the journal");
  }
  deepEqual(kept.drainAll(), stateOf(3, { lost: 2 }));
  equal(residual(kept), 0);
  deepEqual(kept.marks, ["a"]);
  equal(kept.keeper.database?.progress(RUN_ID)?.settled, 3, "receipts wait for what is lost");
});

Deno.test("[G10] a journal that was destroyed whole is told as lost, and batches are committed again later", () => {
  using kept = new Kept();
  {
    using other = new DatabaseSync(kept.path);
    other.exec("BEGIN IMMEDIATE");
    equal(kept.write(1, ["a", "b"]), "journaled");
  }
  Deno.removeSync(`${kept.path}.journal.000001`);
  deepEqual(kept.drainAll(), stateOf(2, { lost: 2 }));
  equal(kept.write(2, ["c"]), "journaled", "the database took a batch ahead of a lost one");
  kept.drainAll();
  equal(kept.write(3, ["d"]), "committed");
  deepEqual(kept.marks, ["c", "d"]);
  deepEqual([kept.keeper.state, residual(kept)], [stateOf(4, { lost: 2 }), 0]);
});

Deno.test("what of an earlier run was destroyed is lost, and not taken for events of this one", () => {
  using kept = new Kept();
  kept.journal.append({ run: "earlier", number: 1, events: 3, rows: batchOf(1, [1, 2, 3]).rows });
  const database = openDatabase(kept.path);
  const keeper = new Keeper(startOf({ database, journaled: 3, recovered: 3 }), kept.options);
  Deno.removeSync(`${kept.path}.journal.000001`);
  while (keeper.isJournaling) keeper.drain();
  deepEqual(keeper.state, stateOf(0, { lost: 3 }));
  equal(keeper.database?.progress(RUN_ID)?.settled, 0, "a receipt would say committed too early");
  keeper.close();
});

Deno.test("what of an earlier run was destroyed does not hold up what this one journaled", () => {
  using kept = new Kept();
  const path = `${kept.path}.journal`;
  {
    using earlier = new Journal({ path, bytesMax: 1 << 30 });
    earlier.append({ run: "earlier", number: 1, events: 3, rows: batchOf(1, [1, 2, 3]).rows });
  }
  using journal = new Journal({ path, bytesMax: 1 << 30 });
  const database = openDatabase(kept.path);
  const start = startOf({ database, journaled: 3, recovered: 3 });
  const keeper = new Keeper(start, { ...kept.options, journal });
  deepEqual(keeper.write(batchOf(1, ["a", "b"])), { kind: "journaled" });
  Deno.removeSync(`${path}.000001`);
  while (keeper.isJournaling) keeper.drain();
  deepEqual(storedMarks(kept.path), ["a", "b"]);
  deepEqual(keeper.state, stateOf(2, { lost: 3 }), "nothing would be called committed any more");
  keeper.close();
});

Deno.test("a batch that meets a journal that can not be written fails and names both reasons", () => {
  using kept = new Kept();
  using other = new DatabaseSync(kept.path);
  other.exec("BEGIN IMMEDIATE");
  kept.journal.close();
  const outcome = kept.keeper.write(batchOf(1, ["a"]));
  ok(outcome.kind === "failed");
  match(outcome.reason, /locked.*closed/);
});
