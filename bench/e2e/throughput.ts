/** (a) single events against a bare handler, (b) NDJSON against SQLite's own ceiling. */

import { DatabaseSync } from "node:sqlite";
import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { sampleEvent, sampleLines } from "../sample.ts";
import { median, spread, thousands } from "./numbers.ts";
import { serveRung } from "./rung.ts";
import { cpuMs, wrk, type WrkOptions } from "./tools.ts";

/** Rates and CPU of one program in one round. */
interface Measured {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

const EVENTS_PER_REQUEST = 500;

/** Markdown lines for (a), and the collector's median rate. */
export async function singleEvents(
  rounds: number,
  seconds: number,
): Promise<{ readonly lines: string[]; readonly perSecond: number }> {
  const lines = [
    "| connections | bare events/s | collector events/s, committed | ratio | bare CPU/event | collector CPU/event |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  let perSecond = 0;
  for (const connections of [64, 256]) {
    const options = {
      connections,
      seconds,
      body: sampleEvent(1),
      contentType: "application/json",
    };
    const bare: Measured[] = [], collector: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      bare.push(await measureBare(options));
      collector.push(await measureCollector("/event", 1, options));
    }
    const ratios = collector.map(({ perSecond }, i) => perSecond / (bare[i]?.perSecond ?? NaN));
    const rate = (all: Measured[]) => median(all.map(({ perSecond }) => perSecond));
    const cpu = (all: Measured[]) => median(all.map(({ cpuMicroseconds }) => cpuMicroseconds));
    perSecond ||= rate(collector);
    lines.push(
      `| ${connections} | ${thousands(rate(bare))} | ${thousands(rate(collector))} | ` +
        `**${spread(ratios)}** | ${cpu(bare).toFixed(1)} µs | ${cpu(collector).toFixed(1)} µs |`,
    );
  }
  return { lines, perSecond };
}

/** Markdown lines for (b). */
export async function bulkEvents(rounds: number, seconds: number): Promise<string[]> {
  const options = {
    connections: 16,
    seconds,
    body: sampleLines(EVENTS_PER_REQUEST),
    contentType: "application/x-ndjson",
  };
  const engine: number[] = [], collector: number[] = [], transactions: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = await measureCollector("/events", EVENTS_PER_REQUEST, options);
    collector.push(measured.perSecond);
    transactions.push(measured.transactionEvents);
    engine.push(engineCeiling(measured.transactionEvents, seconds));
  }
  const ratios = collector.map((rate, i) => rate / (engine[i] ?? NaN));
  return [
    "| events a transaction | SQLite engine rows/s | collector events/s, committed | ratio |",
    "| --- | --- | --- | --- |",
    `| ${median(transactions)} | ${thousands(median(engine))} | ${
      thousands(median(collector))
    } | ` +
    `**${spread(ratios)}** |`,
  ];
}

async function measureBare(options: WrkOptions): Promise<Measured> {
  await using server = await serveRung("bare");
  await wrk(server.url, { ...options, seconds: 1 });
  const before = await cpuMs(server.pid);
  const { requests, requestsPerSecond } = await wrk(server.url, options);
  const used = await cpuMs(server.pid) - before;
  return { perSecond: requestsPerSecond, cpuMicroseconds: used * 1000 / requests };
}

/** Counts only what was committed, over the time until the last of it was. */
async function measureCollector(
  path: string,
  eventsPerRequest: number,
  options: WrkOptions,
): Promise<Measured & { readonly transactionEvents: number }> {
  await using collector = await CollectorProcess.start();
  await wrk(collector.url + path, { ...options, seconds: 1 });
  const before = await collector.settled();
  const cpuBefore = await cpuMs(collector.process.pid);
  const { requests, requestsPerSecond } = await wrk(collector.url + path, options);
  const sentMs = performance.now();
  const after = await collector.settled();
  const seconds = requests / requestsPerSecond + (performance.now() - sentMs) / 1000;
  const used = await cpuMs(collector.process.pid) - cpuBefore;
  const events = (after.committed ?? 0) - (before.committed ?? 0);
  const { p50 = 0 } = after.batch_events as unknown as { p50?: number };
  return {
    perSecond: events / seconds,
    cpuMicroseconds: used * 1000 / events,
    transactionEvents: Math.max(eventsPerRequest, p50),
  };
}

/** Rows a second that SQLite inserts by itself, in transactions of the same size and settings. */
function engineCeiling(transactionEvents: number, seconds: number): number {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-engine-" });
  const database = new DatabaseSync(`${folder}/engine.db`);
  database.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE events (id INTEGER PRIMARY KEY, user_id INTEGER, actor TEXT,
      timestamp TEXT NOT NULL, metadata TEXT NOT NULL, received_at INTEGER NOT NULL,
      source TEXT NOT NULL, type TEXT, event_id TEXT) STRICT`);
  const insert = database.prepare(`INSERT INTO events
      (user_id, timestamp, metadata, received_at, source)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    SELECT 100000 + i, '2026-11-24T11:03:40.123Z', ?, 1795520166556, 'native' FROM n`);
  const metadata = JSON.stringify(JSON.parse(sampleEvent(1)).metadata);
  const startMs = performance.now();
  let rows = 0;
  while (performance.now() - startMs < seconds * 1000) {
    insert.run(transactionEvents, metadata);
    rows += transactionEvents;
  }
  const perSecond = rows / (performance.now() - startMs) * 1000;
  database.close();
  Deno.removeSync(folder, { recursive: true });
  return perSecond;
}
