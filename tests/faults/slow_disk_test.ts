/** F13: the disk takes its time for each flush. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { Holder, WRITE_LOCK } from "./holder.ts";
import { finish } from "./judge.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { FULL, recover, start, TempFolder } from "./process.ts";
import { sleep, SteadyLoad } from "./steady_load.ts";
import { STRACE_MISSING } from "./strace.ts";
import { delayFlushes } from "./slow_flush.ts";
import { Watch } from "./watch.ts";

const FLUSH_MS = 500;
const RUN_MS = FULL ? 60_000 : 5000;
const ANSWERS_MIN = RUN_MS / FLUSH_MS;
const skipped = STRACE_MISSING === null ? "" : ` (skipped: ${STRACE_MISSING})`;
const ignore = STRACE_MISSING !== null;

Deno.test({
  name:
    `[G7] each flush of the log takes ${FLUSH_MS} ms: 2xx comes after one, none is lost${skipped}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    const under = delayFlushes(folder.path, ["events.db-wal"], FLUSH_MS);
    await using collector = await start({ folder: folder.path, under });
    const log = new EventLog();
    await loadSlowly(collector, log);
    expectNone(await finish(collector, log));
  },
});

Deno.test({
  name: `[G5] [G7] the same of the journal while the database is locked${skipped}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    const segments = ["events.db.journal.000001", "events.db.journal.000002"];
    const under = delayFlushes(folder.path, segments, FLUSH_MS);
    await using collector = await start({ folder: folder.path, under });
    const log = new EventLog();
    await using lock = await Holder.start(collector.database, WRITE_LOCK);
    await loadSlowly(collector, log);
    await lock[Symbol.asyncDispose]();
    expectNone(await finish(collector, log));
  },
});

Deno.test({
  name:
    `[G1] [G7] killed while a flush of the log takes its time: what was acknowledged is there${skipped}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    const under = delayFlushes(folder.path, ["events.db-wal"], FLUSH_MS);
    const log = new EventLog();
    {
      await using collector = await start({ folder: folder.path, under });
      await using load = new SteadyLoad({
        url: () => collector.url,
        log,
        clients: 4,
        firstClient: 1,
      });
      await load.more(8, 202);
      const ending = load.end();
      await collector.stop("SIGKILL");
      await ending;
    }
    expectNone(await recover(folder.path, { log, resendUnknown: true }));
  },
});

async function loadSlowly(collector: { readonly url: string }, log: EventLog): Promise<void> {
  await using load = new SteadyLoad({ url: () => collector.url, log, clients: 8, firstClient: 1 });
  await using watch = new Watch(collector);
  await sleep(RUN_MS);
  expectNone(await watch.end(), "while each flush took its time");
  await load.end();
  deepEqual(Object.keys(load.statuses), ["202"], JSON.stringify(load.statuses));
  const fastestMs = Math.min(...load.answers.map(({ ms }) => ms));
  ok(fastestMs >= FLUSH_MS, `a 202 came after ${fastestMs} ms, a flush takes ${FLUSH_MS}`);
  const { length } = load.answers;
  ok(length >= ANSWERS_MIN, `only ${length} answers: requests wait for more than their flush`);
}
