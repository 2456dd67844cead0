/** What holds of every body sent as Segment's, however odd. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal } from "../../lib/errors.ts";
import { segmentProtocol } from "../../lib/protocols/segment.ts";
import { toUtc } from "../../lib/timestamp.ts";
import {
  contextOf,
  decoded,
  decodeSent,
  lettersOf,
  LIMITS,
  RECEIVED,
  rowsOf,
} from "../fakes/decoding.ts";
import { jsonObjectText, jsonText, space } from "../fakes/json_arbitrary.ts";

const segment = segmentProtocol({ maxRequestEvents: 3, maxEventBytes: 400 });
const TARGETS = ["/v1/batch", "/v1/track", "/v1/p/"];

/** Throws unless it is answered on every path with rows and letters that hold, or a refusal. */
function decodeAll(body: string): void {
  for (const target of TARGETS) {
    const outcome = decodeSent(segment, { target, body });
    if (isRefusal(outcome)) {
      ok(outcome.detail.length > 0 && (outcome.errors?.length ?? 0) <= 20);
      continue;
    }
    const rows = rowsOf(outcome), letters = lettersOf(outcome);
    equal(rows.length, outcome.submission?.events ?? 0);
    equal(letters.length, outcome.aside?.events ?? 0);
    for (const { metadata, timestamp } of rows) {
      equal(JSON.parse(metadata) === null, false);
      equal(toUtc(timestamp), timestamp);
    }
    for (const { raw } of letters) JSON.parse(raw);
  }
}

const time = fc.constantFrom(
  '"2023-11-14T22:13:18Z"',
  '"9999-12-31T23:59:59.9Z"',
  '"0000-01-01T00:00:00+01:00"',
  '"2016-12-31T23:59:60Z"',
  '"now"',
);
const value = fc.oneof(jsonText, time, fc.constantFrom('"track"', '"page"', '"u1"', "17"));
const name = fc.constantFrom(
  "type",
  "event",
  "userId",
  "anonymousId",
  "messageId",
  "timestamp",
  "originalTimestamp",
  "sentAt",
  "context",
  "us\\u0065rId",
);
const member = fc.tuple(name, value).map(([name, value]) => `"${name}":${value}`);
const event = fc.array(member, { maxLength: 8 }).map((members) => `{${members}}`);
const valid = fc.constant(`{"type":"page","userId":"u1"}`);
const events = fc.array(fc.oneof(event, valid, jsonText), { maxLength: 5 });
const rest = fc.array(
  fc.tuple(fc.constantFrom("context", "integrations", "sentAt", "writeKey", "batch"), value)
    .map(([name, value]) => `,"${name}":${value}`),
  { maxLength: 3 },
).map((members) => members.join(""));

Deno.test("any batch and any call is answered with rows and dead letters, or a refusal", () => {
  fc.assert(
    fc.property(events, rest, (events, rest) => {
      decodeAll(`{"batch":[${events}]${rest}}`);
      decodeAll(events[0] ?? "");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("any text and any JSON is answered", () => {
  const token = fc.constantFrom(
    ...'{}[]:,"\\ \n\ufeff0-1e.',
    '"batch":[',
    '{"type":"page"}',
    "null",
  );
  const soup = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(""));
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), soup, jsonText), decodeAll), {
    numRuns: 2000,
  });
});

Deno.test("an event is kept byte for byte, in a row or in a dead letter, in the order sent", () => {
  const whole = segmentProtocol(LIMITS);
  const odd = fc.tuple(jsonObjectText, fc.boolean()).map(([properties, isGood]) =>
    `{"properties":${properties},"type":"${isGood ? "page" : "pages"}","userId":"u1"}`
  );
  fc.assert(
    fc.property(fc.array(odd), space, space, (events, before, after) => {
      const body = `{"batch":[${events.map((event) => before + event + after)}],"writeKey":"k"}`;
      const outcome = decoded(whole, { target: "/v1/batch", body });
      const isGood = (event: string) => event.includes('"type":"page",');
      deepEqual(
        rowsOf(outcome).map(({ metadata }) => metadata),
        events.filter(isGood),
      );
      deepEqual(lettersOf(outcome).map(({ raw }) => raw), events.filter((event) => !isGood(event)));
    }),
    { numRuns: 500 },
  );
});

Deno.test("a shared context says the same of an event as merging the objects does", () => {
  const whole = segmentProtocol(LIMITS);
  const key = fc.constantFrom("a", "b", "c", "__proto__", "é\n");
  const object = fc.dictionary(key, fc.oneof(fc.nat(), fc.constant({ d: 1 })), { maxKeys: 3 });
  const property = fc.property(object, fc.option(object, { nil: undefined }), (shared, own) => {
    const event = JSON.stringify({ type: "page", userId: "u", context: own });
    const body = `{"batch":[${event}],"context":${JSON.stringify(shared)}}`;
    const [row] = rowsOf(decoded(whole, { target: "/v1/batch", body }));
    const { context } = JSON.parse(row?.metadata ?? "");
    const merged = Object.entries({ ...entries(shared), ...entries(own ?? {}) });
    deepEqual(new Map(merged), new Map(Object.entries(entries(context))));
  });
  fc.assert(property, { numRuns: 500 });
});

/** Own members under names that can not be taken for a prototype. */
function entries(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [`.${name}`, value]));
}

Deno.test("a replay of any text is answered", () => {
  const context = contextOf(segment, { target: "" });
  fc.assert(
    fc.property(fc.oneof(event, jsonText), fc.constantFrom("", "track", "x"), (raw, call) => {
      const outcome = segment.replay(new TextEncoder().encode(raw), context, call);
      ok(isRefusal(outcome) || outcome.submission?.receivedAt === Date.parse(RECEIVED));
    }),
    { numRuns: 1000 },
  );
});
