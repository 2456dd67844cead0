/**
 * Ten readers that ask one thing after the other, with a second between, and twenty tails, half of
 * them of one type; one process, so that it can be given a low priority. Told to stop by SIGTERM, it
 * prints what it got as one line of JSON: {@linkcode ReadersReport}.
 */

import { setTimeout as sleep } from "node:timers/promises";

/** What the readers got. */
export interface ReadersReport {
  /** Queries that were answered 200. */
  readonly queries: number;
  /** Queries that were not. */
  readonly refused: number;
  /** Latency that half of the queries did not exceed, in ms. */
  readonly queryP50Ms: number;
  /** Events that the tails got. */
  readonly tailEvents: number;
  /** Times that a tail ended before the readers were stopped. */
  readonly tailsEnded: number;
}

const READERS = 10, TAILS = 20;
const REST_MS = 1000;
const QUERIES = [
  "/events?limit=50",
  "/events?user_id=4711",
  "/events?type=refund",
  "/series?by=type",
  "/top?by=type",
  "/stats",
];

if (import.meta.main) read(Deno.args[0] ?? "");

function read(url: string): void {
  const latencies: number[] = [];
  let refused = 0, tailEvents = 0, tailsEnded = 0;

  async function ask(): Promise<void> {
    for (let i = 0;; i = (i + 1) % QUERIES.length) {
      const startMs = performance.now();
      try {
        const response = await fetch(url + QUERIES[i]);
        await response.arrayBuffer();
        if (response.ok) latencies.push(performance.now() - startMs);
        else refused++;
      } catch {
        refused++;
      }
      await sleep(REST_MS);
    }
  }

  async function tail(path: string): Promise<void> {
    for (;; tailsEnded++) {
      try {
        const response = await fetch(url + path);
        for await (const part of response.body ?? []) tailEvents += lines(part);
      } catch { /* it was ended: the next one is opened */ }
      await sleep(REST_MS);
    }
  }

  Deno.addSignalListener("SIGTERM", () => {
    latencies.sort((a, b) => a - b);
    const queryP50Ms = latencies[Math.floor(latencies.length / 2)] ?? NaN;
    const report: ReadersReport = {
      queries: latencies.length,
      refused,
      queryP50Ms,
      tailEvents,
      tailsEnded,
    };
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
    Deno.exit();
  });
  for (let i = 0; i < READERS; i++) ask();
  for (let i = 0; i < TAILS; i++) tail(i % 2 === 0 ? "/tail" : "/tail?type=checkout");
}

/** Lines that begin with `i`, of `id:`. */
function lines(part: Uint8Array): number {
  let count = 0;
  for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) {
    if (part[at + 1] === 105) count++;
  }
  return count;
}
