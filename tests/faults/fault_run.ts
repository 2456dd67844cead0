/** One run with a fault at a point, and the points there are. */

import type { CollectorProcess } from "../e2e/collector_process.ts";
import { LockHolder } from "../e2e/lock_holder.ts";
import { runLoad } from "./load.ts";
import { EventLog } from "./oracle.ts";
import { recover, settled, start, stop, TempFolder, tryStart } from "./process.ts";
import { CALLS, countCalls, type Effect, faultAt, type FaultPoint, logCalls } from "./strace.ts";

/** The files of which every call is a point; `.` is the folder itself. */
export const FILES = [
  "events.db",
  "events.db-journal", // while the database is made
  "events.db-wal",
  "events.db.journal.000001",
  "events.db.journal.000002",
  ".",
] as const;

/** What a run is done with. */
export interface RunOptions {
  /** Another program: a copy with a bug planted. */
  readonly program?: string;
  /** A folder that a kill left; the run is then the recovery from it. */
  readonly from?: { readonly folder: string; readonly log: EventLog };
}

/** How the run with the fault ended: `refused` if it was not able to start. */
export type Ending = "killed" | "refused" | "stopped";

/** What came of it. */
export interface RunResult {
  readonly ending: Ending;
  readonly violations: readonly string[];
}

/** Starts a collector, lets the fault happen, starts it again, and judges. */
export async function faultRun(point: FaultPoint, options: RunOptions = {}): Promise<RunResult> {
  await using folder = new TempFolder();
  const under = faultAt(folder.path, point);
  const { log, ending } = await run(folder.path, under, options);
  const { program } = options;
  const violations = await recover(folder.path, {
    log,
    program,
    resendUnknown: true,
    acceptedLostMax: ending === "stopped" ? 0 : Infinity, // what was queued goes with the process
  });
  return { ending, violations };
}

/** Which points there are in a run: its calls on each file, counted. */
export async function faultPoints(effect: Effect, options: RunOptions = {}): Promise<FaultPoint[]> {
  const points: FaultPoint[] = [];
  for (const file of FILES) {
    await using folder = new TempFolder();
    await using logs = new TempFolder();
    const logPath = `${logs.path}/strace.log`;
    const { ending } = await run(folder.path, logCalls(folder.path, file, logPath), options);
    if (ending !== "stopped") {
      throw new Error("the run that counts the calls did not come to its end");
    }
    const counts = countCalls(await Deno.readTextFile(logPath));
    for (const call of CALLS) {
      const count = counts.get(call) ?? 0;
      for (let when = 1; when <= count; when++) points.push({ file, call, when, effect });
    }
  }
  return points;
}

/** Makes a folder that was killed with a log and a journal that nobody has applied yet. */
export async function killedWithJournal(folder: string): Promise<EventLog> {
  const log = new EventLog();
  await using killed = new TempFolder();
  await using collector = await start({ folder: killed.path });
  const load = { url: () => collector.url, log, delivery: "once", ids: "some" } as const;
  await runLoad({ ...load, clients: 2, firstClient: 1, requests: 5 });
  await settled(collector);
  await using _lock = await LockHolder.start(collector.database);
  await runLoad({ ...load, clients: 1, firstClient: 11, requests: 8 });
  await runLoad({ ...load, clients: 4, firstClient: 21, requests: 4 });
  await collector.stop("SIGKILL");
  await copyFolder(killed.path, folder); // now: letting go of the lock applies the log
  return log;
}

async function run(
  folder: string,
  under: readonly string[],
  { program, from }: RunOptions,
): Promise<{ readonly log: EventLog; readonly ending: Ending }> {
  if (from !== undefined) await copyFolder(from.folder, folder);
  const log = from?.log.copy() ?? new EventLog();
  const collector = await tryStart({ folder, under, program });
  if (typeof collector === "string") return { log, ending: collector };
  await using _collector = collector;
  let failure: unknown = null;
  try {
    if (from === undefined) await workload(collector, log);
    await settled(collector);
  } catch (error) {
    failure = error; // most often because it was killed, which the status will say
  }
  const code = await stop(collector);
  if (code === SIGKILLED) return { log, ending: "killed" };
  if (code !== 0) throw new Error(`the run ended with ${code}:\n${collector.output}`);
  if (failure !== null) throw failure;
  return { log, ending: "stopped" };
}

const SIGKILLED = 128 + 9;

/** One after the other, side by side, with the database locked, and free again. */
async function workload(collector: CollectorProcess, log: EventLog): Promise<void> {
  const load = {
    url: () => collector.url,
    log,
    delivery: "once",
    ids: "some",
    prefer: ["", "", "", "respond-async", "", "wait=5"],
  } as const;
  await runLoad({ ...load, clients: 1, firstClient: 1, requests: 12 });
  await runLoad({ ...load, clients: 4, firstClient: 11, requests: 6 });
  await collector.stats(); // throws if it was killed: its database is then nobody's to lock
  {
    await using _lock = await LockHolder.start(collector.database);
    const locked = { ...load, prefer: ["", "respond-async"] };
    await runLoad({ ...locked, clients: 1, firstClient: 21, requests: 6 });
    await runLoad({ ...locked, clients: 3, firstClient: 31, requests: 4 });
  }
  await runLoad({ ...load, clients: 2, firstClient: 41, requests: 4 });
}

async function copyFolder(from: string, to: string): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
