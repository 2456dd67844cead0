/** F6 and F7: the disk is full, or takes no writes any more. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { dirname } from "node:path";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { finish } from "./judge.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { FULL, recover, start, TempFolder } from "./process.ts";
import {
  failMount,
  Immutable,
  IMMUTABLE_MISSING,
  SMALL_DISK_MISSING,
  SmallDisk,
} from "./small_disk.ts";
import { sleep, SteadyLoad } from "./steady_load.ts";
import { POWER_CUT_MISSING, Volume } from "./volume.ts";
import { Watch } from "./watch.ts";

const ARGS = ["--ack-timeout-ms", "500"];
const REFUSALS = FULL ? 500 : 40;
const TIMES = FULL ? 5 : 2;
const RECOVERY_MS_MAX = 5000;

fault({
  name: `[G6] the disk is full ${TIMES} times under load: 503, and on without a restart`,
  missing: SMALL_DISK_MISSING,
  fn: async () => {
    await using disk = await SmallDisk.create();
    await using collector = await start({ folder: disk.folder, args: ARGS });
    const log = new EventLog();
    await using load = loadOf(collector, log);
    await load.more(50, 202);
    for (let time = 0; time < TIMES; time++) {
      await using watch = new Watch(collector);
      disk.fill();
      await refusedFor(load);
      const { last_commit_error } = await collector.stats();
      match(last_commit_error ?? "", /full|no space/i);
      expectNone(await watch.end(), "while the disk was full");
      disk.free();
      await load.more(50, 202, RECOVERY_MS_MAX);
    }
    await load.end();
    await expectOnlyThose(collector, load);
    expectNone(await finish(collector, log));
  },
});

fault({
  name: "[G1] [G6] killed while the disk is full: once there is room all is there that was durable",
  missing: SMALL_DISK_MISSING,
  fn: async () => {
    await using disk = await SmallDisk.create();
    const log = new EventLog();
    {
      await using collector = await start({ folder: disk.folder, args: ARGS });
      await using load = loadOf(collector, log);
      await load.more(50, 202);
      disk.fill();
      await refusedFor(load);
      const ending = load.end();
      await collector.stop("SIGKILL");
      await ending;
    }
    disk.free();
    expectNone(await recover(disk.folder, { log, resendUnknown: true }));
  },
});

fault({
  name: "[G6] [G7] log and folder become immutable under load: 503, and on without a restart",
  missing: IMMUTABLE_MISSING,
  fn: async () => {
    await using folder = new TempFolder();
    await using collector = await start({ folder: folder.path, args: ARGS });
    const log = new EventLog();
    await using load = loadOf(collector, log);
    await load.more(50, 202);
    {
      await using watch = new Watch(collector);
      await using _immutable = await Immutable.make([`${collector.database}-wal`, folder.path]);
      await refusedFor(load);
      expectNone(await watch.end(), "while nothing could be written");
    }
    await load.more(50, 202, RECOVERY_MS_MAX);
    await load.end();
    await expectOnlyThose(collector, load);
    expectNone(await finish(collector, log));
  },
});

fault({
  name:
    "[G3] [G6] the file system becomes read-only for good: 503, and after a new mount all is there",
  missing: POWER_CUT_MISSING,
  fn: async () => {
    await using volume = await Volume.create();
    await using collector = await start({ folder: volume.folder, args: ARGS });
    const log = new EventLog();
    await using load = loadOf(collector, log);
    await load.more(50, 202);
    {
      await using watch = new Watch(collector);
      collector.kill("SIGSTOP");
      await sleep(100); // ext4 that is made to fail in a flush says at times that it was done
      await failMount(dirname(volume.folder));
      collector.kill("SIGCONT");
      await refusedFor(load);
      expectNone(await watch.end(), "while the file system was read-only");
    }
    await load.end();
    await expectOnlyThose(collector, load);
    await using mounted = await volume.cut(collector);
    expectNone(await recover(mounted.folder, { log, resendUnknown: true }));
  },
});

fault({
  name: "[G6] in a folder that is immutable it refuses to start, with 78, and names the path",
  missing: IMMUTABLE_MISSING,
  fn: async () => {
    await using folder = new TempFolder();
    await using _immutable = await Immutable.make([folder.path]);
    const { code, output } = await CollectorProcess.refused({ folder: folder.path });
    equal(code, 78, output);
    ok(output.includes(folder.path), output);
  },
});

interface Fault {
  readonly name: string;
  /** Why it can not be done here. */
  readonly missing: string | null;
  readonly fn: () => Promise<void>;
}

function fault({ name, missing, fn }: Fault): void {
  const skipped = missing === null ? "" : ` (skipped: ${missing})`;
  Deno.test({ name: name + skipped, ignore: missing !== null, fn });
}

function loadOf(collector: CollectorProcess, log: EventLog): SteadyLoad {
  return new SteadyLoad({ url: () => collector.url, log, clients: 6, firstClient: 1 });
}

/** Waits until it is refused, and while nothing else happens. */
async function refusedFor(load: SteadyLoad): Promise<void> {
  await load.more(REFUSALS, 503);
  const before = load.statuses[202];
  await load.more(REFUSALS, 503);
  equal(load.statuses[202], before, "something was acknowledged although nothing can be written");
  await sleep(500); // for the watch
}

async function expectOnlyThose(collector: CollectorProcess, load: SteadyLoad): Promise<void> {
  const statuses = Object.keys(load.statuses).filter((status) =>
    !["202", "500", "503"].includes(status)
  );
  equal(statuses.join(), "", JSON.stringify(load.statuses));
  const codes = Object.keys((await collector.stats()).refused_requests).sort();
  equal(codes.filter((code) => !["store-failing", "unconfirmed"].includes(code)).join(), "");
}
