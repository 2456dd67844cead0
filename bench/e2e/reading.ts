/** (j) how long each kind of query takes on a large database. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { median } from "./numbers.ts";
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

/** Has all that can be indexed of a database indexed. */
export async function untilIndexed(folder: string, rows: number): Promise<void> {
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
