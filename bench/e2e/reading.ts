/** (j) how long each kind of query takes on a large database, (k) what reading costs ingest. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import {
  bulk,
  type CollectorRun,
  inTurn,
  measureCollector,
  type Measured,
  medianOf,
  ratios,
  singles,
} from "./measure.ts";
import { median, spread, thousands } from "./numbers.ts";
import { growVaried, variedEvent } from "./varied.ts";

/** How the measurement is made. */
export interface ReadingOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Rows of the database. */
  readonly millions: number;
}

const HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS;
const TIMEOUT_MS = 300_000;
const BLOCK_EVENTS = 65_536;

/** Markdown lines for (j). */
export async function queries({ rounds, millions }: ReadingOptions): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-reading-" });
  try {
    const rows = millions * 1e6, endMs = Date.now();
    growVaried(`${folder}/events.db`, rows, endMs);
    const shapes = shapesOf(rows, endMs);
    const without = await timed(folder, shapes, { rounds: 1, index: "off" });
    const startMs = performance.now();
    await untilIndexed(folder, rows);
    const indexSeconds = (performance.now() - startMs) / 1000;
    const indexed = await timed(folder, shapes, { rounds, index: "on" });
    const bytes = Deno.statSync(`${folder}/events.db.index`).size;
    const share = bytes / Deno.statSync(`${folder}/events.db`).size;
    return [
      "| query | answer | without the index | with it |",
      "| --- | --- | --- | --- |",
      ...shapes.map(({ name }, i) => {
        const [before, after] = [without[i] as Timed, indexed[i] as Timed];
        return `| ${name} | ${after.answer} | ${ms(before.ms)} | **${ms(after.ms)}** |`;
      }),
      "",
      `The index of ${millions} M rows was built in ${
        indexSeconds.toFixed(0)
      } s with nothing else ` +
      `to do and takes ${(bytes / rows).toFixed(1)} bytes a row, ${
        (share * 100).toFixed(1)
      } % of ` +
      "the database.",
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Shape {
  readonly name: string;
  readonly path: string;
}

interface Timed {
  readonly ms: number[];
  readonly answer: string;
}

function shapesOf(rows: number, endMs: number): Shape[] {
  const { user, eventId } = variedEvent(Math.floor(rows * 0.37));
  const hour = `from=${endMs - HOUR_MS}`,
    day = `from=${endMs - 15 * DAY_MS}&to=${endMs - 14 * DAY_MS}`;
  return [
    { name: "the newest 100", path: "/events" },
    { name: "the last hour", path: `/events?${hour}` },
    { name: "a user, the newest 100 of 200", path: `/events?user_id=${user}` },
    { name: "a user within a day", path: `/events?user_id=${user}&${day}` },
    { name: "a user there is not", path: "/events?user_id=nobody" },
    { name: "an event id", path: `/events?event_id=${eventId}` },
    { name: "a common type", path: "/events?type=type5" },
    { name: "a rare type (1 in 50,000)", path: "/events?type=refund" },
    { name: "a source within a day", path: `/events?source=ios&${day}` },
    {
      name: "a member of metadata that no event has, a day",
      path: `/events?where[cart.currency]=USD&${day}`,
    },
    { name: "series of an hour, by type", path: `/series?${hour}&by=type` },
    {
      name: "series of 30 days by hour and type",
      path: `/series?from=${endMs - 30 * DAY_MS}&interval=1h&by=type`,
    },
    {
      name: "series of 30 days of one user",
      path: `/series?from=${endMs - 30 * DAY_MS}&interval=1d&user_id=${user}`,
    },
    { name: "top types of all", path: "/top?by=type" },
    { name: "top users of a day", path: `/top?by=user_id&${day}` },
    { name: "top users of all", path: "/top?by=user_id" },
  ];
}

async function timed(
  folder: string,
  shapes: readonly Shape[],
  { rounds, index }: { readonly rounds: number; readonly index: "on" | "off" },
): Promise<Timed[]> {
  const args = ["--index", index, "--query-timeout-ms", String(TIMEOUT_MS)];
  await using collector = await CollectorProcess.start({ folder, args });
  const results: Timed[] = shapes.map(() => ({ ms: [], answer: "" }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, { path }] of shapes.entries()) {
      const startMs = performance.now();
      const response = await fetch(collector.url + path);
      const answer = await response.json() as Answer;
      const { ms } = results[i] as Timed;
      ms.push(performance.now() - startMs);
      if (!response.ok || !answer.complete) throw new Error(`${path}: ${response.status}`);
      results[i] = { ms, answer: describe(answer) };
    }
  }
  await collector.stop();
  return results;
}

interface Answer {
  readonly complete: boolean;
  readonly events?: readonly unknown[];
  readonly series?: readonly { readonly counts: readonly number[] }[];
  readonly values?: readonly unknown[];
}

function describe({ events, series, values }: Answer): string {
  if (events !== undefined) return `${events.length} events`;
  if (series !== undefined) return `${series.length} × ${series[0]?.counts.length ?? 0} counts`;
  return `${values?.length} values`;
}

async function untilIndexed(folder: string, rows: number): Promise<void> {
  await using collector = await CollectorProcess.start({ folder });
  await collector.until(
    (stats) => indexedBlocks(stats) >= Math.floor(rows / BLOCK_EVENTS),
    30 * 60_000,
  );
  await collector.stop();
}

function indexedBlocks(stats: object): number {
  return (stats as { reader?: { indexed_blocks?: number } | null }).reader?.indexed_blocks ?? 0;
}

function ms(values: readonly number[]): string {
  const middle = median(values);
  return middle < 10
    ? `${middle.toFixed(1)} ms`
    : middle < 10_000
    ? `${Math.round(middle)} ms`
    : `${(middle / 1000).toFixed(1)} s`;
}

/** Markdown lines for (k). */
export async function ingestWhileRead(options: ReadingOptions): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-reading-" });
  try {
    const rows = options.millions * 1e6;
    growVaried(`${folder}/events.db`, rows, Date.now());
    await untilIndexed(folder, rows);
    const lines = [
      "| requests | events/s, no index, not read | index | ratio | index, 10 readers, 20 tails | ratio | p99 | p99 read |",
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ];
    const runs: [string, CollectorRun][] = [
      ["single, 64 connections", singles(64, options.seconds)],
      ["single, 256 connections", singles(256, options.seconds)],
      ["NDJSON of 500, 16 connections", bulk(16, options.seconds)],
    ];
    for (const [name, run] of runs) {
      lines.push(await readRow(name, { ...run, folder }, options.rounds));
    }
    return lines;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readRow(name: string, run: CollectorRun, rounds: number): Promise<string> {
  const measure = (args: string[]) => () => measureCollector({ ...run, args });
  const results = await inTurn(rounds, {
    off: measure(["--index", "off"]),
    on: measure(["--index", "on"]),
    read: () => measureCollector({ ...run, beside: (url) => new Readers(url) }),
  });
  const rate = ({ perSecond }: Measured) => perSecond;
  const p99 = (all: Measured[]) => `${medianOf(all, ({ p99Ms }) => p99Ms).toFixed(1)} ms`;
  const { off, on, read } = results;
  return `| ${name} | ${thousands(medianOf(off, rate))} | ${thousands(medianOf(on, rate))} | ` +
    `**${spread(ratios(on, off, rate))}** | ${thousands(medianOf(read, rate))} | ` +
    `**${spread(ratios(read, off, rate))}** | ${p99(off)} | ${p99(read)} |`;
}

/**
 * Ten readers that ask one thing after the other, with a second between, and twenty tails, half of
 * them of one type. They are curl with the lowest priority: readers are on other machines, and must
 * not take this one's time.
 */
class Readers {
  readonly #processes: Deno.ChildProcess[] = [];

  constructor(url: string) {
    const paths = [
      "/events?limit=50",
      "/events?user_id=4711",
      "/events?type=refund",
      "/series?by=type",
      "/top?by=type",
      "/stats",
    ].map((path) => `curl -s -o /dev/null --retry 3 '${url}${path}'; sleep 1;`).join(" ");
    for (let i = 0; i < 10; i++) this.#start(`while :; do ${paths} done`);
    for (let i = 0; i < 20; i++) {
      const tail = `${url}/tail${i % 2 === 0 ? "" : "?type=checkout"}`;
      this.#start(`while :; do curl -sN -o /dev/null '${tail}'; sleep 0.2; done`);
    }
  }

  #start(script: string): void {
    const args = ["-n", "19", "sh", "-c", `trap 'kill 0' TERM; ${script}`];
    this.#processes.push(
      new Deno.Command("setsid", { args: ["nice", ...args], stdout: "null", stderr: "null" })
        .spawn(),
    );
  }

  [Symbol.dispose](): void {
    for (const process of this.#processes) process.kill("SIGTERM");
  }
}
