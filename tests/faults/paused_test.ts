/** F24 and F21: the collector, or only its store Worker, stands still, ends or never comes back. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import type { CollectorProcess } from "../e2e/collector_process.ts";
import { finish } from "./judge.ts";
import { runLoad } from "./load.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { type Bug, PlantedBug } from "./planted.ts";
import { FULL, recover, start, TempFolder } from "./process.ts";
import { sleep, SteadyLoad } from "./steady_load.ts";
import { Watch } from "./watch.ts";

const PAUSE_MS = FULL ? 30_000 : 5000;
const PATIENCE_MS = 2 * PAUSE_MS; // of the collector: the pause is no reason to give anything up
const STORE_TIMEOUT_MS = 1000;
const HUNG_MS_MAX = 10_000;
const CRASH_EVERY = 40, CRASHES = FULL ? 30 : 4;

Deno.test(`[G13] [G15] SIGSTOP for ${PAUSE_MS} ms under load, then SIGCONT: nothing is lost, nothing times out`, async () => {
  await using folder = new TempFolder();
  const args = ["--ack-timeout-ms", String(PATIENCE_MS), "--body-timeout-ms", String(PATIENCE_MS)];
  await using collector = await start({ folder: folder.path, args });
  const log = new EventLog();
  await using load = loadOf(collector, log);
  await load.more(50, 202);
  const before = load.answers.length;
  await paused(collector, PAUSE_MS);
  const meanwhile = load.answers.length - before;
  await using watch = new Watch(collector);
  await load.more(100, 202);
  await sleep(500);
  expectNone(await watch.end(), "after the pause");
  await load.end();
  ok(meanwhile <= 2 * CLIENTS, `${meanwhile} answers: it was not paused`);
  const { 0: unanswered = 0, 202: accepted, ...others } = load.statuses;
  ok(unanswered <= CLIENTS, `${unanswered} requests were not answered`); // the client gave up
  deepEqual(others, {}, `besides ${accepted} accepted`);
  expectNone(await finish(collector, log));
});

Deno.test(`[G12] SIGSTOP for longer than --store-timeout-ms: the store does not count as hung`, async () => {
  await using folder = new TempFolder();
  const args = ["--store-timeout-ms", String(STORE_TIMEOUT_MS)];
  await using collector = await start({ folder: folder.path, args });
  const log = new EventLog();
  await using load = loadOf(collector, log, 8 * CLIENTS); // so that a write is under way
  for (let pause = 0; pause < 4; pause++) {
    await load.more(50, 202);
    await paused(collector, 1.2 * STORE_TIMEOUT_MS);
    const isThere = await Promise.race([collector.process.status.then(() => false), aliveSoon()]);
    ok(isThere, `it ended after pause ${pause + 1}: ${collector.output}`);
  }
  await load.end();
  expectNone(await finish(collector, log));

  async function aliveSoon(): Promise<boolean> {
    await sleep(300);
    return true;
  }
});

for (const when of ["before", "after"] as const) {
  Deno.test(`[G12] the store Worker crashes ${when} each ${CRASH_EVERY}th write under load: it is started again, nothing is lost or stored twice`, async () => {
    await using planted = await PlantedBug.plant(crashes(when));
    await using folder = new TempFolder();
    await using collector = await start({ folder: folder.path, program: planted.program });
    const log = new EventLog(), end = new AbortController();
    const load = runLoad({
      url: () => collector.url,
      log,
      clients: CLIENTS,
      firstClient: 1,
      ids: "or-key",
      delivery: "until-durable",
      signal: end.signal,
    });
    try {
      await using watch = new Watch(collector);
      await untilDurable(log, CRASHES * CRASH_EVERY * CLIENTS * 3);
      expectNone(await watch.end(), "while the Worker crashed");
    } finally {
      end.abort();
      await load;
    }
    expectNone(await finish(collector, log));
    const told = /the store Worker ended and is started again: .*planted/g; // of the 1st, 2nd, 4th …
    ok([...collector.output.matchAll(told)].length >= 2, "it did not crash again and again");
  });

  Deno.test(`[G12] the store Worker spins ${when} a write: the process ends with 70, and a start has every durable event`, async () => {
    await using planted = await PlantedBug.plant(spins(when));
    await using folder = new TempFolder();
    const log = new EventLog();
    {
      await using collector = await start({
        folder: folder.path,
        program: planted.program,
        args: ["--store-timeout-ms", String(STORE_TIMEOUT_MS)],
      });
      await using load = loadOf(collector, log);
      const status = Promise.race([collector.process.status, sleep(HUNG_MS_MAX)]);
      equal((await status)?.code, 70, collector.output);
      const ending = load.end();
      await collector.stop(); // its output is complete now
      match(collector.output, /gave no answer for 1000 ms.*events were not stored/);
      await ending;
    }
    ok(log.events("durable").length > CRASH_EVERY, "too few were durable: no proof");
    expectNone(await recover(folder.path, { log, resendUnknown: true }));
  });
}

const CLIENTS = 6;

function loadOf(collector: CollectorProcess, log: EventLog, clients = CLIENTS): SteadyLoad {
  return new SteadyLoad({ url: () => collector.url, log, clients, firstClient: 1 });
}

async function paused(collector: CollectorProcess, ms: number): Promise<void> {
  try {
    collector.kill("SIGSTOP");
    await sleep(ms);
  } finally {
    collector.kill("SIGCONT");
  }
}

async function untilDurable(log: EventLog, count: number): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (log.events("durable").length < count) {
    if (performance.now() > endMs) throw new Error(`only ${log.events("durable").length} in time`);
    await sleep(50);
  }
}

const WORKER = "lib/store/worker.ts";
const WRITE = `      answer(number, {
        kind: "written",
        outcome: keeper.write(question.batch),
        known: known(),
      });
      return afterWrite(question.batch.rows.length);`;

/** In the Worker, what happens before or after each 40th write: not told to the main thread. */
function planted(when: "before" | "after", fault: string): Bug[] {
  const becomes = `      if (++plantedWrites % ${CRASH_EVERY} === 0) {
        ${when === "after" ? "keeper.write(question.batch);" : ""}
        ${fault}
      }
${WRITE}`;
  return [
    { file: WORKER, source: WRITE, becomes },
    {
      file: WORKER,
      source: "let drainPauseMs = 0;",
      becomes: "let drainPauseMs = 0, plantedWrites = 0;",
    },
  ];
}

function crashes(when: "before" | "after"): Bug[] {
  return planted(when, `throw new Error("planted");`);
}

function spins(when: "before" | "after"): Bug[] {
  return planted(when, `for (;;);`);
}
