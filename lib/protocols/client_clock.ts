/**
 * Clocks of senders, which may be wrong by years. Some protocols have a request carry the time its
 * sender sent it by that same clock: what lies between it and the receipt is how wrong the clock is.
 */

import { toUtc } from "../timestamp.ts";

/** Below this, what lies between sending and receipt may as well be the network, and retries. */
const SKEW_MS_MIN = 300_000;

/** The clock of the sender of a request. */
export interface ClientClock {
  /** When the request was received, by the collector's clock, Unix epoch in ms. */
  readonly receivedAt: number;
  /** What to add to its times to correct them, in ms; 0 if it is about right, or not known. */
  readonly skewMs: number;
}

/** The clock of a sender that sent a request at `sentAtMs` by it; NaN if that is not known. */
export function clientClock(sentAtMs: number, receivedAt: number): ClientClock {
  const skewMs = receivedAt - sentAtMs;
  return { receivedAt, skewMs: Math.abs(skewMs) >= SKEW_MS_MIN ? skewMs : 0 };
}

/** An RFC 3339 date-time as Unix epoch in ms; NaN if it is none. */
export function epochMs(text: string | null): number {
  return Date.parse((text === null ? null : toUtc(text)) ?? "");
}

/**
 * A time by such a clock, corrected, in UTC; null if the text is no RFC 3339 date-time. If the clock
 * is right, all digits are as sent; a corrected time has milliseconds.
 */
export function correctedUtc(text: string, { skewMs }: ClientClock): string | null {
  const utc = toUtc(text);
  if (utc === null || skewMs === 0) return utc;
  const ms = Date.parse(utc) + skewMs; // NaN for a leap second
  const corrected = Number.isNaN(ms) ? "" : new Date(ms).toISOString();
  return /^\d/.test(corrected) ? corrected : utc; // years beyond 0000 to 9999 have a sign
}
