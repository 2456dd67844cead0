/** What holds of every body sent as PostHog's, however odd. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { isRefusal } from "../../lib/errors.ts";
import { posthogProtocol } from "../../lib/protocols/posthog.ts";
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

const posthog = posthogProtocol({ maxRequestEvents: 3, maxEventBytes: 400 });
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };

/** Throws unless it is answered with rows and letters that hold, or a refusal. */
function decodeAny(body: string | Uint8Array, headers: Readonly<Record<string, string>>): void {
  const outcome = decodeSent(posthog, { target: "/e/?_=1700000000000&x=%", headers, body });
  if (isRefusal(outcome)) return ok(outcome.detail.length > 0);
  const rows = rowsOf(outcome), letters = lettersOf(outcome);
  equal(rows.length, outcome.submission?.events ?? 0);
  equal(letters.length, outcome.aside?.events ?? 0);
  for (const { metadata, timestamp } of rows) {
    equal(JSON.parse(metadata) === null, false);
    equal(toUtc(timestamp), timestamp);
  }
  for (const { raw } of letters) JSON.parse(raw);
}

function decodeAll(body: string): void {
  decodeAny(body, {});
  decodeAny(body, FORM_TYPE);
  decodeAny(`data=${body}`, FORM_TYPE);
  decodeAny(gzipSync(body), {});
}

const time = fc.constantFrom(
  '"2023-11-14T22:13:18Z"',
  '"9999-12-31T23:59:59.9Z"',
  '"0000-01-01T00:00:00+01:00"',
  '"now"',
);
const value = fc.oneof(jsonText, time, fc.constantFrom('"signed up"', '"u1"', "999999999999"));
const name = fc.constantFrom(
  "event",
  "distinct_id",
  "properties",
  "uuid",
  "timestamp",
  "offset",
  "sent_at",
  "token",
);
const member = fc.tuple(name, value).map(([name, value]) => `"${name}":${value}`);
const event = fc.array(member, { maxLength: 8 }).map((members) => `{${members}}`);
const valid = fc.constant('{"event":"e","properties":{"distinct_id":"u1"}}');
const events = fc.array(fc.oneof(event, valid, jsonText), { maxLength: 5 });

Deno.test("any batch, array or event is answered with rows and dead letters, or a refusal", () => {
  fc.assert(
    fc.property(events, value, (events, value) => {
      decodeAll(`{"api_key":${value},"batch":[${events}],"sent_at":${value}}`);
      decodeAll(`[${events}]`);
      decodeAll(events[0] ?? "");
    }),
    { numRuns: 700 },
  );
});

Deno.test("any text and any bytes are answered", () => {
  const token = fc.constantFrom(...'{}[]:,"\\ \n\ufeff0%&=+', "data=", '"batch":[', "%7B", "eyJ9");
  const soup = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(""));
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), soup, jsonText), decodeAll), {
    numRuns: 1000,
  });
  const gzip = gzipSync("[]");
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(fc.nat(gzip.length), fc.uint8Array({ maxLength: 20 })).map(([length, more]) =>
      new Uint8Array([...gzip.subarray(0, length), ...more])
    ),
  );
  fc.assert(
    fc.property(bytes, (body) => {
      decodeAny(body, {});
      decodeAny(body, FORM_TYPE);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("an event is kept byte for byte, however it is sent, in the order sent", () => {
  const whole = posthogProtocol(LIMITS);
  const odd = fc.tuple(jsonObjectText, fc.boolean()).map(([set, isGood]) =>
    `{"$set":${set},"event":"${isGood ? "e" : ""}","distinct_id":"u1"}`
  );
  fc.assert(
    fc.property(fc.array(odd), space, space, (events, before, after) => {
      const body = `[${events.map((event) => before + event + after)}]`;
      const isGood = (event: string) => event.endsWith('"event":"e","distinct_id":"u1"}');
      const data = new TextEncoder().encode(body).toBase64();
      for (
        const [sent, headers] of [
          [body, {}],
          [`{"batch":${body}}`, {}],
          [gzipSync(body), {}],
          [`data=${encodeURIComponent(body)}`, FORM_TYPE],
          [`data=${data}`, FORM_TYPE],
        ] as const
      ) {
        const outcome = decoded(whole, { target: "/batch/", headers, body: sent });
        deepEqual(rowsOf(outcome).map(({ metadata }) => metadata), events.filter(isGood));
        const bad = events.filter((event) => !isGood(event));
        deepEqual(lettersOf(outcome).map(({ raw }) => raw), bad);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("a replay of any text is answered", () => {
  const context = contextOf(posthog, { target: "" });
  fc.assert(
    fc.property(fc.oneof(event, jsonText), (raw) => {
      const outcome = posthog.replay(new TextEncoder().encode(raw), context, "");
      ok(isRefusal(outcome) || outcome.submission?.receivedAt === Date.parse(RECEIVED));
    }),
    { numRuns: 1000 },
  );
});
