/**
 * Retention that is killed, or whose writes fail, at some of the calls it makes while events come
 * in: each step is there whole or not at all, and no event is lost that it had not to remove.
 */

import { ok, strictEqual as equal } from "node:assert/strict";
import { idRange, storeOld, untilRetention, wrong } from "../e2e/old_events.ts";
import { query } from "../e2e/rows.ts";
import { runLoad } from "./load.ts";
import { check, EventLog, expectNone, type JudgedRow } from "./oracle.ts";
import { FULL, settled, start, stop, TempFolder, tryStart } from "./process.ts";
import {
  countCalls,
  type Effect,
  faultAt,
  type FaultPoint,
  logCalls,
  STRACE_MISSING,
} from "./strace.ts";

const OLD = 4000;
const ARGS = ["--retain-days", "30"];
const POINTS = FULL ? 60 : 10;
const FILES = ["events.db-wal", "events.db"] as const;
const SIGKILLED = 128 + 9;

const skipped = STRACE_MISSING === null ? "" : ` (skipped: ${STRACE_MISSING})`;
const ignore = STRACE_MISSING !== null;

Deno.test({
  name: `[G1] kill -9 at a call of retention under load: a step is there whole or not${skipped}`,
  ignore,
  fn: () => sweep("signal=SIGKILL"),
});

Deno.test({
  name:
    `[G7] an I/O error of a call of retention under load loses nothing, and it goes on${skipped}`,
  ignore,
  fn: () => sweep("error=EIO"),
});

async function sweep(effect: Effect): Promise<void> {
  let killed = 0;
  const points = await somePoints(effect);
  for (const point of points) {
    if (await run(point) === SIGKILLED) killed++;
  }
  ok(effect !== "signal=SIGKILL" || killed > points.length / 2, `only ${killed} runs were killed`);
}

/** About so many of the calls that a run makes, evenly. */
async function somePoints(effect: Effect): Promise<FaultPoint[]> {
  const all: FaultPoint[] = [];
  for (const file of FILES) {
    await using folder = new TempFolder();
    await using logs = new TempFolder();
    const logPath = `${logs.path}/strace.log`;
    prepare(folder.path);
    equal(await work(folder.path, logCalls(folder.path, file, logPath), new EventLog()), 0);
    for (const [call, count] of countCalls(await Deno.readTextFile(logPath))) {
      for (let when = 1; when <= count; when++) all.push({ file, call, when, effect });
    }
  }
  const step = Math.max(1, all.length / POINTS);
  return all.filter((_, i) => Math.floor((i + 1) / step) > Math.floor(i / step));
}

function prepare(folder: string): void {
  storeOld(`${folder}/events.db`, { count: OLD, ageDays: 40, mark: "x".repeat(2000) });
}

/** Runs a collector with the fault, and another after it, and judges what is there. */
async function run(point: FaultPoint): Promise<number> {
  const context = `with ${point.effect} at ${point.call} ${point.when} on ${point.file}`;
  await using folder = new TempFolder();
  prepare(folder.path);
  const log = new EventLog(), path = `${folder.path}/events.db`;
  const code = await work(folder.path, faultAt(folder.path, point), log);
  {
    await using collector = await start({ folder: folder.path, args: ARGS });
    await settled(collector);
    await untilRetention(collector, ({ removed }) => removed >= OLD - 1);
    equal(await stop(collector), 0, collector.output);
  }
  const [first = 0] = idRange(path);
  const newer = `SELECT user_id, timestamp, metadata, event_id FROM events WHERE id > ${OLD}`;
  expectNone([
    ...wrong(path),
    ...first >= OLD ? [] : [`${first} is still there`],
    ...check(query<JudgedRow>(path, newer), log),
  ], context);
  return code;
}

/** Has a collector remove the old events while others are sent, and gives its exit status. */
async function work(folder: string, under: readonly string[], log: EventLog): Promise<number> {
  const collector = await tryStart({ folder, under, args: ARGS });
  if (collector === "killed") return SIGKILLED;
  if (collector === "refused") return -1;
  await using _collector = collector;
  const load = { url: () => collector.url, log, delivery: "once", ids: "some" } as const;
  try {
    await runLoad({ ...load, clients: 2, firstClient: 1, requests: 10 });
    await untilRetention(collector, ({ removed }) => removed >= OLD - 1);
    await runLoad({ ...load, clients: 2, firstClient: 11, requests: 5 });
  } catch { /* it was killed, which the status will say */ }
  return await stop(collector);
}
