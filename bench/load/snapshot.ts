/** What the collector says of itself: the part of `GET /stats` that the accounting needs. */

import { describeFailure } from "./client.ts";
import { pause } from "./pause.ts";

const COUNTERS = [
  ...["accepted", "committed", "dead_lettered", "dropped"] as const,
  ...["queued", "in_flight", "journaled", "residual"] as const,
] as const;

/** The collector's account at one instant, in events. */
export type Snapshot = Readonly<Record<typeof COUNTERS[number], number>> & {
  readonly started_at: string;
};

/** How to wait. */
export interface SettleOptions {
  /** Told of each look. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** Longest wait. */
  readonly settleMs: number;
  /** Longest time without an answer. */
  readonly unreachableMs: number;
}

const NEEDS_TOKENS = "GET /stats was answered 401, as it needs a token; this load has none, so " +
  "send it to a collector without tokens";
const STATS_TIMEOUT_MS = 10_000;
const POLL_MS = 100;

/** Events that are accepted and not yet in the database. */
export function openEvents({ queued, in_flight, journaled }: Snapshot): number {
  return queued + in_flight + journaled;
}

/** The account now, or in words why there is none. */
export async function takeSnapshot(url: string): Promise<Snapshot | string> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), STATS_TIMEOUT_MS);
  try {
    const response = await fetch(`${url}/stats`, { redirect: "manual", signal: abort.signal });
    const text = await response.text();
    if (response.status === 401) return NEEDS_TOKENS;
    if (response.status !== 200) return `GET /stats was answered ${response.status}`;
    return readSnapshot(text);
  } catch (error) {
    if (abort.signal.aborted) return `GET /stats got no answer in ${STATS_TIMEOUT_MS} ms`;
    return describeFailure(error).label;
  } finally {
    clearTimeout(timer);
  }
}

/** Reads the body of `GET /stats`; gives a text that says what is wrong with it. */
export function readSnapshot(text: string): Snapshot | string {
  const stats = parse(text);
  if (typeof stats !== "object" || stats === null) return "GET /stats did not give a JSON object";
  const members = new Map<string, unknown>(Object.entries(stats));
  const missing = COUNTERS.filter((name) => !Number.isSafeInteger(members.get(name)));
  if (missing.length > 0) return `GET /stats gives no number for ${missing.join(", ")}`;
  if (typeof members.get("started_at") !== "string") return "GET /stats gives no started_at";
  return stats as Snapshot;
}

/** Waits until the collector has stored what it queued; gives the last account it got. */
export async function settle(url: string, options: SettleOptions): Promise<Snapshot | string> {
  const { onSnapshot, settleMs, unreachableMs } = options;
  const endMs = performance.now() + settleMs;
  let reachedMs = performance.now();
  for (;;) {
    const snapshot = await takeSnapshot(url);
    const nowMs = performance.now();
    if (typeof snapshot !== "string") {
      reachedMs = nowMs;
      onSnapshot(snapshot);
      if (openEvents(snapshot) === 0 || nowMs >= endMs) return snapshot;
    } else if (nowMs - reachedMs >= unreachableMs || nowMs >= endMs) return snapshot;
    await pause(POLL_MS, NEVER);
  }
}

const NEVER = new AbortController().signal;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
