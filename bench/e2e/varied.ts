/**
 * A database of events as a service has them: 100,000 users, a dozen types and some rare ones, ids,
 * three sources, spread over 30 days. Written through the store's own code.
 */

import { encodeBatch } from "../../lib/event.ts";
import { EventRows } from "../../lib/protocols/event_rows.ts";
import { CONTEXT, submissionOf } from "../decoded.ts";
import { benchDatabase } from "./grown.ts";

const TRANSACTION_EVENTS = 10_000;
const USERS = 100_003;
const TYPES = 13;
const SOURCES = ["web", "ios", "android"] as const;
/** One event in so many has a type of its own kind. */
const RARE_EVERY = 50_000;
/** Days that the events are spread over. */
export const VARIED_DAYS = 30;
const DAY_MS = 86_400_000;

/** The user, type and id of the event with a number. */
export function variedEvent(
  number: number,
): { readonly user: string; readonly type: string; readonly eventId: string } {
  const type = number % RARE_EVERY === 0 ? "refund" : `type${(number * 31) % TYPES}`;
  return { user: String((number * 7919) % USERS), type, eventId: `event-${number}` };
}

/** Makes such a database of so many rows, the newest of them received at `endMs`. */
export function growVaried(path: string, rows: number, endMs: number): void {
  const database = benchDatabase(path, "normal");
  const transactions = Math.ceil(rows / TRANSACTION_EVENTS);
  for (let i = 0; i < transactions; i++) {
    const receivedAt = Math.round(endMs - VARIED_DAYS * DAY_MS * (1 - (i + 1) / transactions));
    const batch = {
      number: i + 1,
      events: TRANSACTION_EVENTS,
      rows: encodeBatch([submission(i * TRANSACTION_EVENTS, receivedAt)]),
    };
    database.write({ ...batch, aside: 0, skip: [], deadLetters: [] });
    database.checkpointIfDue();
  }
  database.checkpointAll();
  database.close();
}

function submission(first: number, receivedAt: number) {
  const source = SOURCES[(first / TRANSACTION_EVENTS) % SOURCES.length] as string;
  const context = { ...CONTEXT, receivedAt, source };
  const rows = new EventRows({ protocol: "segment", context, bodyBytes: 0 });
  const timestamp = new Date(receivedAt).toISOString();
  for (let number = first; number < first + TRANSACTION_EVENTS; number++) {
    const { user, type, eventId } = variedEvent(number);
    const metadata = `{"path":"/products/${number % 977}","ms":${number % 1500},"ok":true,` +
      `"cart":{"total":${number % 100},"currency":"EUR"}}`;
    rows.add({ actor: user, timestamp, metadata, type, eventId });
  }
  return submissionOf(rows.finish());
}
