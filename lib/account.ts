/** The account of events: where each that was received has got to. */

import type { StoreState } from "./store.ts";

/** The account in events, since the start; `recovered` and after are over the whole pipeline. */
export interface AccountTerms {
  /** Events that came in requests that could be decoded. */
  readonly received: number;
  /** Admitted to the channel. */
  readonly accepted: number;
  /** Refused with a reason; nothing of them is stored. */
  readonly rejected: number;
  /** Known already, by their id or their request's key, and not stored again. */
  readonly duplicates: number;
  /** Found in the journal at the start: admitted by an earlier run, not in the database then. */
  readonly recovered: number;
  /** Flushed in the database. */
  readonly committed: number;
  /** Kept aside with a reason, in the same transaction. */
  readonly dead_lettered: number;
  /** Accepted and given up; must stay 0. */
  readonly dropped: number;
  /** Waiting in the channel. */
  readonly queued: number;
  /** In the batches that are being written. */
  readonly in_flight: number;
  /** Flushed in the journal and not in the database yet. */
  readonly journaled: number;
}

/**
 * The terms and their residual. At every instant `received = accepted + rejected + duplicates` and
 * `accepted + recovered = committed + dead_lettered + dropped + queued + in_flight + journaled`.
 */
export interface Account extends AccountTerms {
  /** What the two identities are off by; anything but 0 is a bug. */
  readonly residual: number;
}

/** Adds the residual. */
export function balance(terms: AccountTerms): Account {
  const { received, accepted, rejected, duplicates, recovered } = terms;
  const { committed, dead_lettered, dropped, queued, in_flight, journaled } = terms;
  const stored = committed + dead_lettered + dropped + queued + in_flight + journaled;
  const residual = Math.abs(received - accepted - rejected - duplicates) +
    Math.abs(accepted + recovered - stored);
  return { ...terms, residual };
}

/** Where the events are that the store was given. */
export type StoredTerms = Pick<
  AccountTerms,
  "committed" | "dead_lettered" | "dropped" | "journaled"
>;

/** Nothing is stored. */
export const NOTHING_STORED: StoredTerms = {
  committed: 0,
  dead_lettered: 0,
  dropped: 0,
  journaled: 0,
};

/**
 * What the store holds, of `flushed` events of this run that it said to have stored and `recovered`
 * of earlier ones. What it holds beyond these is in a batch whose answer is still under way, and
 * counts as in flight; what it lacks shows in the residual. No count falls below what was `shown`
 * before: Prometheus would take that for a restart.
 */
export function storedTerms(
  state: StoreState,
  flushed: number,
  recovered: number,
  shown: StoredTerms = NOTHING_STORED,
): StoredTerms {
  const { settled, deadLettered, lost, recoveredLeft, journaled } = state;
  const ownJournaled = journaled - recoveredLeft;
  let ahead = Math.max(0, settled + ownJournaled - flushed);
  const without = (events: number, atMost: number) => {
    const taken = Math.max(0, Math.min(ahead, atMost));
    ahead -= taken;
    return events - taken;
  };
  const beyond = (events: number, shown: number) => without(events, events - shown);
  // In this order, wherever the batch may have got to.
  const inJournal = without(journaled, ownJournaled);
  const rows = settled + recovered - recoveredLeft - deadLettered - lost;
  const committed = beyond(rows, shown.committed);
  const dead_lettered = beyond(deadLettered, shown.dead_lettered);
  const dropped = beyond(lost, shown.dropped);
  return { committed, dead_lettered, dropped, journaled: inJournal };
}
