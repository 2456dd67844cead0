/** The database is moved, deleted, replaced or damaged, and how a run ended is told to the next. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { JSON_BODY, marks, TempFolder } from "./sending.ts";
import { query } from "./rows.ts";

const ROTATE = ["--on-corrupt", "rotate"];

/** Sends events one after the other, each with its number, until it is told to end. */
class Sender {
  /** The numbers that were answered 202. */
  readonly acknowledged: number[] = [];
  readonly #collector: CollectorProcess;
  readonly #end = new AbortController();
  #failed = false;
  readonly #running: Promise<void>;

  constructor(collector: CollectorProcess) {
    this.#collector = collector;
    this.#running = this.#run();
    this.#running.catch(() => this.#failed = true);
  }

  /** Resolves when so many more were acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    while (this.acknowledged.length < goal) {
      if (this.#failed) await this.#running;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async end(): Promise<number[]> {
    this.#end.abort();
    await this.#running;
    return this.acknowledged;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#end.signal.aborted; i++) {
      const { status, text } = await this.#collector.post(
        "/event",
        new Blob([event(i)]),
        JSON_BODY,
      );
      equal(status, 202, text);
      this.acknowledged.push(i);
    }
  }
}

/** Runs a collector that stores these, and ends it. */
async function storedBefore(folder: TempFolder, events: readonly unknown[], signal: Deno.Signal) {
  await using collector = await CollectorProcess.start({ folder: folder.path });
  for (const mark of events) equal((await collector.post("/event", event(mark))).status, 202);
  await collector.stop(signal);
}

/** Another collector's database at a path of its own. */
async function otherDatabase(folder: TempFolder): Promise<string> {
  await using other = new TempFolder();
  await storedBefore(other, ["of the other"], "SIGTERM");
  const path = `${folder.path}/other.db`;
  await Deno.copyFile(other.database, path);
  return path;
}

Deno.test("the database moved away under load: a new one is begun, nothing acknowledged is lost [G8]", async () => {
  await using folder = new TempFolder();
  const moved = `${folder.path}/moved.db`;
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const sender = new Sender(collector);
  await sender.more(100);
  await Deno.rename(folder.database, moved);
  await collector.untilOutput(
    /the database was moved or deleted; events go into the one at its path, or a new one/,
  );
  await sender.more(100);
  const acknowledged = await sender.end();
  const stats = await collector.settled();
  equal(stats.residual, 0);
  equal(await collector.stop(), 0, collector.output);
  const [before, after] = [marks(moved), marks(folder.database)];
  ok(before.length >= 100 && after.length >= 100, `${before.length} and ${after.length}`);
  const stored = new Set([...before, ...after]);
  deepEqual(acknowledged.filter((mark) => !stored.has(mark)), []);
  equal(stats.committed, acknowledged.length);
});

Deno.test("the database deleted under load: what comes after it goes into a new one", async () => {
  await using folder = new TempFolder();
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const sender = new Sender(collector);
  await sender.more(50);
  await Deno.remove(folder.database);
  const sentBefore = sender.acknowledged.length;
  await collector.untilOutput(/the database was moved or deleted/);
  await sender.more(50);
  const acknowledged = await sender.end();
  await collector.settled();
  equal(await collector.stop(), 0, collector.output);
  const stored = marks(folder.database);
  // One answer may have crossed the deletion.
  const lost = acknowledged.slice(sentBefore + 1).filter((mark) => !stored.includes(mark));
  deepEqual(lost, []);
  equal(new Set(stored).size, stored.length);
});

Deno.test("the database replaced by another collector's: that one goes on", async () => {
  await using folder = new TempFolder();
  const other = await otherDatabase(folder);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const sender = new Sender(collector);
  await sender.more(50);
  await Deno.rename(folder.database, `${folder.path}/moved.db`);
  await Deno.rename(other, folder.database);
  await collector.untilOutput(/the database was moved or deleted/);
  await sender.more(50);
  const acknowledged = await sender.end();
  equal((await collector.settled()).residual, 0);
  equal(await collector.stop(), 0, collector.output);
  const [before, after] = [marks(`${folder.path}/moved.db`), marks(folder.database)];
  equal(after[0], "of the other");
  const stored = new Set([...before, ...after]);
  deepEqual(acknowledged.filter((mark) => !stored.has(mark)), []);
});

/** Writes over a part of the database that is looked at when it is opened. */
function damage(path: string): Uint8Array {
  const bytes = Deno.readFileSync(path);
  bytes.fill(0xaa, 100, 4096);
  Deno.writeFileSync(path, bytes);
  return bytes;
}

Deno.test("a damaged database: refused with 65 and the way out, and left as it is [G9]", async () => {
  await using folder = new TempFolder();
  await storedBefore(folder, ["a"], "SIGTERM");
  const bytes = damage(folder.database);
  const { code, output } = await CollectorProcess.refused({ folder: folder.path });
  equal(code, 65, output);
  match(output, /is damaged: .*good copy.*--on-corrupt=rotate/s);
  deepEqual(Deno.readFileSync(folder.database), bytes);
  deepEqual(folder.names(/corrupt/), []);
});

Deno.test("--on-corrupt=rotate keeps the damaged one, begins anew and stores the journal [G9]", async () => {
  await using folder = new TempFolder();
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal((await collector.post("/event", event("in the database"))).status, 202);
    await using _lock = await LockHolder.start(collector.database);
    match((await collector.post("/event", event("in the journal"))).text, /"journaled"/);
    equal(await collector.stop(), 0);
  }
  const bytes = damage(folder.database);
  await using collector = await CollectorProcess.start({ folder: folder.path, args: ROTATE });
  const stats = await collector.settled();
  deepEqual([stats.recovered, stats.residual, stats.damaged.databases], [1, 0, 1]);
  equal((await collector.post("/event", event("after"))).status, 202);
  deepEqual(marks(folder.database), ["in the journal", "after"]);
  const [aside = ""] = folder.names(/^events\.db\.corrupt-[\w-]+$/);
  deepEqual(Deno.readFileSync(`${folder.path}/${aside}`), bytes);
  match(
    collector.output,
    new RegExp(`a damaged database, or a log without one, is kept as .*${aside}`),
  );
});

Deno.test("rotate moves a log aside together with its database", async () => {
  await using folder = new TempFolder();
  await storedBefore(folder, ["a", "b"], "SIGKILL");
  const log = Deno.readFileSync(`${folder.database}-wal`);
  ok(log.length > 0);
  Deno.writeTextFileSync(folder.database, "this was never a database\n".repeat(500));
  const refused = await CollectorProcess.refused({ folder: folder.path });
  equal(refused.code, 65, refused.output);
  await using collector = await CollectorProcess.start({ folder: folder.path, args: ROTATE });
  equal((await collector.post("/event", event("after"))).status, 202);
  deepEqual(marks(folder.database), ["after"]);
  const [aside = ""] = folder.names(/^events\.db\.corrupt-[\w-]+$/);
  match(Deno.readTextFileSync(`${folder.path}/${aside}`), /^this was never a database/);
  deepEqual(Deno.readFileSync(`${folder.path}/${aside}-wal`), log);
});

Deno.test("a log without its database is refused with 65 and left; rotate moves it aside", async () => {
  await using folder = new TempFolder();
  await storedBefore(folder, ["a", "b"], "SIGKILL");
  const log = Deno.readFileSync(`${folder.database}-wal`);
  await Deno.rename(folder.database, `${folder.path}/elsewhere.db`);
  const { code, output } = await CollectorProcess.refused({ folder: folder.path });
  equal(code, 65, output);
  match(output, /is missing or empty, but its log .*events\.db-wal is there.*rotate/s);
  deepEqual(Deno.readFileSync(`${folder.database}-wal`), log);
  {
    await using collector = await CollectorProcess.start({ folder: folder.path, args: ROTATE });
    equal((await collector.post("/event", event("after"))).status, 202);
    equal(await collector.stop(), 0);
  }
  const [aside = ""] = folder.names(/^events\.db\.corrupt-[\w-]+-wal$/);
  deepEqual(Deno.readFileSync(`${folder.path}/${aside}`), log);
  deepEqual(marks(folder.database), ["after"]);
});

/** Makes it impossible even for root to change a file; false where the file system can not. */
function freeze(path: string, isFrozen: boolean): boolean {
  try {
    const args = [isFrozen ? "+i" : "-i", path];
    return new Deno.Command("chattr", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("a database that can not be written is refused with the way out", async (t) => {
  await using folder = new TempFolder();
  await storedBefore(folder, ["a"], "SIGTERM");
  const isFrozen = freeze(folder.database, true);
  await t.step({
    name: isFrozen ? "frozen" : "SKIPPED: chattr +i does not work here",
    ignore: !isFrozen,
    fn: async () => {
      const { code, output } = await CollectorProcess.refused({ folder: folder.path });
      equal(code, 78, output);
      match(output, /events\.db.*readonly/s);
      ok(!/Uncaught|report it/.test(output), output);
    },
  });
  freeze(folder.database, false);
});

Deno.test("an unclean end is counted by each later run, a clean one is not", async () => {
  await using folder = new TempFolder();
  const memory = ["--durability", "memory", "--queue-capacity", "500"];
  const seen: unknown[] = [];
  const run = async (args: readonly string[], signal: Deno.Signal) => {
    await using collector = await CollectorProcess.start({ folder: folder.path, args });
    const { unclean_runs, lost_at_most } = await collector.stats();
    seen.push([unclean_runs, lost_at_most]);
    equal((await collector.post("/event", event("x"))).status, 202);
    await collector.settled();
    await collector.stop(signal);
  };
  await run([], "SIGTERM");
  await run([], "SIGKILL");
  await run(memory, "SIGINT");
  await run(memory, "SIGKILL");
  await run([], "SIGTERM");
  await run([], "SIGTERM");
  deepEqual(seen, [[0, 0], [0, 0], [1, 0], [1, 0], [2, 500], [2, 500]]);
  const open = query<{ n: bigint }>(
    folder.database,
    "SELECT count(*) AS n FROM runs WHERE ended_at IS NULL",
  );
  equal(open[0]?.n, 2n);
});

Deno.test("a flipped bit in the log of a crash is told, and the log kept, before SQLite drops what follows [G9]", async () => {
  await using folder = new TempFolder();
  const collector = await CollectorProcess.start({ folder: folder.path });
  for (let i = 0; i < 20; i++) equal((await collector.post("/event", event(i))).status, 202);
  await collector.stop("SIGKILL");
  const log = Deno.readFileSync(`${folder.database}-wal`);
  const middle = log.length >> 1;
  log[middle] = (log[middle] as number) ^ 1;
  Deno.writeFileSync(`${folder.database}-wal`, log);
  await using again = await CollectorProcess.start({ folder: folder.path });
  const lost = 20 - marks(folder.database).length;
  ok(lost > 0, "no row is lost: nothing is shown");
  match(again.output, /the database's log is damaged: up to \d+ of its last transactions/);
  const { damaged } = await again.stats() as unknown as { damaged: { transactions: number } };
  ok(damaged.transactions >= lost, `${damaged.transactions} told, ${lost} lost`);
  const [kept = ""] = folder.names(/^events\.db-wal\.damaged-/);
  deepEqual(Deno.readFileSync(`${folder.path}/${kept}`), log);
});
