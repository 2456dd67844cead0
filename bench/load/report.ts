/** The summary of a run, for people and for programs. */

import type { Accounting } from "./accounting.ts";
import type { LoadOptions } from "./options.ts";
import { bar } from "./progress.ts";
import type { StoredCheck } from "./stored.ts";
import type { Tally } from "./tally.ts";

/** A run that is over. */
export interface Result {
  readonly options: LoadOptions;
  readonly tally: Tally;
  readonly seconds: number;
  readonly accounting: Accounting;
  /** What the database holds; null if it was not looked at. */
  readonly stored: StoredCheck | null;
  /** The signal that ended it early; null if none did. */
  readonly stoppedBy: string | null;
  readonly exitStatus: number;
}

const BAR_WIDTH = 40;
const BAR_PART_MIN = 1 / 8 / BAR_WIDTH; // a single answer shows too

/**
 * Exit status of a run: 1 if an event is unaccounted for, 2 if requests failed in the end. Counters
 * that began anew with a restart do not matter where the database itself was looked at.
 */
export function exitStatus(
  { tally, accounting, stored }: Pick<Result, "tally" | "accounting" | "stored">,
): 0 | 1 | 2 {
  const { closes, hasRestarted } = accounting;
  if (stored?.isRight === false || (!closes && !(hasRestarted && stored !== null))) return 1;
  return tally.failed + tally.unknown > 0 ? 2 : 0;
}

/** The summary as lines of text; the last one is the verdict. */
export function reportText(result: Result): string {
  const { options, tally, seconds, stoppedBy } = result;
  const { batch, concurrency, url } = options;
  const latency = tally.latencyMs();
  const lines = [
    ...stoppedBy === null ? [] : [`stopped by ${stoppedBy}; the summary so far:`],
    row("sent", `${tally.sent} requests, ${tally.sent * batch} events`) +
    ` (${concurrency} clients, ${url})`,
    row("accepted", `${tally.accepted} requests, ${tally.accepted * batch} events`),
    row("failed", failedText(tally)),
    row("retries", `${tally.retries}, after 503 or 429 with Retry-After`),
    ...options.ids ? [row("repeats", repeatsText(tally))] : [],
    ...tally.cutShort === 0 ? [] : [
      row("cut short", `${tally.cutShort} requests, refused and not sent again before the end`),
    ],
    row("time", `${seconds.toFixed(2)} s`),
    row("rate", `${perSecond(tally.ended, seconds)} requests/s`) +
    `, ${perSecond(tally.accepted * batch, seconds)} events/s accepted`,
    row("latency", `p50 ${ms(latency.p50)}, p90 ${ms(latency.p90)}, p99 ${ms(latency.p99)}`) +
    `, max ${ms(latency.max)}`,
    "",
    ...latencyBars(tally),
    result.accounting.verdict,
    ...result.stored === null ? [] : [result.stored.verdict],
  ];
  return lines.join("\n") + "\n";
}

/** The summary as one JSON object. */
export function reportJson(result: Result): string {
  const { options, tally, seconds, accounting } = result;
  const { url, batch, concurrency, rate } = options;
  return JSON.stringify({
    url,
    concurrency,
    batch,
    rate,
    stopped_by: result.stoppedBy,
    requests: {
      sent: tally.sent,
      accepted: tally.accepted,
      failed: tally.failed,
      unknown: tally.unknown,
      cut_short: tally.cutShort,
    },
    retries: tally.retries,
    repeats: tally.repeats,
    known_before: tally.knownBefore,
    failures: tally.failures(),
    events: {
      sent: tally.sent * batch,
      accepted: tally.accepted * batch,
      unknown: tally.unknown * batch,
    },
    seconds,
    requests_per_second: perSecond(tally.ended, seconds),
    events_per_second: perSecond(tally.accepted * batch, seconds),
    latency_ms: tally.latencyMs(),
    latency_histogram: tally.latencyBuckets().map(({ upToMs, count }) => ({
      up_to_ms: Number.isFinite(upToMs) ? upToMs : null,
      count,
    })),
    accounting: {
      closes: accounting.closes,
      verdict: accounting.verdict,
      change: accounting.change,
    },
    stored: result.stored?.verdict ?? null,
    exit_status: result.exitStatus,
  }) + "\n";
}

function row(name: string, text: string): string {
  return `${name.padEnd(10)}${text}`;
}

function failedText(tally: Tally): string {
  const failed = tally.failed + tally.unknown;
  if (failed === 0) return "0 requests";
  const byLabel = Object.entries(tally.failures()).map(([label, count]) => `${label}: ${count}`);
  return `${failed} requests (${byLabel.join(", ")})`;
}

function repeatsText({ repeats, knownBefore }: Tally): string {
  return `${repeats}, after no answer or a 5xx other than 503; ` +
    `${knownBefore} requests were answered as known already`;
}

function latencyBars(tally: Tally): string[] {
  const buckets = tally.latencyBuckets();
  if (buckets.length === 0) return [];
  const most = Math.max(...buckets.map(({ count }) => count));
  const rows = buckets.map(({ upToMs, count }) => {
    const label = Number.isFinite(upToMs) ? `to ${upToMs} ms` : "longer";
    const part = count === 0 ? 0 : Math.max(BAR_PART_MIN, count / most);
    return `${label.padStart(12)} ${bar(part, BAR_WIDTH)} ${count}`;
  });
  return [...rows, ""];
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? Math.round(count / seconds) : 0;
}
