/** Sends the load: so many clients, each with one request at a time. */

import { deliver, makeBody, target } from "./client.ts";
import type { LoadOptions } from "./options.ts";
import { pause } from "./pause.ts";
import type { Acknowledged } from "./stored.ts";
import type { Tally } from "./tally.ts";

/** What is kept of a run, and what ends it. */
export interface RunOptions {
  readonly tally: Tally;
  /** Name of the run, the same for all its events. */
  readonly run: string;
  /** Where to note what was acknowledged; null if nobody will ask. */
  readonly acknowledged: Acknowledged | null;
  readonly signal: AbortSignal;
}

/** A client whose request failed pauses, so that a dead collector is not asked in a tight loop. */
const FAILED_PAUSE_MS = 100;

/**
 * Sends until the number of requests or the time is reached, or the signal is aborted; requests
 * under way are waited for. Gives the seconds it took.
 *
 * With a rate, request n is due n/rate seconds after the start, and whichever client is free sends
 * it: late ones are caught up with, and their latency counts from when they were due.
 */
export async function runLoad(
  options: LoadOptions,
  { tally, run, acknowledged, signal }: RunOptions,
): Promise<number> {
  const startMs = performance.now();
  const end = new AbortController();
  const timer = options.durationSeconds === null
    ? undefined
    : setTimeout(() => end.abort(), options.durationSeconds * 1000);
  const stop = () => end.abort();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const dueMs = schedule(options, startMs);
    const clients = Array.from(
      { length: Math.min(options.concurrency, options.requests ?? Infinity) },
      (_, client) =>
        runClient({ options, tally, run, acknowledged, dueMs, client, signal: end.signal }),
    );
    await Promise.all(clients);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
  return (performance.now() - startMs) / 1000;
}

type Due = { readonly atMs: number | null } | null;

/** Hands out the requests: when the next one is due, null when there are no more. */
function schedule({ requests, rate }: LoadOptions, startMs: number): () => Due {
  let next = 0;
  return () => {
    if (requests !== null && next >= requests) return null;
    const n = next++;
    return { atMs: rate === null ? null : startMs + n * 1000 / rate };
  };
}

interface Client extends RunOptions {
  readonly options: LoadOptions;
  readonly dueMs: () => Due;
  readonly client: number;
}

async function runClient(
  { options, tally, run, acknowledged, dueMs, client, signal }: Client,
): Promise<void> {
  const to = target(options);
  const { batch: events, ids } = options;
  const onRetry = (after: "refusal" | "unknown") =>
    after === "refusal" ? tally.retries++ : tally.repeats++;
  const onWaiting = (change: 1 | -1) => tally.waiting += change;
  for (let sequence = 0; !signal.aborted; sequence += events) {
    const due = dueMs();
    if (due === null) return;
    if (due.atMs !== null) {
      const earlyMs = due.atMs - performance.now();
      if (earlyMs > 0) await pause(earlyMs, signal);
      if (signal.aborted) return;
    }
    tally.sent++;
    const body = makeBody({ run, client, sequence, events, atMs: Date.now(), ids });
    const how = { dueMs: due.atMs, signal, onRetry, onWaiting, mayRepeat: ids };
    const outcome = await deliver(to, body, how);
    tally.record(outcome);
    if (outcome.kind === "accepted") acknowledged?.add(client, sequence);
    const hasFailed = outcome.kind === "failed" || outcome.kind === "unknown";
    if (hasFailed) await pause(FAILED_PAUSE_MS, signal);
  }
}
