import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { toUtc } from "../lib/timestamp.ts";

const ACCEPTED: readonly (readonly [sent: string, utc: string])[] = [
  ["2026-11-24T11:03:40Z", "2026-11-24T11:03:40Z"],
  ["2026-11-24T11:03:40.123Z", "2026-11-24T11:03:40.123Z"],
  ["2026-11-24T11:03:40.1234567890123456789Z", "2026-11-24T11:03:40.1234567890123456789Z"],
  ["2026-11-24T11:03:40.000Z", "2026-11-24T11:03:40.000Z"],
  ["2026-11-24t11:03:40z", "2026-11-24T11:03:40Z"],
  ["2026-11-24 11:03:40Z", "2026-11-24T11:03:40Z"],
  ["2026-11-24 11:03:40.5", "2026-11-24T11:03:40.5Z"],
  ["2026-11-24T11:03:40", "2026-11-24T11:03:40Z"],
  ["2026-11-24T11:03:40.5+00:00", "2026-11-24T11:03:40.5Z"],
  ["2026-11-24T11:03:40-00:00", "2026-11-24T11:03:40Z"],
  ["2026-11-24T11:03:40.120+01:00", "2026-11-24T10:03:40.120Z"],
  ["2026-11-24T23:03:40-02:30", "2026-11-25T01:33:40Z"],
  ["2026-01-01T00:00:00+00:01", "2025-12-31T23:59:00Z"],
  ["2026-12-31T23:59:59.9-00:01", "2027-01-01T00:00:59.9Z"],
  ["2024-03-01T00:00:00+23:59", "2024-02-29T00:01:00Z"],
  ["2023-03-01T00:00:00+23:59", "2023-02-28T00:01:00Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
  ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"],
  ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"],
  ["0000-02-29T12:00:00+01:00", "0000-02-29T11:00:00Z"],
  ["0099-12-31T23:30:00-01:00", "0100-01-01T00:30:00Z"],
  ["0000-01-01T00:01:00+00:01", "0000-01-01T00:00:00Z"],
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
  ["9999-12-31T23:58:59-00:01", "9999-12-31T23:59:59Z"],
  ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"],
  ["2015-06-30T23:59:60.5Z", "2015-06-30T23:59:60.5Z"],
  ["2017-01-01T00:59:60+01:00", "2016-12-31T23:59:60Z"],
  ["2016-12-31T15:59:60.25-08:00", "2016-12-31T23:59:60.25Z"],
  ["2026-03-08T02:30:00", "2026-03-08T02:30:00Z"], // does not exist in St. John's or New York
];

const REFUSED: readonly string[] = [
  "",
  "2026-11-24",
  "2026-11-24T11:03",
  "2026-11-24T11:03Z",
  "2026-11-24T11:03:4",
  "2026-11-24T11:03:40.",
  "2026-11-24T11:03:40.Z",
  "2026-11-24T11:03:40.+01:00",
  "2026-11-24T11:03:40,5Z",
  "2026-11-24T11:03:40.5.5Z",
  "2026-11-24T11:03:40ZZ",
  "2026-11-24T11:03:40Z ",
  " 2026-11-24T11:03:40Z",
  "2026-11-24T11:03:40Z\n",
  "2026-11-24_11:03:40Z",
  "2026-11-24\t11:03:40Z",
  "2026/11/24T11:03:40Z",
  "2026-11-24T11.03.40Z",
  "2026-11-24T1:03:40Z00",
  "+002026-11-24T11:03:40Z",
  "-2026-11-24T11:03:40Z",
  "12026-11-24T11:03:40Z",
  "20261124T110340Z1234567",
  "２026-11-24T11:03:40Z",
  "2026-00-24T11:03:40Z",
  "2026-13-24T11:03:40Z",
  "2026-11-00T11:03:40Z",
  "2026-11-31T11:03:40Z",
  "2026-02-30T11:03:40Z",
  "2026-02-29T11:03:40Z",
  "1900-02-29T11:03:40Z",
  "2100-02-29T11:03:40Z",
  "2026-11-24T24:00:00Z",
  "2026-11-24T24:00:00",
  "2026-11-24T11:60:00Z",
  "2026-11-24T11:03:61Z",
  "2026-11-24T11:03:60Z",
  "2016-12-30T23:59:60Z",
  "2016-12-31T23:58:60Z",
  "2016-12-31T22:59:60Z",
  "2016-03-31T23:59:60Z",
  "2016-12-31T23:59:60+01:00",
  "2017-01-01T00:59:60Z",
  "2026-11-24T11:03:40+1:00",
  "2026-11-24T11:03:40+01",
  "2026-11-24T11:03:40+0100",
  "2026-11-24T11:03:40+01:00Z",
  "2026-11-24T11:03:40+01:0",
  "2026-11-24T11:03:40+01-00",
  "2026-11-24T11:03:40+24:00",
  "2026-11-24T11:03:40-24:00",
  "2026-11-24T11:03:40+01:60",
  "2026-11-24T11:03:40+0a:00",
  "2026-11-24T11:03:40−01:00", // a minus sign that is not a hyphen
  "2026-11-24T11:03:40 UTC",
  "2026-11-24T11:03:40[Europe/Berlin]",
  "2026-11-24T11:03:40Z[UTC]",
  "0000-01-01T00:00:00+00:01",
  "9999-12-31T23:59:59-00:01",
  "2026-W48-2T11:03:40Z",
  "2026-328T11:03:40Z00",
  "Tue, 24 Nov 2026 11:03:40 GMT",
  "1732446220123000000000",
  "now",
];

const MINUTE_MS = 60_000;
const MIN_MS = Date.parse("0000-01-01T00:00:00Z");
const MAX_MS = Date.parse("9999-12-31T23:59:59Z");

const two = (number: number) => String(number).padStart(2, "0");

/** An instant written with an offset, and the same instant in UTC. */
const instant = fc.record({
  utcMs: fc.oneof(
    fc.integer({ min: MIN_MS / 1000, max: Math.floor(MAX_MS / 1000) }),
    fc.integer({ min: Date.UTC(2020) / 1000, max: Date.UTC(2030) / 1000 }),
  ).map((seconds) => seconds * 1000),
  offset: fc.integer({ min: -(23 * 60 + 59), max: 23 * 60 + 59 }),
  fraction: fc.oneof(fc.constant(""), fc.stringMatching(/^\.[0-9]{1,30}$/)),
  separator: fc.constantFrom("T", "t", " "),
}).filter(({ utcMs, offset }) => {
  const localMs = utcMs + offset * MINUTE_MS;
  return localMs >= MIN_MS && localMs <= MAX_MS;
});

Deno.test("a valid timestamp is given in UTC with its digits kept", () => {
  for (const [sent, utc] of ACCEPTED) equal(toUtc(sent), utc, sent);
});

Deno.test("a text that is no RFC 3339 date-time, or names no instant, is refused", () => {
  for (const text of REFUSED) equal(toUtc(text), null, text);
});

Deno.test("a timestamp of 64 characters is read, one of 65 is refused", () => {
  const start = "2026-11-24T11:03:40.";
  const longest = start + "1".repeat(64 - start.length - 1) + "Z";
  deepEqual([longest.length, toUtc(longest)], [64, longest]);
  equal(toUtc(longest.replace("Z", "1Z")), null);
});

Deno.test("any instant at any offset is given as the calendar says, with its fraction kept", () => {
  fc.assert(
    fc.property(instant, ({ utcMs, offset, fraction, separator }) => {
      const local = new Date(utcMs + offset * MINUTE_MS).toISOString().slice(0, 19);
      const minutes = Math.abs(offset);
      const sign = offset < 0 ? "-" : "+";
      const sent = local.replace("T", separator) + fraction + sign +
        two(Math.floor(minutes / 60)) + ":" + two(minutes % 60);
      equal(toUtc(sent), new Date(utcMs).toISOString().slice(0, 19) + fraction + "Z", sent);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("each day that the calendar has is accepted and no other", () => {
  for (const year of [0, 1, 4, 100, 400, 1900, 2000, 2023, 2024, 2100, 9999]) {
    for (let month = 0; month <= 13; month++) {
      for (let day = 0; day <= 32; day++) {
        const date = new Date(0);
        date.setUTCFullYear(year, month - 1, day);
        const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 &&
          date.getUTCDate() === day;
        const text = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T12:00:00Z`;
        equal(toUtc(text), exists ? text : null, text);
      }
    }
  }
});

Deno.test("what was given is given again when it is read again", () => {
  fc.assert(fc.property(fc.constantFrom(...ACCEPTED), ([, utc]) => equal(toUtc(utc), utc)));
});

Deno.test("garbage is refused and never throws", () => {
  const mutated = fc.tuple(
    fc.constantFrom(...ACCEPTED).map(([sent]) => sent),
    fc.nat(40),
    fc.string({ unit: "binary", maxLength: 2 }),
    fc.nat(2),
  ).map(([text, at, insert, cut]) => text.slice(0, at) + insert + text.slice(at + cut));
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), mutated), (text) => {
      const utc = toUtc(text);
      if (utc !== null) match(utc, shape);
    }),
    { numRuns: 3000 },
  );
});
