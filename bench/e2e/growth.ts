/** (c) whether the commit rate stays flat while the database grows. */

import { encodeBatch, type Submission } from "../../lib/event.ts";
import { decodeLines } from "../../lib/protocols/native.ts";
import { Database } from "../../lib/store/database.ts";
import { sampleLines } from "../sample.ts";
import { median, thousands } from "./numbers.ts";

const TRANSACTION_EVENTS = 10_000;
/** Transactions measured together: enough that each part has checkpoints in it. */
const PART_TRANSACTIONS = 10;

/**
 * Markdown lines: the median rate of the ten parts of the million rows before each milestone, in
 * millions of rows; checkpoints are in each part. Writes through the store's own code, in this process, so that nothing else
 * varies.
 */
export function growth(milestones: readonly number[]): string[] {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-growth-" });
  const path = `${folder}/events.db`;
  const database = new Database({ path, synchronous: "full", openTimeoutMs: 1000, run: "" });
  const context = { receivedAt: 1_795_520_166_556, isAscii: true };
  const limits = { maxRequestEvents: TRANSACTION_EVENTS, maxEventBytes: 1 << 20 };
  const submission = decodeLines(
    new TextEncoder().encode(sampleLines(TRANSACTION_EVENTS)),
    context,
    limits,
  ) as Submission;
  const rows = encodeBatch([submission]);
  const perMillion = 1_000_000 / TRANSACTION_EVENTS;
  const rates: number[] = [];
  let parts: number[] = [];
  for (let number = 1, startMs = performance.now(); rates.length < milestones.length; number++) {
    database.write({ number, events: TRANSACTION_EVENTS, rows, skip: [], deadLetters: [] });
    database.checkpointIfDue();
    if (number % PART_TRANSACTIONS !== 0) continue;
    parts.push(PART_TRANSACTIONS * TRANSACTION_EVENTS / (performance.now() - startMs) * 1000);
    startMs = performance.now();
    if (number % perMillion !== 0) continue;
    if (milestones.includes(number / perMillion)) rates.push(median(parts));
    parts = [];
  }
  const { size } = Deno.statSync(path);
  database.close();
  Deno.removeSync(folder, { recursive: true });
  const first = rates[0] ?? NaN;
  return [
    "| rows | rows/s | against the first |",
    "| --- | --- | --- |",
    ...rates.map((rate, i) =>
      `| ${milestones[i]} M | ${thousands(rate)} | ${(rate / first).toFixed(2)} |`
    ),
    "",
    `The database was ${(size / 2 ** 30).toFixed(1)} GiB in the end.`,
  ];
}
