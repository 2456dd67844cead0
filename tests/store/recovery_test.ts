import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { encodeBatch } from "../../lib/event.ts";
import { EventIds } from "../../lib/event_ids.ts";
import { Requests } from "../../lib/idempotency.ts";
import type { Database } from "../../lib/store/database.ts";
import { journalPath } from "../../lib/store/files.ts";
import { Keeper } from "../../lib/store/keeper.ts";
import { recover, type Recovery } from "../../lib/store/recovery.ts";
import type { Run } from "../../lib/store/runs_table.ts";
import { keyed, withIds } from "../fakes/collecting.ts";
import { batchOf, NO_PROGRESS, openDatabase, RUN_ID, runOf, storedMarks } from "./batches.ts";
import { Kept, startOf, stateOf } from "./kept.ts";

const NEXT = runOf("00000000000000bb");

/** What a start of the next run finds, as after a crash: nothing of the last one was closed. */
class Restarted implements Disposable {
  readonly database: Database;
  readonly recovery: Recovery;
  readonly keeper: Keeper<Database>;
  readonly path: string;

  constructor(crashed: Kept, run: Run = NEXT) {
    const folder = `${crashed.folder}/copy`;
    Deno.mkdirSync(folder);
    for (const { name, isFile } of [...Deno.readDirSync(crashed.folder)]) {
      if (isFile) Deno.copyFileSync(`${crashed.folder}/${name}`, `${folder}/${name}`);
    }
    const path = this.path = `${folder}/events.db`;
    this.database = openDatabase(path, { run });
    const seed = this.database.remembered().seed;
    this.recovery = recover({
      path: journalPath(path),
      bytesMax: 1 << 30,
      run: run.id,
      database: this.database,
      remember: { seed, eventIds: 1000, requests: 1000 },
    });
    const progress = this.database.progress(run.id) ?? NO_PROGRESS;
    const lastNumber = Math.max(progress.lastBatch, this.recovery.lastNumber);
    const start = startOf({ ...this.recovery, database: this.database, progress, lastNumber });
    this.keeper = new Keeper(start, {
      run: run.id,
      mayJournal: true,
      journal: this.recovery.journal,
      open: () => openDatabase(path, { run }),
      moveAside: null,
      notice: () => {},
    });
  }

  drainAll(): void {
    while (this.keeper.isJournaling) this.keeper.drain();
  }

  [Symbol.dispose](): void {
    this.keeper.close();
    this.recovery.journal.close();
  }
}

/** Journals batches of these marks, from this number on. */
function journaled(kept: Kept, first: number, batches: readonly (readonly unknown[])[]): void {
  using other = new DatabaseSync(kept.path);
  other.exec("BEGIN IMMEDIATE");
  batches.forEach((marks, i) => equal(kept.write(first + i, marks), "journaled"));
}

Deno.test("after a crash what is in the journal is recovered, and the next run goes behind it", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  journaled(kept, 2, [["b", "c"], ["d"]]);
  using next = new Restarted(kept);
  const { journaled: found, recovered, lastNumber } = next.recovery;
  deepEqual([found, recovered, lastNumber], [3, 3, 0]);
  deepEqual(next.keeper.state, stateOf(0, { journaled: 3, recoveredLeft: 3 }));
  deepEqual(next.keeper.write(batchOf(1, ["e"])), { kind: "journaled" });
  deepEqual(next.keeper.state, stateOf(0, { journaled: 4, recoveredLeft: 3 }));
  deepEqual(storedMarks(next.path), ["a"]);
  next.drainAll();
  deepEqual(next.keeper.state, stateOf(1));
  deepEqual(storedMarks(next.path), ["a", "b", "c", "d", "e"]);
  deepEqual(next.keeper.write(batchOf(2, ["f"])), { kind: "committed" });
});

Deno.test("after a crash between commit and removal only the rest is recovered", () => {
  using kept = new Kept();
  journaled(kept, 1, [["a", "b"], ["c"], ["d"]]);
  const [first, second] = kept.journal.peek({ eventsMax: 3, bytesMax: 1e6 });
  if (first === undefined || second === undefined) throw new Error("nothing was journaled");
  kept.keeper.database?.apply([first, second]);
  using next = new Restarted(kept);
  deepEqual([next.recovery.journaled, next.recovery.journal.events], [1, 1]);
  next.drainAll();
  deepEqual(next.keeper.state, stateOf(0));
  deepEqual(storedMarks(next.path), ["a", "b", "c", "d"]);
});

Deno.test("after a crash when all was applied nothing is recovered and no segment is left", () => {
  using kept = new Kept();
  journaled(kept, 1, [["a"], ["b"]]);
  kept.keeper.database?.apply(kept.journal.peek({ eventsMax: 9, bytesMax: 1e6 }));
  using next = new Restarted(kept);
  deepEqual([next.recovery.journaled, next.keeper.isJournaling], [0, false]);
  const names = [...Deno.readDirSync(`${kept.folder}/copy`)].map(({ name }) => name);
  deepEqual(names.filter((name) => name.includes("journal")), []);
  deepEqual(next.keeper.write(batchOf(1, ["c"])), { kind: "committed" });
  deepEqual(storedMarks(next.path), ["a", "b", "c"]);
});

Deno.test("a batch that was committed in doubt and journaled is not stored twice after a crash", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  kept.journal.append({ run: RUN_ID, number: 1, events: 1, rows: batchOf(1, ["a"]).rows });
  kept.journal.append({ run: RUN_ID, number: 2, events: 1, rows: batchOf(2, ["b"]).rows });
  using next = new Restarted(kept);
  equal(next.recovery.journaled, 1);
  next.drainAll();
  deepEqual(next.keeper.state, stateOf(0));
  deepEqual(storedMarks(next.path), ["a", "b"]);
});

Deno.test("a batch that is in the journal twice counts once", () => {
  using kept = new Kept();
  for (const number of [1, 2, 2]) { // the first flush of 2 said that it failed
    kept.journal.append({ run: RUN_ID, number, events: 1, rows: batchOf(number, [number]).rows });
  }
  using next = new Restarted(kept);
  deepEqual([next.recovery.journaled, next.recovery.recovered], [2, 2]);
  next.drainAll();
  deepEqual(storedMarks(next.path), [1, 2]);
  deepEqual(next.keeper.state, stateOf(0), "what was there twice is told as lost or left");
});

Deno.test("a journal is opened also if the database can not be read, and all in it may be new", () => {
  using kept = new Kept();
  for (const number of [1, 2, 2]) {
    kept.journal.append({ run: RUN_ID, number, events: 2, rows: batchOf(number, [1, 2]).rows });
  }
  kept.journal.append({ run: NEXT.id, number: 1, events: 1, rows: batchOf(1, [3]).rows });
  kept.journal.close();
  const path = journalPath(kept.path);
  const options = { path, bytesMax: 1 << 30, run: RUN_ID, database: null, remember: null };
  const { journal, ...found } = recover(options);
  deepEqual([found.lastNumber, found.journaled, found.recovered, journal.records], [2, 5, 1, 4]);
  deepEqual([found.eventIds.length, found.requests.length], [0, 0]);
  journal.close();
});

Deno.test("a Worker that starts again in the same run goes on behind what it had journaled", () => {
  using kept = new Kept();
  equal(kept.write(1, ["a"]), "committed");
  journaled(kept, 2, [["b"], ["c"]]);
  using again = new Restarted(kept, runOf(RUN_ID));
  deepEqual([again.recovery.lastNumber, again.recovery.recovered], [3, 0]);
  deepEqual(again.keeper.state, stateOf(1, { journaled: 2 }));
  deepEqual(again.keeper.write(batchOf(3, ["c"])), { kind: "journaled" });
  deepEqual(again.keeper.write(batchOf(4, ["d"])), { kind: "journaled" });
  again.drainAll();
  deepEqual(again.keeper.state, stateOf(4));
  deepEqual(storedMarks(again.path), ["a", "b", "c", "d"]);
});

Deno.test("event ids and keys in the journal and in the database are known after a crash", () => {
  using kept = new Kept();
  const seed = kept.keeper.database?.remembered().seed ?? new Uint32Array();
  const before = new Requests(10, seed, new Uint32Array());
  const batch = (number: number, id: string, key: string) => {
    const outcome = { accepted: 1, duplicates: 0, sequence: number };
    const request = before.remember(keyed(key), outcome);
    const rows = encodeBatch([{ ...withIds([id], number), request }]);
    return { number, events: 1, rows, aside: 0, skip: [], deadLetters: [] };
  };
  equal(kept.keeper.write(batch(1, "in the database", "k1")).kind, "committed");
  {
    using other = new DatabaseSync(kept.path);
    other.exec("BEGIN IMMEDIATE");
    equal(kept.keeper.write(batch(2, "in the journal", "k2")).kind, "journaled");
  }
  using next = new Restarted(kept);
  const found = next.database.remembered(), { recovery } = next;
  deepEqual(found.seed, seed);
  for (
    const [ids, id] of [[found.eventIds, "in the database"], [
      recovery.eventIds,
      "in the journal",
    ]] as const
  ) {
    equal(ids.length, 4);
    equal(new EventIds(10, seed, ids).keepNew(withIds([id])), null, id);
  }
  for (const [requests, key] of [[found.requests, "k1"], [recovery.requests, "k2"]] as const) {
    equal(new Requests(10, seed, requests).find(keyed(key))?.isSameBody, true, key);
  }
  next.drainAll();
  equal(next.database.remembered().eventIds.length, 8, "applying does not remember");
  equal(next.database.remembered().requests.length, 22);
});

Deno.test("what was applied before the crash is remembered by the database, not a second time", () => {
  using kept = new Kept();
  const rows = encodeBatch([withIds(["a", "b"])]);
  {
    using other = new DatabaseSync(kept.path);
    other.exec("BEGIN IMMEDIATE");
    equal(kept.keeper.write({ ...batchOf(1, [1, 2]), rows }).kind, "journaled");
  }
  kept.keeper.database?.apply(kept.journal.peek({ eventsMax: 9, bytesMax: 1e6 }));
  using next = new Restarted(kept);
  deepEqual([next.recovery.eventIds.length, next.database.remembered().eventIds.length], [0, 8]);
});
