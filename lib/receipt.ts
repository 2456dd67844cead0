/**
 * Receipts: the name of a request's events, under which a client can ask how far they have got.
 *
 * Events are stored in the order of their admission, so a receipt needs no memory: it names the run
 * and which of the run's events it is for, and the database keeps how many of each run are settled.
 */

import type { Receipt, ReceiptState } from "./store.ts";

/** Where receipts are asked for. */
export const RECEIPTS_PATH = "/receipts/";

/** What `GET /receipts/{id}` answers. */
export interface ReceiptStatus {
  /** `pending` may still become one of the others. */
  readonly status: "pending" | "committed" | "dead_lettered";
  /** How many events it is for. */
  readonly events: number;
  /** How many of them were kept aside, since the database refuses them. */
  readonly dead_lettered: number;
}

/** The receipt with this id; null if it can be none. */
export function parseReceipt(id: string): Receipt | null {
  const [, run = "", first = "", events = ""] = /^([0-9a-f]{16})-(\d{1,15})-(\d{1,9})$/.exec(id) ??
    [];
  return run === "" ? null : { run, first: Number(first), events: Number(events) };
}

/** The status of a receipt whose events may still be stored. */
export function pending({ events }: Receipt): ReceiptStatus {
  return { status: "pending", events, dead_lettered: 0 };
}

/**
 * The status of a receipt; null if its events are not known: they were not stored before their run
 * crashed, or there never was such a receipt.
 *
 * @param state What the store knows; null if it could not be asked.
 */
export function statusOf(receipt: Receipt, state: ReceiptState | null): ReceiptStatus | null {
  if (state === null) return pending(receipt);
  const { settled, deadLettered, isJournaled } = state;
  const isSettled = settled !== null && settled >= receipt.first + receipt.events;
  if (!isSettled) return isJournaled ? pending(receipt) : null;
  const status = deadLettered > 0 ? "dead_lettered" : "committed";
  return { status, events: receipt.events, dead_lettered: deadLettered };
}
