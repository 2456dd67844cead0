/** Schemas of stored events, and of what is counted of them. */

import { count, instant, objectOf, orNull, type Schema, schemaRef, text } from "./spec.ts";

/** A stored event, for examples. */
export const EVENT = {
  id: 1,
  user_id: 42,
  actor: null,
  timestamp: "2026-11-24T11:03:40.123Z",
  received_at: "2026-11-24T11:03:40.200Z",
  source: "native",
  type: null,
  event_id: "o17",
  metadata: { path: "/checkout", total: 17.5 },
};

/** What events can be counted by. */
export const BY: Schema = { enum: ["type", "source", "user_id"] };

const COMPLETE: Schema = {
  type: "boolean",
  description: "Whether all was looked at; false: the time budget was up.",
};
const VALUE = orNull(text("What they have; null: they have none."));
const COUNTED_FROM = "The newest events are counted first: what was counted begins here.";

/** By name. */
export const EVENT_SCHEMAS: Readonly<Record<string, Schema>> = {
  Event: objectOf({
    id: { type: "integer", minimum: 1, description: "In the order of commit." },
    user_id: {
      type: ["integer", "null"],
      format: "int64",
      description: "As sent; may exceed 2^53, where JavaScript's JSON.parse rounds.",
    },
    actor: orNull(text("The user's id where the protocol has texts for it.")),
    timestamp: instant("The client's time, with the digits that were sent."),
    received_at: instant("The collector's time."),
    source: text("Token or protocol it came through."),
    type: orNull(text("Its name.")),
    event_id: orNull(text("The producer's id.")),
    metadata: { description: "The event as sent." },
  }),
  Events: objectOf({
    events: { type: "array", items: schemaRef("Event") },
    next: orNull(text("The `after` of the next page; null if there is none.")),
    complete: COMPLETE,
  }),
  Series: objectOf({
    from: instant("Start of the first interval."),
    to: instant("End of the last."),
    interval_ms: count("Length of each."),
    starts: { type: "array", items: count("Unix epoch in ms.") },
    series: {
      type: "array",
      items: objectOf({
        value: VALUE,
        total: count("How many in all."),
        counts: { type: "array", items: count("How many in the interval.") },
      }),
    },
    others: {
      type: ["array", "null"],
      items: count("How many of other values in the interval."),
      description: "Null if there are none.",
    },
    complete: COMPLETE,
    counted_from: instant(COUNTED_FROM),
  }),
  Top: objectOf({
    by: BY,
    values: {
      type: "array",
      items: objectOf({ value: VALUE, count: count("How many events have it.") }),
    },
    others: count("How many events have other values."),
    complete: COMPLETE,
    counted_from: orNull(instant(`${COUNTED_FROM} Null if that is not known.`)),
  }),
};
