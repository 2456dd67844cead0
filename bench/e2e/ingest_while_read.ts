/** (k) what reading costs ingest. */

import { setTimeout as sleep } from "node:timers/promises";
import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { TempFolder } from "../../tests/e2e/sending.ts";
import {
  allStored,
  bulk,
  type CollectorRun,
  inTurn,
  measureCollector,
  type Measured,
  medianOf,
  pathOf,
  ratios,
  singles,
} from "./measure.ts";
import { median, spread, thousands } from "./numbers.ts";
import type { ReadersReport } from "./readers.ts";
import { type ReadingOptions, untilIndexed } from "./reading.ts";
import { wrk } from "./tools.ts";
import { growVaried } from "./varied.ts";

const PHASE_MS = 8000;
/** After a change it is not measured for so long. */
const SETTLE_MS = 1500;

/** Markdown lines for (k). */
export async function ingestWhileRead(options: ReadingOptions): Promise<string[]> {
  await using original = new TempFolder();
  const rows = options.millions * 1e6;
  growVaried(original.database, rows, Date.now());
  await untilIndexed(original.path, rows);
  const runs: [string, CollectorRun][] = [
    ["single, 64 connections", singles(64, options.seconds)],
    ["single, 256 connections", singles(256, options.seconds)],
    ["NDJSON of 500, 16 connections", bulk(16, options.seconds)],
  ];
  const read = [
    "| requests | events/s, not read | read | ratio | queries answered, p50 | events that tails got |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  const indexed = [
    "| requests | events/s, no index | index | ratio | p99 | p99 |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const [name, run] of runs) {
    read.push(`| ${name} | ${await readInTurn(run, options.rounds, original)} |`);
    indexed.push(`| ${name} | ${await indexInTurn(run, options.rounds, original)} |`);
  }
  return [...read, "", ...indexed];
}

/** One collector under full load all the time, by turns read and not. */
async function readInTurn(
  run: CollectorRun,
  rounds: number,
  original: TempFolder,
): Promise<string> {
  await using copy = await copied(original);
  await using collector = await CollectorProcess.start({ folder: copy.path });
  const committed = async () => (await collector.stats()).committed ?? 0;
  const rate = async () => {
    await sleep(SETTLE_MS);
    const before = await committed(), startMs = performance.now();
    await sleep(PHASE_MS);
    return (await committed() - before) / (performance.now() - startMs) * 1000;
  };
  const seconds = Math.ceil((2 * rounds + 1) * (SETTLE_MS + PHASE_MS) / 1000) + 5;
  const sending = wrk(collector.url + pathOf(run), { ...run, seconds });
  const quiet = [await rate()], read: number[] = [], reports: ReadersReport[] = [];
  for (let round = 0; round < rounds; round++) {
    const readers = new Readers(collector.url);
    read.push(await rate());
    reports.push(await readers.stop());
    quiet.push(await rate());
  }
  await sending;
  await allStored(collector);
  // Each against those before and after it, so that what grows meanwhile meets both.
  const ratios = read.map((each, i) => 2 * each / ((quiet[i] ?? 0) + (quiet[i + 1] ?? 0)));
  const phases = reports.length * (SETTLE_MS + PHASE_MS) / 1000;
  const queries = reports.reduce((sum, { queries }) => sum + queries, 0) / phases;
  const events = reports.reduce((sum, { tailEvents }) => sum + tailEvents, 0) / phases;
  const p50Ms = median(reports.map(({ queryP50Ms }) => queryP50Ms));
  return `${thousands(median(quiet))} | ${thousands(median(read))} | **${spread(ratios)}** | ` +
    `${queries.toFixed(1)}/s, ${p50Ms.toFixed(0)} ms | ${events.toFixed(0)}/s`;
}

/** With the index and without, nothing is asked. */
async function indexInTurn(
  run: CollectorRun,
  rounds: number,
  original: TempFolder,
): Promise<string> {
  const measure = (index: string) => async () => {
    await using copy = await copied(original);
    return await measureCollector({ ...run, folder: copy.path, args: ["--index", index] });
  };
  const { off, on } = await inTurn(rounds, { off: measure("off"), on: measure("on") });
  const rate = ({ perSecond }: Measured) => perSecond;
  const p99 = (all: Measured[]) => `${medianOf(all, ({ p99Ms }) => p99Ms).toFixed(1)} ms`;
  return `${thousands(medianOf(off, rate))} | ${thousands(medianOf(on, rate))} | ` +
    `**${spread(ratios(on, off, rate))}** | ${p99(off)} | ${p99(on)}`;
}

/**
 * `readers.ts` with the lowest priority: readers are on other machines, and must not take this one's
 * time. In the same session as what is measured: Linux may weigh sessions against each other, and
 * priorities only within one.
 */
class Readers {
  readonly #process: Deno.ChildProcess;

  constructor(url: string) {
    const program = new URL("./readers.ts", import.meta.url).pathname;
    const deno = [Deno.execPath(), "run", "--no-prompt", "--allow-net", program, url];
    this.#process = new Deno.Command("nice", { args: ["-n", "19", ...deno], stdout: "piped" })
      .spawn();
  }

  async stop(): Promise<ReadersReport> {
    this.#process.kill("SIGTERM");
    return JSON.parse(await new Response(this.#process.stdout).text());
  }
}

/** A copy of a database and its index. */
async function copied(original: TempFolder): Promise<TempFolder> {
  const copy = new TempFolder();
  for (const name of original.names(/^events\.db(\.index)?$/)) {
    await Deno.copyFile(`${original.path}/${name}`, `${copy.path}/${name}`);
  }
  return copy;
}
