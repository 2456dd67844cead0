import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import type { StoredEvent } from "../../lib/query.ts";
import { eventJson } from "../../lib/reader/event_json.ts";
import { isoTime } from "../../lib/reader/iso_time.ts";
import { anyEvents, NAUGHTY, storedEvent, TIME_MS } from "./any_event.ts";
import { exported, exportedText } from "./exported.ts";

/** Asserts that the JSON is one line and says what the event does. */
function assertSays(json: string, event: StoredEvent): void {
  ok(!/[\n\r]/.test(json), json);
  const [, userId] = /^\{"id":\d+,"user_id":(null|-?\d+),"actor":/.exec(json) ?? [];
  equal(userId, String(event.userId));
  const { metadata, ...rest } = JSON.parse(json);
  deepEqual({ ...rest, user_id: event.userId }, {
    id: event.id,
    user_id: event.userId,
    actor: event.actor,
    timestamp: event.timestamp,
    received_at: new Date(event.receivedAt).toISOString(),
    source: event.source,
    type: event.type,
    event_id: event.eventId,
  });
  deepEqual(metadata, JSON.parse(event.metadata));
}

Deno.test("an event as JSON has every column, null where there is none", () => {
  equal(
    eventJson(storedEvent()),
    '{"id":1,"user_id":42,"actor":null,"timestamp":"2026-11-24T11:03:40.5Z",' +
      '"received_at":"2026-11-24T11:03:40.678Z","source":"native","type":null,"event_id":null,' +
      '"metadata":{"path":"/checkout"}}',
  );
  equal(
    eventJson(storedEvent({
      id: Number.MAX_SAFE_INTEGER,
      userId: null,
      actor: 'a "b" \\ é 😀',
      source: "web-shop",
      type: "checkout",
      eventId: "",
    })),
    '{"id":9007199254740991,"user_id":null,"actor":"a \\"b\\" \\\\ é 😀",' +
      '"timestamp":"2026-11-24T11:03:40.5Z","received_at":"2026-11-24T11:03:40.678Z",' +
      '"source":"web-shop","type":"checkout","event_id":"","metadata":{"path":"/checkout"}}',
  );
});

Deno.test("user_id is a number with every digit of an int64", () => {
  for (const userId of ["9223372036854775807", "-9223372036854775808", "-5", "0"]) {
    ok(eventJson(storedEvent({ userId })).startsWith(`{"id":1,"user_id":${userId},"actor":null,`));
  }
});

Deno.test("metadata is as it was sent, but for the line breaks between its tokens", () => {
  const metadata =
    '{\r\n\t"n": 1.0,\n"n": [1e400, -0,\r9007199254740993],  "s": "\\n\\u0000\u2028"\n}';
  ok(
    eventJson(storedEvent({ metadata })).endsWith(
      ',"metadata":{  \t"n": 1.0, "n": [1e400, -0, 9007199254740993],  "s": "\\n\\u0000\u2028" }}',
    ),
  );
});

Deno.test("any event is one line of JSON that says what it is", () => {
  for (const event of NAUGHTY) assertSays(eventJson(event), event);
  fc.assert(fc.property(anyEvents, (events) => {
    for (const event of events) assertSays(eventJson(event), event);
  }));
});

Deno.test("NDJSON is the JSON of each event and a line feed, nothing for none", async () => {
  const events = [storedEvent(), ...NAUGHTY];
  const lines = (await exportedText("ndjson", events)).split("\n");
  equal(lines.pop(), "");
  deepEqual(lines, events.map(eventJson));
  deepEqual(await exported("ndjson", []), new Uint8Array(0));
});

Deno.test("a time is written as Date writes it, in whatever order times come", () => {
  const time = fc.oneof(
    fc.integer(TIME_MS),
    fc.integer({ min: -3000, max: 3000 }),
    fc.constantFrom(...Object.values(TIME_MS)),
  );
  fc.assert(fc.property(fc.array(time, { minLength: 1 }), (times) => {
    deepEqual(times.map(isoTime), times.map((ms) => new Date(ms).toISOString()));
  }));
  for (const ms of [TIME_MS.max + 1000, TIME_MS.min - 1000]) throws(() => isoTime(ms), RangeError);
  equal(isoTime(0), "1970-01-01T00:00:00.000Z");
});
