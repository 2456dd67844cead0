/** (g) what it costs to recognise repeats, on a large database with full windows. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { sampleEvent } from "../sample.ts";
import { fillWindows, Grown, WINDOW } from "./grown.ts";
import {
  bulk,
  BULK_EVENTS,
  type CollectorRun,
  inTurn,
  measureCollector,
  type Measured,
  medianOf,
  ratios,
  singles,
} from "./measure.ts";
import { median, spread, thousands } from "./numbers.ts";
import { keyedLua, numberedLua } from "./numbered.ts";
import { rssMiB } from "./tools.ts";

const NO_IDS = ["--recent-event-ids", "0"], ONE_KEY = ["--recent-requests", "1"];
const IDLE_MS = 1500;
const STARTS = 3;

/** How the measurement is made. */
export interface IdempotencyOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly millions: number;
}

/** Markdown lines for (g). */
export async function idempotency(options: IdempotencyOptions): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-grown-" });
  const path = `${folder}/events.db`;
  try {
    new Grown(path, options.millions).close();
    fillWindows(path);
    const windows = await windowLines(folder); // before the windows are written to
    return [...await rateLines(folder, options), "", ...windows];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function rateLines(
  folder: string,
  { rounds, seconds }: IdempotencyOptions,
): Promise<string[]> {
  const lines = [
    "| requests | events | events/s | against | ratio | CPU/event | ratio |",
    "| --- | --- | --- | --- | --- | --- | --- |",
  ];
  const events = Array.from({ length: BULK_EVENTS }, (_, i) => sampleEvent(i));
  const runs: [string, CollectorRun, string[]][] = [
    ["single, 256 connections", singles(256, seconds), [sampleEvent(1)]],
    ["NDJSON of 500, 16 connections", bulk(16, seconds), events],
  ];
  for (const [name, run, sent] of runs) {
    const measure = (lua: (run: string) => string, args: string[] = []) => () =>
      measureCollector({ ...run, folder, args, lua });
    const ids = numberedLua(sent, "id"), without = numberedLua(sent, "metadata");
    const results = await inTurn(rounds, {
      without: measure(without),
      off: measure(ids, NO_IDS),
      on: measure(ids),
      keys: measure(keyedLua(sent)),
    });
    lines.push(...rateRows(name, results));
  }
  return lines;
}

type Variant = "without" | "off" | "on" | "keys";

const VARIANTS: Readonly<Record<Variant, string>> = {
  without: "without ids",
  off: "ids, window off",
  on: "ids",
  keys: "keys",
};

function rateRows(name: string, runs: Readonly<Record<Variant, Measured[]>>): string[] {
  const rate = ({ perSecond }: Measured) => perSecond;
  const cpu = ({ cpuMicroseconds }: Measured) => cpuMicroseconds;
  const row = (of: Variant, to: Variant) =>
    `| ${name} | ${VARIANTS[of]} | ${thousands(medianOf(runs[of], rate))} | ${VARIANTS[to]} | ` +
    `**${spread(ratios(runs[of], runs[to], rate))}** | ${
      medianOf(runs[of], cpu).toFixed(1)
    } µs | ` +
    `${spread(ratios(runs[of], runs[to], cpu))} |`;
  return [
    row("without", "without"),
    row("off", "without"),
    row("on", "off"),
    row("on", "without"),
    row("keys", "without"),
  ];
}

/** Memory and time to start with full windows, and without. */
async function windowLines(folder: string): Promise<string[]> {
  const { full, noIds, noKeys } = await inTurn(STARTS, {
    full: () => started(folder, []),
    noIds: () => started(folder, NO_IDS),
    noKeys: () => started(folder, ONE_KEY),
  });
  const mib = (runs: Started[]) => median(runs.map(({ rssMiB }) => rssMiB));
  const ms = (runs: Started[]) => `${median(runs.map(({ ms }) => ms)).toFixed(0)} ms`;
  const row = (name: string, runs: Started[]) => {
    const less = mib(full) - mib(runs);
    const bytes = less === 0 ? "" : (less * 1024 * 1024 / WINDOW).toFixed(0);
    return `| ${name} | ${mib(runs).toFixed(0)} MiB | ${bytes} | ${ms(runs)} |`;
  };
  return [
    "| idle after the start, 1 M ids and 1 M keys in the database | RSS | bytes less per id or key | start |",
    "| --- | --- | --- | --- |",
    row("all remembered", full),
    row("no ids, `--recent-event-ids 0`", noIds),
    row("no keys, `--recent-requests 1`", noKeys),
  ];
}

interface Started {
  readonly ms: number;
  readonly rssMiB: number;
}

async function started(folder: string, args: readonly string[]): Promise<Started> {
  const startMs = performance.now();
  await using collector = await CollectorProcess.start({ folder, args });
  const ms = performance.now() - startMs;
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return { ms, rssMiB: await rssMiB(collector.process.pid) };
}
