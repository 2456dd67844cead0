/** (i) what it costs to remove old events, under full load and without, and the room it gives back. */

import { CollectorProcess, type StatsJson } from "../../tests/e2e/collector_process.ts";
import { idRange, type RetentionJson, untilRetention } from "../../tests/e2e/old_events.ts";
import { Grown } from "./grown.ts";
import {
  allStored,
  bulk,
  type CollectorRun,
  inTurn,
  medianOf,
  pathOf,
  ratios,
  singles,
} from "./measure.ts";
import { spread, thousands } from "./numbers.ts";
import { wrk } from "./tools.ts";

const RETAIN = ["--retain-days", "30"];
const AGE_MS = 40 * 86_400_000;
const FINISH_MS_MAX = 30 * 60_000;
const MIB = 1024 * 1024;

/** How the measurement is made. */
export interface RetentionOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Rows of the database that are to be removed. */
  readonly millions: number;
}

/** Markdown lines for (i). */
export async function retention(options: RetentionOptions): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-retention-" });
  try {
    new Grown(`${folder}/events.db`, options.millions, Date.now() - AGE_MS).close();
    return [...await loadedLines(folder, options), "", ...await quietLines(folder)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One run, with retention or without. */
interface Loaded {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly removedPerSecond: number;
  readonly longestStepMs: number;
}

async function loadedLines(
  folder: string,
  { rounds, seconds, millions }: RetentionOptions,
): Promise<string[]> {
  const lines = [
    "| requests | events/s without | with | ratio | p99 without | with | removed rows/s | longest step |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ];
  const runs: [string, CollectorRun][] = [
    ["single, 256 connections", singles(256, seconds)],
    ["NDJSON of 500, 16 connections", bulk(16, seconds)],
  ];
  for (const [name, run] of runs) {
    const { without, removing } = await inTurn(rounds, {
      without: () => loaded(folder, run),
      removing: () => loaded(folder, run, RETAIN),
    });
    const rate = ({ perSecond }: Loaded) => perSecond;
    const p99 = (all: Loaded[]) => `${medianOf(all, ({ p99Ms }) => p99Ms).toFixed(1)} ms`;
    const longest = Math.max(...removing.map(({ longestStepMs }) => longestStepMs));
    lines.push(
      `| ${name} | ${thousands(medianOf(without, rate))} | ${
        thousands(medianOf(removing, rate))
      } | **${spread(ratios(removing, without, rate))}** | ${p99(without)} | ${p99(removing)} | ` +
        `${thousands(medianOf(removing, ({ removedPerSecond }) => removedPerSecond))} | ` +
        `${longest.toFixed(1)} ms |`,
    );
  }
  const [oldest = 0] = idRange(`${folder}/events.db`);
  if (oldest > millions * 1e6) throw new Error("too few rows: it came to an end under load");
  return lines;
}

/** Sends as fast as it goes, and counts what was committed and removed meanwhile. */
async function loaded(
  folder: string,
  run: CollectorRun,
  args: readonly string[] = [],
): Promise<Loaded> {
  await using collector = await CollectorProcess.start({ folder, args });
  const url = collector.url + pathOf(run);
  await wrk(url, { ...run, seconds: 1 });
  const before = await allStored(collector), startMs = performance.now();
  const { p99Ms } = await wrk(url, run);
  const after = await allStored(collector), seconds = (performance.now() - startMs) / 1000;
  await collector.stop();
  const events = (after.committed ?? 0) - (before.committed ?? 0);
  const removed = removedThisRun(after) - removedThisRun(before);
  return {
    perSecond: events / seconds,
    p99Ms,
    removedPerSecond: removed / seconds,
    longestStepMs: retentionOf(after)?.longest_step_ms ?? 0,
  };
}

/** What is left of the old rows is removed with nothing else to do, and their room given back. */
async function quietLines(folder: string): Promise<string[]> {
  const path = `${folder}/events.db`, before = Deno.statSync(path).size;
  await using collector = await CollectorProcess.start({ folder, args: RETAIN });
  const startMs = performance.now();
  const ended = await collector.until(isRemoved, FINISH_MS_MAX);
  const seconds = (performance.now() - startMs) / 1000, removed = removedThisRun(ended);
  const { free_bytes } = await untilRetention(collector, () => true);
  await collector.until(isShrunk, FINISH_MS_MAX);
  const shrinkSeconds = (performance.now() - startMs) / 1000 - seconds;
  const { longest_step_ms } = await untilRetention(collector, () => true);
  await collector.stop();
  const bytes = before - Deno.statSync(path).size;
  return [
    `Without load: ${(removed / 1e6).toFixed(1)} M rows in ${seconds.toFixed(1)} s, ` +
    `**${(seconds / removed * 1e6).toFixed(1)} s a million**; then ` +
    `${(free_bytes / MIB).toFixed(0)} MiB of the file were free, and in ` +
    `${shrinkSeconds.toFixed(1)} s the file of ${(before / MIB).toFixed(0)} MiB became ` +
    `**${(bytes / MIB).toFixed(0)} MiB** shorter. Longest step: ${longest_step_ms.toFixed(1)} ms.`,
  ];
}

/** Whether the oldest event is young. */
function isRemoved(stats: StatsJson): boolean {
  const oldest = retentionOf(stats)?.oldest_received_at ?? null;
  return oldest !== null && Date.now() - Date.parse(oldest) < AGE_MS / 2;
}

function isShrunk(stats: StatsJson): boolean {
  const { free_bytes = Infinity } = retentionOf(stats) ?? {};
  return free_bytes <= (stats.database_bytes ?? 0) / 10;
}

function removedThisRun(stats: StatsJson): number {
  return retentionOf(stats)?.removed_this_run ?? 0;
}

function retentionOf(stats: StatsJson): RetentionJson | null {
  return stats.retention as unknown as RetentionJson | null;
}
