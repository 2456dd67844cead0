import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { CollectorError } from "../../lib/errors.ts";
import type { Batch, WriteOutcome } from "../../lib/store.ts";
import { WorkerStore } from "../../lib/store/worker_store.ts";
import { meddle } from "../e2e/dead_letters.ts";
import { query, storedCount } from "../e2e/rows.ts";
import { until } from "../e2e/steady_sender.ts";
import type { Fault } from "../fakes/faulty_worker.ts";
import {
  batchOf,
  keepOptionsOf,
  newFolder,
  openDatabase,
  RUN_ID,
  runOf,
  storedMarks,
} from "./batches.ts";
import { stateOf } from "./kept.ts";
import { QUIET, realStore } from "./stores.ts";

/** A store on a new database whose Worker meets a fault when it is told to. */
class FaultyStore implements AsyncDisposable {
  readonly #folder = newFolder();
  readonly path = this.#folder.database;
  readonly gone: string[] = [];
  readonly hung: CollectorError[] = [];
  readonly store: WorkerStore;

  constructor(hangMs = 20_000) {
    this.store = new WorkerStore({
      keep: keepOptionsOf(this.path, { openTimeoutMs: 5000 }),
      hangMs,
      onHang: (error) => this.hung.push(error),
      onGone: (reason) => this.gone.push(reason),
      workerUrl: import.meta.resolve("../fakes/faulty_worker.ts"),
    });
  }

  /** The next write meets the fault. */
  arm(fault: Fault): void {
    Deno.writeTextFileSync(`${this.path}.fault`, fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    this.#folder[Symbol.dispose]();
  }
}

/** Writes a batch until it is no longer `failed`, as the writer does. */
async function untilSettled(store: WorkerStore, batch: Batch): Promise<WriteOutcome> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const outcome = await store.write(batch);
    if (outcome.kind !== "failed" || performance.now() > endMs) return outcome;
  }
}

const CRASHES: Record<
  Exclude<Fault, "spin-before" | "close-applied">,
  { stored: boolean; reason: RegExp }
> = {
  "throw-before": { stored: false, reason: /planted in the Worker/ },
  "throw-after": { stored: true, reason: /planted in the Worker/ },
  "throw-with-lock": { stored: false, reason: /planted in the Worker/ },
  "reject-before": { stored: false, reason: /planted in the Worker/ },
  "reject-after": { stored: true, reason: /planted in the Worker/ },
  "close-before": { stored: false, reason: /^it ended without an error$/ },
  "close-after": { stored: true, reason: /^it ended without an error$/ },
};

for (const [fault, { stored, reason }] of Object.entries(CRASHES)) {
  Deno.test(`[G12] after the Worker's ${fault} the batch is written again and stored once`, async () => {
    await using faulty = new FaultyStore();
    const { store, path } = faulty;
    equal((await store.open(QUIET)).run, RUN_ID);
    deepEqual(await store.write(batchOf(1, [1])), { kind: "committed" });

    faulty.arm(fault as Fault);
    const batch = batchOf(2, [2, 3]);
    deepEqual(await store.write(batch), { kind: "failed", reason: "the store Worker ended" });
    equal(storedCount(path), stored ? 3 : 1);
    equal(faulty.gone.length, 1);
    match(faulty.gone[0] ?? "", reason);

    deepEqual(await untilSettled(store, batch), { kind: "committed" });
    deepEqual(await store.write(batchOf(3, [4])), { kind: "committed" });
    deepEqual(storedMarks(path), [1, 2, 3, 4]);
    equal(faulty.gone.length, 1);
    deepEqual(faulty.hung, []);
  });
}

Deno.test("how long events are kept, told while there is no Worker, is what the next one knows", async () => {
  await using faulty = new FaultyStore();
  const { store, path } = faulty;
  await store.open(QUIET);
  await store.write(batchOf(1, [1, 2]));
  meddle(path, "UPDATE events SET received_at = 5");
  faulty.arm("throw-before");
  const batch = batchOf(2, [3]);
  equal((await store.write(batch)).kind, "failed");
  await store.retain({ retainDays: 30, retainBytes: 0, retainUnexported: "no" });
  deepEqual(await untilSettled(store, batch), { kind: "committed" });
  await until(() => store.retention?.removed === 2, "both old ones are removed");
  deepEqual(storedMarks(path), [3]);
});

Deno.test("[G12] a Worker that does not answer in time is reported as hung, once", async () => {
  await using faulty = new FaultyStore(100);
  const { store, hung } = faulty;
  await openSlowly(faulty);
  faulty.arm("spin-before");
  deepEqual(await store.write(batchOf(1, [1])), { kind: "committed" });
  equal(hung.length, 1);
  equal(hung[0]?.code, "store-hung");
  match(hung[0]?.message ?? "", /no answer for 100 ms/);
  deepEqual(faulty.gone, []);
  deepEqual(storedMarks(faulty.path), [1]);
});

/** Opens; starting the Worker may take longer than `hangMs` and is then reported too. */
async function openSlowly({ store, hung }: FaultyStore): Promise<void> {
  await store.open(QUIET);
  hung.length = 0;
}

Deno.test("closing ends the Worker, empties the log, and the next store goes on", async () => {
  using folder = newFolder();
  for (const [life, marks] of [[1, ["a"]], [2, ["a", "b"]]] as const) {
    const store = realStore(folder.database, { run: runOf(`000000000000000${life}`) });
    const { run, state, uncleanRuns, lastRunEnded } = await store.open(QUIET);
    deepEqual([run, state, uncleanRuns, lastRunEnded], [
      `000000000000000${life}`,
      stateOf(0),
      0,
      true,
    ]);
    const mark = marks.at(-1);
    deepEqual(await store.write(batchOf(1, [mark])), { kind: "committed" });
    ok((await store.size()).walBytes > 0);
    using other = new DatabaseSync(folder.database); // with it SQLite would not empty the log by itself
    other.exec("SELECT count(*) FROM events");
    await store.close();
    await store.close();
    equal((await store.size()).walBytes, 0);
    lockWhole(other);
    other.close();
    deepEqual(storedMarks(folder.database), marks);
  }
});

Deno.test("a Worker whose modules take long to load still gets the first question", async () => {
  using folder = newFolder();
  const workerUrl = import.meta.resolve("../fakes/slow_worker.ts");
  const store = realStore(folder.database, {}, { workerUrl });
  equal((await store.open(QUIET)).run, RUN_ID);
  deepEqual(await store.write(batchOf(1, [1])), { kind: "committed" });
  await store.close();
});

Deno.test("a rejected batch comes back from the Worker with its rows and reasons", async () => {
  using folder = newFolder();
  const store = realStore(folder.database);
  await store.open(QUIET);
  {
    using other = new DatabaseSync(folder.database);
    other.exec(`CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.metadata = '{"m":2}'
      BEGIN SELECT RAISE(ABORT, 'no two'); END`);
  }
  const outcome = await store.write(batchOf(1, [1, 2, 3]));
  deepEqual(outcome, { kind: "rejected", rows: [{ index: 1, reason: "no two" }] });
  const deadLetters = [{
    receivedAt: 1,
    source: "test",
    protocol: "test",
    reason: "no two",
    raw: "2",
    isDecoded: true,
    index: 1,
  }];
  const again = await store.write(batchOf(1, [1, 2, 3], { skip: [1], deadLetters }));
  deepEqual(again, { kind: "committed" });
  await store.close();
  deepEqual(storedMarks(folder.database), [1, 3]);
  deepEqual(query<{ raw: string }>(folder.database, "SELECT raw FROM dead_letters")[0]?.raw, "2");
});

Deno.test("a lock of another program makes writes fail, and costs no Worker", async () => {
  using folder = newFolder();
  const store = realStore(folder.database);
  await store.open(QUIET);
  {
    using other = new DatabaseSync(folder.database);
    other.exec("BEGIN IMMEDIATE");
    const outcome = await store.write(batchOf(1, [1]));
    ok(outcome.kind === "failed", outcome.kind);
    match(outcome.reason, /locked/);
  }
  deepEqual(await store.write(batchOf(1, [1])), { kind: "committed" });
  await store.close();
  deepEqual(storedMarks(folder.database), [1]);
});

Deno.test("after an error of another kind the Worker goes on with a new connection", async () => {
  using folder = newFolder();
  const store = realStore(folder.database);
  await store.open(QUIET);
  {
    using other = new DatabaseSync(folder.database);
    other.exec(`CREATE TRIGGER fail BEFORE INSERT ON events
      BEGIN SELECT abs(-9223372036854775807 - 1); END`);
    const outcome = await store.write(batchOf(1, [1]));
    deepEqual(outcome, { kind: "failed", reason: "integer overflow" });
    lockWhole(other);
    other.exec("DROP TRIGGER fail");
  }
  deepEqual(await store.write(batchOf(1, [1])), { kind: "committed" });
  await store.close();
  deepEqual(storedMarks(folder.database), [1]);
});

Deno.test("a database that cannot be opened is an error with its code, and the Worker ends", async () => {
  using folder = newFolder();
  openDatabase(folder.database).close();
  using other = new DatabaseSync(folder.database);
  lockWhole(other);
  const store = realStore(folder.database);
  await rejects(store.open(QUIET), {
    name: "CollectorError",
    code: "database-locked",
    hint: /close it/,
  });
  await store.close();
  await new Promise((resolve) => setTimeout(resolve, 300)); // its lock is let go after it
});

/** Locks a database until the connection closes. Fails if another connection has it open. */
function lockWhole(connection: DatabaseSync): void {
  connection.exec("PRAGMA locking_mode = exclusive; BEGIN IMMEDIATE; COMMIT");
}
