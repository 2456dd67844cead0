/** What the answers of the protocols have in common. */

import type { Refusal, RefusalCode } from "../errors.ts";
import type { Answer } from "../protocol.ts";
import { REFUSALS } from "../refusals.ts";

/** Statuses that a protocol gives refusals instead of the usual ones. */
export type Statuses = Readonly<Partial<Record<RefusalCode, number>>>;

/** The refusals that mean: nothing is wrong with the request, but it can not be taken now. */
export const BACKPRESSURE: ReadonlySet<RefusalCode> = new Set([
  "draining",
  "queue-full",
  "store-failing",
  "too-many-bodies",
]);

/** An answer of JSON. */
export function jsonAnswer(
  status: number,
  body: string,
  headers?: Readonly<Record<string, string>>,
): Answer {
  const answer = { status, body, type: "application/json" };
  return headers === undefined ? answer : { ...answer, headers };
}

/** The status of a refusal in a protocol. */
export function statusOf({ code }: Refusal, statuses: Statuses): number {
  return statuses[code] ?? REFUSALS[code].status;
}

/**
 * The headers of a refusal. `retrySecondsMax` is how long a client of the protocol may be told to
 * wait: beyond it some drop what they hold.
 */
export function headersOf(refusal: Refusal, retrySecondsMax: number): Record<string, string> {
  const headers = { ...refusal.headers };
  const seconds = headers["retry-after"];
  if (seconds !== undefined) {
    headers["retry-after"] = String(Math.min(retrySecondsMax, Number(seconds)));
  }
  return headers;
}
