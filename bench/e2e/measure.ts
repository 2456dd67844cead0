/** Runs of wrk against a collector of their own, and runs that take turns. */

import { CollectorProcess, type StatsJson } from "../../tests/e2e/collector_process.ts";
import { sampleEvent, sampleLines } from "../sample.ts";
import { median } from "./numbers.ts";
import { cpuMs, wrk, type WrkOptions } from "./tools.ts";

/** What is sent, and to which collector. */
export interface CollectorRun extends WrkOptions {
  readonly eventsPerRequest: number;
  /** Flags of the collector. */
  readonly args?: readonly string[];
  /** Folder of its database; default: a new one. */
  readonly folder?: string;
  /** A token that may read, where one is needed. */
  readonly token?: string;
  /** Starts what goes on beside it, given where the collector listens. */
  readonly beside?: (url: string) => Disposable;
}

/** What one run showed. */
export interface Measured {
  /** Events that were committed, over the time until the last of them was. */
  readonly perSecond: number;
  /** CPU time of the whole process an event. */
  readonly cpuMicroseconds: number;
  /** Latency that 99 % of the answers did not exceed. */
  readonly p99Ms: number;
  /** Median of the events a transaction. */
  readonly transactionEvents: number;
}

/** How many events the requests in bulk hold. */
export const BULK_EVENTS = 500;

/** One event a request. */
export function singles(connections: number, seconds: number): CollectorRun {
  const body = sampleEvent(1), contentType = "application/json";
  return { connections, seconds, body, contentType, eventsPerRequest: 1 };
}

/** NDJSON in bulk. */
export function bulk(connections: number, seconds: number): CollectorRun {
  const body = sampleLines(BULK_EVENTS), contentType = "application/x-ndjson";
  return { connections, seconds, body, contentType, eventsPerRequest: BULK_EVENTS };
}

/** Where a run is posted. */
export function pathOf({ eventsPerRequest }: CollectorRun): string {
  return eventsPerRequest === 1 ? "/event" : "/events";
}

/** Starts a collector, warms it up for a second, and measures. */
export async function measureCollector(run: CollectorRun): Promise<Measured> {
  const { args = [], folder, token } = run;
  await using collector = await CollectorProcess.start({
    args,
    ...folder === undefined ? {} : { folder },
    ...token === undefined ? {} : { token },
  });
  using _beside = run.beside?.(collector.url);
  const url = collector.url + pathOf(run);
  await wrk(url, { ...run, seconds: 1 });
  const before = await allStored(collector);
  const cpuBefore = await cpuMs(collector.process.pid);
  const { requests, requestsPerSecond, p99Ms } = await wrk(url, run);
  const sentMs = performance.now();
  const after = await allStored(collector);
  const seconds = requests / requestsPerSecond + (performance.now() - sentMs) / 1000;
  const used = await cpuMs(collector.process.pid) - cpuBefore;
  const events = (after.committed ?? 0) - (before.committed ?? 0);
  if ((after.duplicates ?? 0) > 0) throw new Error("the sender repeated itself");
  return {
    perSecond: events / seconds,
    cpuMicroseconds: used * 1000 / events,
    p99Ms,
    transactionEvents: Math.max(run.eventsPerRequest, batchEvents(after)),
  };
}

/** Waits until everything accepted is in the database. */
export function allStored(collector: CollectorProcess, timeoutMs = 120_000): Promise<StatsJson> {
  return collector.until(
    ({ queued, in_flight, journaled }) => queued === 0 && in_flight === 0 && journaled === 0,
    timeoutMs,
  );
}

function batchEvents(stats: StatsJson): number {
  const { p50 = 0 } = stats.batch_events as unknown as { p50?: number };
  return p50;
}

/** Does each of these things in turn, `rounds` times, so that a change of the machine meets all. */
export async function inTurn<Name extends string, T>(
  rounds: number,
  things: Readonly<Record<Name, () => Promise<T>>>,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(things) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await things[name]());
  }
  return results;
}

/** The median of a figure. */
export function medianOf<T>(runs: readonly T[], figure: (run: T) => number): number {
  return median(runs.map(figure));
}

/** A figure of each run against that of the run beside it. */
export function ratios<T>(
  runs: readonly T[],
  against: readonly T[],
  figure: (run: T) => number,
): number[] {
  return runs.map((run, i) => figure(run) / figure(against[i] as T));
}
