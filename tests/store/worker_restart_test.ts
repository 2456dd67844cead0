/** A Worker that ends while the database does not take everything. */

import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Batch, StoreState, WriteOutcome } from "../../lib/store.ts";
import { journalPath } from "../../lib/store/files.ts";
import { Journal } from "../../lib/store/journal.ts";
import { WorkerStore } from "../../lib/store/worker_store.ts";
import type { Fault } from "../fakes/faulty_worker.ts";
import { batchOf, keepOptionsOf, newFolder, openDatabase, storedMarks } from "./batches.ts";
import { stateOf } from "./kept.ts";

/** A store whose Worker may end, and what it told. */
class Journaling implements AsyncDisposable {
  readonly #folder = newFolder();
  readonly path = this.#folder.database;
  readonly store = new WorkerStore({
    keep: keepOptionsOf(this.path, { mayJournal: true, openTimeoutMs: 50 }),
    hangMs: 20_000,
    onHang: () => {},
    onGone: () => {},
    workerUrl: import.meta.resolve("../fakes/faulty_worker.ts"),
  });
  /** Where the events are, as told last. */
  state: StoreState | null = null;

  async open(): Promise<void> {
    const { state } = await this.store.open({
      state: (state) => this.state = state,
      notice: () => {},
    });
    this.state = state; // as the collector has it: what was told before is older
  }

  /** The next write meets the fault. */
  arm(fault: Fault): void {
    Deno.writeTextFileSync(`${this.path}.fault`, fault);
  }

  /** Writes a batch as the writer does, at most so often. */
  async write(batch: Batch, attempts = 40): Promise<WriteOutcome["kind"]> {
    for (; attempts > 0; attempts--) {
      const { kind } = await this.store.write(batch);
      if (kind === "committed" || kind === "journaled") return kind;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return "failed";
  }

  /** Waits until the database has so many events, and a moment for what is told of it. */
  async untilStored(count: number): Promise<void> {
    const endMs = performance.now() + 10_000;
    while (storedMarks(this.path).length < count && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await new Promise((resolve) => setTimeout(resolve, 100)); // lets its last lock go
    this.#folder[Symbol.dispose]();
  }
}

Deno.test("a start while another program writes says that the database is locked", async () => {
  await using journaling = new Journaling();
  openDatabase(journaling.path).close();
  using other = new DatabaseSync(journaling.path);
  other.exec("BEGIN IMMEDIATE");
  await rejects(journaling.open(), { name: "CollectorError", code: "database-locked" });
});

Deno.test("[G12] a Worker that starts again while the database is locked goes on with the journal", async () => {
  await using journaling = new Journaling();
  await journaling.open();
  {
    using other = new DatabaseSync(journaling.path);
    other.exec("BEGIN IMMEDIATE");
    equal(await journaling.write(batchOf(1, [1])), "journaled");
    deepEqual(journaling.state, stateOf(0, { journaled: 1 }), "answered before it was told");
    journaling.arm("throw-before");
    equal(await journaling.write(batchOf(2, [2])), "journaled");
  }
  await journaling.untilStored(2);
  deepEqual(storedMarks(journaling.path), [1, 2]);
  deepEqual(journaling.state, stateOf(2));
});

Deno.test("[G12] a batch that was journaled and not answered is told once, whoever applies it first", async () => {
  await using journaling = new Journaling();
  await journaling.open();
  {
    using other = new DatabaseSync(journaling.path);
    other.exec("BEGIN IMMEDIATE");
    equal(await journaling.write(batchOf(1, [1])), "journaled");
    journaling.arm("throw-after");
    equal(await journaling.write(batchOf(2, [2, 3]), 1), "failed");
  }
  const busy = setInterval(() => { // so that the new Worker applies before it is asked
    const endMs = performance.now() + 50;
    while (performance.now() < endMs);
  }, 0);
  ok(["committed", "journaled"].includes(await journaling.write(batchOf(2, [2, 3]))));
  clearInterval(busy);
  await journaling.untilStored(3);
  deepEqual(storedMarks(journaling.path), [1, 2, 3]);
  deepEqual(journaling.state, stateOf(3));
});

Deno.test("what is applied while a busy process opens the store is known to the collector", async () => {
  await using journaling = new Journaling();
  const { path } = journaling;
  openDatabase(path).close();
  {
    using journal = new Journal({ path: journalPath(path), bytesMax: 1 << 30 });
    const { events, rows } = batchOf(1, [1, 2]);
    journal.append({ run: "00000000000000bb", number: 1, events, rows });
  }
  const opening = journaling.open();
  const busy = setInterval(() => {
    const endMs = performance.now() + 200;
    while (performance.now() < endMs);
  }, 0);
  await opening;
  clearInterval(busy);
  await journaling.untilStored(2);
  deepEqual(journaling.state, stateOf(0));
});

Deno.test("[G12] what a Worker applied and did not tell is told after its end", async () => {
  await using journaling = new Journaling();
  await journaling.open();
  {
    using other = new DatabaseSync(journaling.path);
    other.exec("BEGIN IMMEDIATE");
    journaling.arm("close-applied");
    equal(await journaling.write(batchOf(1, [1])), "journaled");
  }
  await journaling.untilStored(1);
  equal(await journaling.write(batchOf(2, [2])), "committed");
  await journaling.untilStored(2);
  deepEqual(storedMarks(journaling.path), [1, 2]);
  deepEqual(journaling.state, stateOf(2));
});
