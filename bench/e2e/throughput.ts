/** (a) single events against a bare handler, (b) NDJSON against SQLite's own ceiling. */

import { DatabaseSync } from "node:sqlite";
import { sampleEvent } from "../sample.ts";
import {
  bulk,
  inTurn,
  measureCollector,
  type Measured,
  medianOf,
  ratios,
  singles,
} from "./measure.ts";
import { median, spread, thousands } from "./numbers.ts";
import { serveRung } from "./rung.ts";
import { BenchToken } from "./token.ts";
import { cpuMs, wrk, type WrkOptions } from "./tools.ts";

/** What both programs of (a) are measured by. */
type Compared = Pick<Measured, "perSecond" | "cpuMicroseconds">;

const MEMORY = ["--durability", "memory"];

/** Markdown lines for (a), and the collector's median rate. */
export async function singleEvents(
  rounds: number,
  seconds: number,
): Promise<{ readonly lines: string[]; readonly perSecond: number }> {
  const lines = [
    "| connections | bare events/s | collector events/s, committed | ratio | with a token | ratio | bare CPU/event | collector CPU/event | with a token |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
  ];
  let perSecond = 0;
  using token = new BenchToken();
  for (const connections of [64, 256]) {
    const run = singles(connections, seconds);
    const { bare, collector, tokened } = await inTurn<
      "bare" | "collector" | "tokened",
      Compared
    >(rounds, {
      bare: () => measureBare(run),
      collector: () => measureCollector({ ...run, args: MEMORY }),
      tokened: () =>
        measureCollector({
          ...run,
          args: [...MEMORY, ...token.args],
          lua: token.lua,
          token: token.token,
        }),
    });
    const perSecondOf = ({ perSecond }: Compared) => perSecond;
    const rate = (all: Compared[]) => medianOf(all, perSecondOf);
    const cpu = (all: Compared[]) => medianOf(all, ({ cpuMicroseconds }) => cpuMicroseconds);
    perSecond ||= rate(collector);
    lines.push(
      `| ${connections} | ${thousands(rate(bare))} | ${thousands(rate(collector))} | ` +
        `**${spread(ratios(collector, bare, perSecondOf))}** | ${thousands(rate(tokened))} | ` +
        `**${spread(ratios(tokened, bare, perSecondOf))}** | ${cpu(bare).toFixed(1)} µs | ${
          cpu(collector).toFixed(1)
        } µs | ${cpu(tokened).toFixed(1)} µs |`,
    );
  }
  return { lines, perSecond };
}

/** Markdown lines for (b), and in `disk` mode for a part of (f). */
export async function bulkEvents(
  rounds: number,
  seconds: number,
  durability: "memory" | "disk",
): Promise<string[]> {
  const run = { ...bulk(16, seconds), args: ["--durability", durability] };
  const engine: number[] = [], collector: number[] = [], transactions: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = await measureCollector(run);
    collector.push(measured.perSecond);
    transactions.push(measured.transactionEvents);
    engine.push(engineCeiling(measured.transactionEvents, seconds));
  }
  const parts = collector.map((rate, i) => rate / (engine[i] ?? NaN));
  return [
    "| events a transaction | SQLite engine rows/s | collector events/s, committed | ratio |",
    "| --- | --- | --- | --- |",
    `| ${median(transactions)} | ${thousands(median(engine))} | ${
      thousands(median(collector))
    } | ` +
    `**${spread(parts)}** |`,
  ];
}

async function measureBare(options: WrkOptions): Promise<Compared> {
  await using server = await serveRung("bare");
  await wrk(server.url, { ...options, seconds: 1 });
  const before = await cpuMs(server.pid);
  const { requests, requestsPerSecond } = await wrk(server.url, options);
  const used = await cpuMs(server.pid) - before;
  return { perSecond: requestsPerSecond, cpuMicroseconds: used * 1000 / requests };
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
