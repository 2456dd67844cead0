/** (f) what it costs to answer after the flush: durability disk against memory. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import {
  inTurn,
  measureCollector,
  type Measured,
  medianOf,
  pathOf,
  ratios,
  singles,
} from "./measure.ts";
import { median, percentile, spread, thousands } from "./numbers.ts";
import { bulkEvents } from "./throughput.ts";
import { paced } from "./tools.ts";

type Durability = "memory" | "disk";

/** Markdown lines for (f). */
export async function durability(rounds: number, seconds: number): Promise<string[]> {
  const rows: string[] = [];
  let diskPerSecond = 0;
  for (const connections of [64, 256]) {
    const run = singles(connections, seconds);
    const { memory, disk } = await inBothModes(
      rounds,
      (durability) => measureCollector({ ...run, args: ["--durability", durability] }),
    );
    diskPerSecond ||= medianOf(disk, perSecond);
    rows.push(row(connections, memory, disk));
  }
  return [
    "| connections | memory events/s | disk events/s | ratio | memory CPU/event | disk CPU/event | ratio | events a transaction, memory, disk |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "\nNDJSON, 500 events a request, 16 connections, disk, against the engine as in (b):\n",
    ...await bulkEvents(rounds, seconds, "disk"),
    `\nLatency at ${Math.round(diskPerSecond / 2)} requests/s, half of what disk reached at 64 ` +
    "connections, paced by h2load:\n",
    ...await latency(rounds, seconds, diskPerSecond / 2),
  ];
}

function inBothModes<T>(
  rounds: number,
  measure: (durability: Durability) => Promise<T>,
): Promise<Record<Durability, T[]>> {
  return inTurn(rounds, { memory: () => measure("memory"), disk: () => measure("disk") });
}

const perSecond = ({ perSecond }: Measured) => perSecond;
const cpu = ({ cpuMicroseconds }: Measured) => cpuMicroseconds;
const transaction = ({ transactionEvents }: Measured) => transactionEvents;

function row(connections: number, memory: Measured[], disk: Measured[]): string {
  return [
    `| ${connections} | ${thousands(medianOf(memory, perSecond))}`,
    thousands(medianOf(disk, perSecond)),
    `**${spread(ratios(disk, memory, perSecond))}**`,
    `${medianOf(memory, cpu).toFixed(1)} µs`,
    `${medianOf(disk, cpu).toFixed(1)} µs`,
    `**${spread(ratios(disk, memory, cpu))}**`,
    `${medianOf(memory, transaction)}, ${medianOf(disk, transaction)} |`,
  ].join(" | ");
}

/** The same pace for both; what is added is the difference of the runs beside each other. */
async function latency(rounds: number, seconds: number, pace: number): Promise<string[]> {
  const { memory, disk } = await inBothModes(rounds, async (durability) => {
    const args = ["--durability", durability];
    await using collector = await CollectorProcess.start({ args });
    const run = { ...singles(64, seconds), requestsPerSecond: pace };
    const url = collector.url + pathOf(run);
    await paced(url, { ...run, seconds: 1 });
    return await paced(url, run);
  });
  const at = (runs: number[][], percent: number) => runs.map((ms) => percentile(ms, percent));
  const text = (runs: number[][], percent: number) => `${median(at(runs, percent)).toFixed(2)} ms`;
  const added = (percent: number) => {
    const before = at(memory, percent);
    return spread(at(disk, percent).map((ms, i) => ms - (before[i] ?? NaN)));
  };
  return [
    "| durability | p50 | p99 |",
    "| --- | --- | --- |",
    `| memory | ${text(memory, 50)} | ${text(memory, 99)} |`,
    `| disk | ${text(disk, 50)} | ${text(disk, 99)} |`,
    `| added | **${added(50)}** ms | **${added(99)}** ms |`,
  ];
}
