/** (d) latency at half load, the database free or locked, and (e) memory with the queue full. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { LockHolder } from "../../tests/e2e/lock_holder.ts";
import { sampleEvent, sampleLines } from "../sample.ts";
import { median, percentile } from "./numbers.ts";
import { paced, peakRssMiB } from "./tools.ts";

/** In `disk` mode the events go to the journal: see journaling.ts. */
const MEMORY = ["--durability", "memory"];

/**
 * Markdown lines for (d). The queue is made large enough to hold what arrives while the database is
 * locked: this is about latency, not about refusals.
 */
export async function halfLoad(
  rounds: number,
  seconds: number,
  requestsPerSecond: number,
): Promise<string[]> {
  const options = {
    connections: 64,
    seconds,
    body: sampleEvent(1),
    contentType: "application/json",
    requestsPerSecond,
  };
  const free: number[][] = [], locked: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    await using collector = await CollectorProcess.start({
      args: [...MEMORY, "--queue-capacity", "5000000", "--queue-bytes", "4000000000"],
    });
    const url = `${collector.url}/event`;
    await paced(url, { ...options, seconds: 1 });
    free.push(await paced(url, options));
    await using _lock = await LockHolder.start(collector.database);
    locked.push(await paced(url, options));
  }
  const row = (name: string, runs: number[][]) => {
    const at = (percent: number) => median(runs.map((ms) => percentile(ms, percent))).toFixed(2);
    return `| ${name} | ${at(50)} ms | ${at(99)} ms | ${at(99.9)} ms | ${at(100)} ms |`;
  };
  return [
    "| database | p50 | p99 | p99.9 | max |",
    "| --- | --- | --- | --- | --- |",
    row("free", free),
    row("write lock held by another process", locked),
  ];
}

/** Markdown lines for (e). */
export async function memory(): Promise<string[]> {
  const ndjson = { "content-type": "application/x-ndjson" };
  const json = { "content-type": "application/json" };
  const bulk = sampleLines(1000);
  const heavy = `{"user_id":1,"timestamp":"2026-11-24T11:03:40Z","metadata":{"t":"${
    "é".repeat(100_000)
  }"}}`;
  const cases: [string, string, string, Record<string, string>][] = [
    ["30,000 events of 150 bytes, sent one by one", "/event", sampleEvent(1), json],
    ["30,000 events of 150 bytes, as NDJSON", "/events", bulk, ndjson],
    ["64 MiB in events of 200 KB", "/event", heavy, json],
  ];
  const lines = ["| the queue holds | peak RSS, full | peak RSS, drained |", "| --- | --- | --- |"];
  for (const [name, path, body, headers] of cases) {
    await using collector = await CollectorProcess.start({ args: MEMORY });
    {
      await using _lock = await LockHolder.start(collector.database);
      while ((await collector.post(path, body, headers)).status === 202);
      lines.push(`| ${name} | ${(await peakRssMiB(collector.process.pid)).toFixed(0)} MiB |`);
    }
    await collector.settled();
    const drained = await peakRssMiB(collector.process.pid);
    lines.push(`${lines.pop()} ${drained.toFixed(0)} MiB |`);
  }
  return lines;
}
