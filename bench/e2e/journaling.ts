/** (h) the journal: what it takes and gives back while another process holds the database's lock. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { LockHolder } from "../../tests/e2e/lock_holder.ts";
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
import { median, spread, thousands } from "./numbers.ts";
import { peakRssMiB, writtenBytes, wrk } from "./tools.ts";

const CONNECTIONS_BULK = 16;
const DRAINED_EVENTS = 1_000_000;
const RECOVERED_BYTES = 200e6;
const STARTS = 3;

/** Markdown lines for (h). */
export async function journaling(rounds: number, seconds: number): Promise<string[]> {
  return [
    ...await lockedLines(rounds, seconds),
    "",
    ...await spaceLines(seconds),
    "",
    ...await drainLines(),
    ...await recoveryLines(),
  ];
}

interface Acknowledged {
  readonly perSecond: number;
  readonly p99Ms: number;
}

async function lockedLines(rounds: number, seconds: number): Promise<string[]> {
  const lines = [
    "| connections | free events/s | locked events/s | ratio | free p99 | locked p99 |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const connections of [64, 256]) {
    const run = singles(connections, seconds);
    const { free, locked } = await inTurn(rounds, {
      free: () => acknowledged(run),
      locked: () => acknowledged(run, (database) => LockHolder.start(database)),
    });
    const rate = ({ perSecond }: Acknowledged) => perSecond;
    const p99 = (runs: Acknowledged[]) => medianOf(runs, ({ p99Ms }) => p99Ms).toFixed(1);
    lines.push(
      `| ${connections} | ${thousands(medianOf(free, rate))} | ${
        thousands(medianOf(locked, rate))
      } | ` +
        `**${spread(ratios(locked, free, rate))}** | ${p99(free)} ms | ${p99(locked)} ms |`,
    );
  }
  return lines;
}

/** Sends, and counts what was answered 2xx. */
async function acknowledged(
  run: CollectorRun,
  lock: (database: string) => Promise<LockHolder | null> = () => Promise.resolve(null),
): Promise<Acknowledged> {
  await using collector = await CollectorProcess.start();
  const url = collector.url + pathOf(run);
  await wrk(url, { ...run, seconds: 1 });
  await allStored(collector);
  await using _lock = await lock(collector.database);
  const { requests, requestsPerSecond, refused, p99Ms } = await wrk(url, run);
  return { perSecond: requestsPerSecond * (1 - refused / requests), p99Ms };
}

/** Bytes in the journal and bytes written to the disk, for each byte that was sent. */
async function spaceLines(seconds: number): Promise<string[]> {
  const runs = { single: singles(64, seconds), bulk: bulk(CONNECTIONS_BULK, seconds) };
  const row = async (name: string, args: string[], mode: "free" | "locked") => {
    const cells: string[] = [];
    for (const run of Object.values(runs)) {
      const { written, journal } = await spaceOf({ ...run, args }, mode);
      cells.push(written.toFixed(2), mode === "free" ? "" : journal.toFixed(2));
    }
    return `| ${name} | ${cells.join(" | ")} |`;
  };
  return [
    "| durability | single: written | journal | NDJSON of 500: written | journal |",
    "| --- | --- | --- | --- | --- |",
    await row("memory", ["--durability", "memory"], "free"),
    await row("disk", [], "free"),
    await row("disk, the database locked and then drained", [], "locked"),
  ];
}

async function spaceOf(run: CollectorRun, mode: "free" | "locked") {
  await using collector = await CollectorProcess.start(run.args ? { args: run.args } : {});
  const { pid } = collector.process;
  const before = await writtenBytes(pid);
  let journalBytes = 0;
  {
    await using _lock = mode === "free" ? null : await LockHolder.start(collector.database);
    await wrk(collector.url + pathOf(run), run);
    journalBytes = (await collector.stats()).journal_bytes ?? NaN;
  }
  const { committed = NaN } = await allStored(collector);
  const payload = committed * run.body.trimEnd().length / run.eventsPerRequest;
  return { written: (await writtenBytes(pid) - before) / payload, journal: journalBytes / payload };
}

async function drainLines(): Promise<string[]> {
  await using collector = await CollectorProcess.start();
  const { pid } = collector.process;
  let events = 0;
  {
    await using _lock = await LockHolder.start(collector.database);
    await journalUntil(collector, ({ journaled = 0 }) => (events = journaled) >= DRAINED_EVENTS);
  }
  const full = await peakRssMiB(pid);
  const startMs = performance.now();
  await allStored(collector);
  const seconds = (performance.now() - startMs) / 1000;
  return [
    "| | |",
    "| --- | --- |",
    `| peak RSS with ${thousands(events)} events in the journal | ${full.toFixed(0)} MiB |`,
    `| draining them | ${seconds.toFixed(1)} s, ${thousands(events / seconds)} events/s |`,
    `| peak RSS, drained | ${(await peakRssMiB(pid)).toFixed(0)} MiB |`,
  ];
}

/** The time to start on a journal that a killed collector left, each time another. */
async function recoveryLines(): Promise<string[]> {
  const { empty, large } = await inTurn(STARTS, {
    empty: () => startAfter(0),
    large: () => startAfter(RECOVERED_BYTES),
  });
  const ms = (runs: number[]) => `${median(runs).toFixed(0)} ms`;
  return [
    `| start, no journal | ${ms(empty)} |`,
    `| start, ${RECOVERED_BYTES / 1e6} MB of journal to recover | ${ms(large)} |`,
  ];
}

async function startAfter(journalBytes: number): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-" });
  try {
    {
      await using killed = await CollectorProcess.start({ folder });
      await using _lock = await LockHolder.start(killed.database);
      await journalUntil(killed, ({ journal_bytes = 0 }) => journal_bytes >= journalBytes);
      await killed.stop("SIGKILL");
    }
    const startMs = performance.now();
    await using _started = await CollectorProcess.start({ folder });
    return performance.now() - startMs;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Stats = Awaited<ReturnType<CollectorProcess["stats"]>>;

/** Sends in bulk until the journal is as wished. */
async function journalUntil(
  collector: CollectorProcess,
  wish: (stats: Stats) => boolean,
): Promise<void> {
  while (!wish(await collector.stats())) {
    await wrk(`${collector.url}/events`, bulk(CONNECTIONS_BULK, 1));
  }
}
