/** Whether the collector's counters and the load generator's own agree to the event. */

import { openEvents, type Snapshot } from "./snapshot.ts";

/** What the load generator knows, in events. */
export interface OwnCount {
  /** Answered 202. */
  readonly accepted: number;
  /** Sent, but it is not known whether they were accepted. */
  readonly unknown: number;
}

/** The counters whose change is checked. */
export type Change = Readonly<
  Record<"accepted" | "committed" | "dead_lettered" | "dropped", number>
>;

/** The result of the check. */
export interface Accounting {
  /** Whether every event is accounted for. */
  readonly closes: boolean;
  /** Whether the collector was restarted, so that its counters say nothing. */
  readonly hasRestarted: boolean;
  /** One sentence, or one a problem. */
  readonly verdict: string;
  /** How the collector's counters changed; null if that cannot be told. */
  readonly change: Change | null;
}

const GROWING = ["accepted", "committed", "dead_lettered", "dropped"] as const;

/**
 * Compares the account before the run and after it with the own count. `after` is a text if the
 * collector did not answer any more.
 */
export function checkAccounting(
  before: Snapshot,
  after: Snapshot | string,
  own: OwnCount,
): Accounting {
  if (typeof after === "string") {
    const why = `the collector does not answer any more: ${after}`;
    return { ...uncheckable(why, own), hasRestarted: false };
  }
  const restart = restartSign(before, after);
  if (restart !== null) {
    const why = `the collector was restarted: ${restart}`;
    return { ...uncheckable(why, own), hasRestarted: true };
  }

  const change: Change = {
    accepted: after.accepted - before.accepted,
    committed: after.committed - before.committed,
    dead_lettered: after.dead_lettered - before.dead_lettered,
    dropped: after.dropped - before.dropped,
  };
  const problems = [...acceptedProblems(change, own), ...storedProblems(before, after, change)];
  const closes = problems.length === 0;
  const verdict = closes
    ? `accounting closes: ${account(change, own)}`
    : `accounting does not close: ${problems.join("; ")}`;
  return { closes, hasRestarted: false, verdict, change };
}

function uncheckable(why: string, own: OwnCount): Omit<Accounting, "hasRestarted"> {
  const verdict = `accounting cannot be checked: ${why}; ${events(own.accepted)} were accepted`;
  return { closes: false, verdict, change: null };
}

/** What shows that the counters began anew during the run; null if nothing does. */
function restartSign(before: Snapshot, after: Snapshot): string | null {
  if (after.started_at !== before.started_at) {
    return `started_at was ${before.started_at} and is ${after.started_at}`;
  }
  const fallen = GROWING.find((name) => after[name] < before[name]);
  return fallen === undefined ? null : `${fallen} fell from ${before[fallen]} to ${after[fallen]}`;
}

function acceptedProblems({ accepted }: Change, own: OwnCount): string[] {
  const most = own.accepted + own.unknown;
  if (accepted < own.accepted) {
    return [
      `${events(own.accepted)} were answered 202, but the collector counts ${accepted} accepted: ` +
      `${own.accepted - accepted} lost`,
    ];
  }
  if (accepted > most) {
    return [
      `the collector counts ${accepted} accepted, but only ${events(most)} were sent: ` +
      `${accepted - most} too many (does somebody else send to it?)`,
    ];
  }
  return [];
}

function storedProblems(before: Snapshot, after: Snapshot, change: Change): string[] {
  const problems: string[] = [];
  const open = openEvents(after);
  if (open > 0) {
    const { queued, in_flight, journaled } = after;
    problems.push(`${queued} are still queued, ${in_flight} in flight, ${journaled} journaled`);
  }
  const due = change.accepted + openEvents(before) - open;
  const found = change.committed + change.dead_lettered + change.dropped;
  if (found !== due) {
    problems.push(
      `of ${events(due)} to store, ${change.committed} were committed, ${change.dead_lettered} ` +
        `dead-lettered, ${change.dropped} dropped: off by ${Math.abs(due - found)}`,
    );
  }
  if (change.dropped > 0) problems.push(`dropped: ${events(change.dropped)}`);
  if (after.residual !== 0) problems.push(`the collector's own residual is ${after.residual}`);
  return problems;
}

function account(change: Change, own: OwnCount): string {
  const parts = [`${change.accepted} accepted`, `${change.committed} committed`];
  if (change.dead_lettered > 0) parts.push(`${change.dead_lettered} dead-lettered`);
  if (own.unknown > 0) {
    parts.push(`of ${own.unknown} without an answer ${change.accepted - own.accepted} accepted`);
  }
  return parts.join(", ");
}

function events(count: number): string {
  return count === 1 ? "1 event" : `${count} events`;
}
