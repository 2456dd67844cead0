/** F3: it is asked to stop while it is busy, and while something else goes wrong. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import type { CollectorProcess } from "../e2e/collector_process.ts";
import { Holder, WRITE_LOCK } from "./holder.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { FULL, recover, start, stop, TempFolder } from "./process.ts";
import { SlowBodies } from "./slow_bodies.ts";
import { delayFlushes } from "./slow_flush.ts";
import { SMALL_DISK_MISSING, SmallDisk } from "./small_disk.ts";
import { sleep, SteadyLoad } from "./steady_load.ts";
import { STRACE_MISSING } from "./strace.ts";

const CLIENTS = FULL ? 64 : 16, SLOW_BODIES = FULL ? 50 : 20;
const FIRST_SLOW = 1000;
const TIMES = FULL ? 20 : 2;
const FLUSH_MS = 300;
const SECOND_SIGNAL_MS = 1200; // sooner it is taken for the same one
const ACK_SOON = ["--ack-timeout-ms", "500"]; // else the full disk is not noticed for 10 s
const STOP_WITHIN_MS = [...ACK_SOON, "--shutdown-timeout-ms", "1500"];

Deno.test(`[G4] [G13] SIGTERM under full load, ${TIMES} times, with ${SLOW_BODIES} bodies on their way: each is answered 2xx or 503, and nothing is lost`, async () => {
  await using folder = new TempFolder();
  const log = new EventLog();
  for (let time = 0; time < TIMES; time++) {
    await using collector = await start({ folder: folder.path });
    const first = time * 100;
    await using load = loadOf(collector, log, first);
    using bodies = await SlowBodies.begin(collector, log, {
      first: FIRST_SLOW + first,
      count: SLOW_BODIES,
    });
    await load.more(100, 202);
    const ending = load.end();
    const stopped = stop(collector);
    await collector.untilOutput(/refusing new events/);
    const statuses = await bodies.finish();
    equal(await stopped, 0, collector.output);
    await ending;
    ok(statuses.every((status) => status === 202 || status === 503), `bodies: ${statuses}`);
    ok(statuses.includes(202), "no body on its way was admitted");
    expectCleanStop(load);
    match(collector.output, /journaled = 0, queued = 0, in_flight = 0/);
  }
  expectNone(await recover(folder.path, { log }));
});

Deno.test("[G4] [G5] SIGTERM while the database is locked: 0, the journal is kept, the next start applies it", async () => {
  await using folder = new TempFolder();
  const log = new EventLog();
  {
    await using collector = await start({ folder: folder.path });
    await using _lock = await Holder.start(collector.database, WRITE_LOCK);
    await using load = loadOf(collector, log);
    await load.more(100, 202);
    const ending = load.end();
    equal(await stop(collector), 0, collector.output);
    await ending;
    expectCleanStop(load);
    match(collector.output, /journaled = [1-9]\d*, queued = 0, in_flight = 0/);
    ok(journalSegments(folder.path) > 0, "there is no journal");
  }
  expectNone(await recover(folder.path, { log }));
  equal(journalSegments(folder.path), 0, "the journal is still there");
});

Deno.test({
  name: `[G4] [G7] SIGTERM while each flush takes ${FLUSH_MS} ms: 0, nothing is lost${
    skipped(STRACE_MISSING)
  }`,
  ignore: STRACE_MISSING !== null,
  fn: async () => {
    await using folder = new TempFolder();
    const log = new EventLog();
    {
      const under = delayFlushes(folder.path, ["events.db-wal"], FLUSH_MS);
      await using collector = await start({ folder: folder.path, under });
      await using load = loadOf(collector, log);
      await load.more(CLIENTS, 202);
      const ending = load.end();
      equal(await stop(collector), 0, collector.output);
      await ending;
      expectCleanStop(load);
    }
    expectNone(await recover(folder.path, { log }));
  },
});

Deno.test({
  name:
    `[G4] [G6] SIGTERM while the disk is full: 1 after --shutdown-timeout-ms, told what is not stored, nothing durable is lost${
      skipped(SMALL_DISK_MISSING)
    }`,
  ignore: SMALL_DISK_MISSING !== null,
  fn: async () => {
    await using disk = await SmallDisk.create();
    const log = new EventLog();
    {
      await using collector = await start({ folder: disk.folder, args: STOP_WITHIN_MS });
      await stopOnFullDisk({ collector, disk, log, how: () => stop(collector) });
      match(collector.output, /not finished after 1500 ms: up to [1-9]\d* events were not stored/);
    }
    disk.free();
    expectNone(await recover(disk.folder, { log, resendUnknown: true }));
  },
});

Deno.test({
  name: `[G4] [G6] a second SIGTERM while the disk is full: 1 at once, nothing durable is lost${
    skipped(SMALL_DISK_MISSING)
  }`,
  ignore: SMALL_DISK_MISSING !== null,
  fn: async () => {
    await using disk = await SmallDisk.create();
    const log = new EventLog();
    {
      await using collector = await start({ folder: disk.folder, args: ACK_SOON });
      const how = async () => {
        collector.kill("SIGTERM");
        await sleep(SECOND_SIGNAL_MS);
        return await stop(collector);
      };
      await stopOnFullDisk({ collector, disk, log, how });
      match(collector.output, /a second SIGTERM: up to [1-9]\d* events were not stored/);
    }
    disk.free();
    expectNone(await recover(disk.folder, { log, resendUnknown: true }));
  },
});

Deno.test({
  name:
    `[G4] [G6] SIGTERM while the disk is full, which has room again in time: 0, nothing is lost${
      skipped(SMALL_DISK_MISSING)
    }`,
  ignore: SMALL_DISK_MISSING !== null,
  fn: async () => {
    await using disk = await SmallDisk.create();
    const log = new EventLog();
    {
      await using collector = await start({ folder: disk.folder, args: ACK_SOON });
      await using load = loadOf(collector, log);
      await load.more(50, 202);
      disk.fill();
      await load.more(10, 503);
      const ending = load.end();
      const stopped = stop(collector);
      await collector.untilOutput(/refusing new events/);
      await sleep(300);
      disk.free();
      equal(await stopped, 0, collector.output);
      await ending;
      expectCleanStop(load, [500]); // before the signal
    }
    expectNone(await recover(disk.folder, { log }));
  },
});

Deno.test("[G4] SIGTERM while it is stopped by SIGSTOP, twice, then SIGCONT: 0, nothing is lost", async () => {
  await using folder = new TempFolder();
  const log = new EventLog();
  {
    await using collector = await start({ folder: folder.path });
    await using load = loadOf(collector, log);
    await load.more(100, 202);
    const ending = load.end();
    collector.kill("SIGSTOP");
    collector.kill("SIGTERM");
    await sleep(SECOND_SIGNAL_MS);
    collector.kill("SIGTERM");
    collector.kill("SIGCONT");
    equal(await stop(collector), 0, collector.output);
    await ending;
    expectCleanStop(load);
  }
  expectNone(await recover(folder.path, { log }));
});

interface FullDiskStop {
  readonly collector: CollectorProcess;
  readonly disk: SmallDisk;
  readonly log: EventLog;
  readonly how: () => Promise<number>;
}

async function stopOnFullDisk({ collector, disk, log, how }: FullDiskStop): Promise<void> {
  await using load = loadOf(collector, log);
  await load.more(50, 202);
  disk.fill();
  await load.more(20, 503);
  const ending = load.end();
  equal(await how(), 1, collector.output);
  await ending;
}

/** Each request is accepted, refused for the stop, or came when nobody listened. */
function expectCleanStop(load: SteadyLoad, more: readonly number[] = []): void {
  const expected = [0, 202, 503, ...more].map(String);
  const others = Object.keys(load.statuses).filter((status) => !expected.includes(status));
  equal(others.join(), "", JSON.stringify(load.statuses));
}

function loadOf(collector: CollectorProcess, log: EventLog, first = 0): SteadyLoad {
  return new SteadyLoad({
    url: () => collector.url,
    log,
    clients: CLIENTS,
    firstClient: first + 1,
  });
}

function journalSegments(folder: string): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => /\.journal\.\d+$/.test(name)).length;
}

function skipped(missing: string | null): string {
  return missing === null ? "" : ` (skipped: ${missing})`;
}
