/** What a lenient request stores is what its good events alone would have stored. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal } from "../../lib/errors.ts";
import { fieldsPerRow } from "../../lib/event.ts";
import type { Decoded } from "../../lib/protocol.ts";
import { rowsOf } from "../fakes/decoding.ts";
import { inlineSpace, jsonObjectLine, jsonText, space } from "../fakes/json_arbitrary.ts";
import { BAD, good, lenient, raws } from "../fakes/lenient.ts";
import {
  accepted,
  decode,
  eventText,
  rawEvents,
  rowsOf as rowsOfSubmission,
} from "../fakes/native.ts";

Deno.test("ids that appear late give every event a field for one, bad events or not", () => {
  const withId = (user: number, id: string) => good(user, { id: JSON.stringify(id) });
  for (
    const events of [
      [good(1), BAD, withId(2, "b"), good(3), BAD, withId(4, "d")],
      [BAD, withId(1, "a"), BAD, BAD, good(2)],
      [good(1), good(2), withId(3, ""), withId(4, "d")], // an empty id is a bad event
    ]
  ) {
    for (const format of ["lines", "array"] as const) {
      const body = format === "lines" ? events.join("\n") : `[${events}]`;
      const outcome = lenient(format, body);
      const expected = events.filter((event) => event !== BAD && !event.includes('"id":""'))
        .map((event) => JSON.parse(event));
      equal(fieldsPerRow(outcome.submission as never), 4);
      deepEqual(
        rowsOf(outcome).map(({ userId, eventId }) => [userId, eventId]),
        expected.map(({ user_id, id = null }) => [String(user_id), id]),
      );
    }
  }
});

Deno.test("an id of an event that is too large is not the id of another", () => {
  const large = good(9, { id: '"large"', metadata: `{"a":"${"x".repeat(300)}"}` });
  const outcome = lenient("array", `[${[good(1), large, good(2)]}]`, { maxEventBytes: 200 });
  deepEqual(rowsOf(outcome).map(({ userId, eventId }) => [userId, eventId]), [["1", null], [
    "2",
    null,
  ]]);
});

Deno.test("the raw text of each good event is found behind the bad ones", () => {
  const events = [
    BAD,
    good(1),
    "5",
    good(2),
    good(3, { metadata: '{"größe":"日本"}' }),
    BAD,
    good(4),
  ];
  const expected = events.filter((event) => event !== BAD && event !== "5");
  for (const body of [events.join("\n"), ` \n\r\n${events.join(" \n\n\t")}\n`]) {
    deepEqual(rawEvents(lenient("lines", body).submission as never), expected);
  }
  deepEqual(rawEvents(lenient("array", `[${events.join(" , ")}]`).submission as never), expected);
  deepEqual(
    rawEvents(lenient("lines", `\ufeff${events.join("\n")}`).submission as never),
    expected,
  );
});

Deno.test("the memory that bad events take is counted with them, the escapes of their texts too", () => {
  const { submission, aside } = lenient("lines", `${good(1)}\n${"\x01".repeat(1000)}`);
  ok((aside?.bytes ?? 0) > 6000, `${aside?.bytes} bytes for 1000 characters of 6 each`);
  equal(submission?.bytes, lenient("lines", `${good(1)}\n${" ".repeat(1000)}`).submission?.bytes);
  equal(aside?.body, "", "it keeps the whole body alive a second time");
});

const goodText = fc.record({
  user_id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  metadata: jsonObjectLine,
  id: fc.option(fc.string({ unit: fc.constantFrom("a", "é", "日"), minLength: 1, maxLength: 3 })),
}).map(({ id, ...members }) => eventText({ ...members, ...id !== null && { id: `"${id}"` } }));

/** What is no event, by the judge of strict requests. */
const isBad = (format: "lines" | "array", text: string) => {
  const outcome = decode(format, format === "array" ? `[${text}]` : text);
  return isRefusal(outcome) && outcome.code !== "empty-body";
};
const trimmed = (text: string) => text.replace(/^[ \t\r]+/, "").replace(/[ \t\r]+$/, "");
const badLine = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  jsonText.filter((text) => !text.includes("\n")),
  fc.tuple(goodText, fc.nat()).map(([text, at]) => text.slice(0, at % text.length)),
  goodText.map((text) => text.replace('"timestamp"', '"time"')),
).map((text) => text.replaceAll("\n", "").toWellFormed()).filter((text) => isBad("lines", text));
const badElement = fc.oneof(
  jsonText.map((text) => text.trim()),
  goodText.map((text) => text.replace('"timestamp"', '"time"')),
).filter((text) => isBad("array", text));

/** Good and bad events in any order. */
const mixed = (bad: fc.Arbitrary<string>) =>
  fc.array(
    fc.oneof(
      goodText.map((text) => ({ text, isGood: true })),
      bad.map((text) => ({ text, isGood: false })),
    ),
    { minLength: 1, maxLength: 8 },
  );
type Mixed = readonly { readonly text: string; readonly isGood: boolean }[];

/** That all of it is in the outcome, each in its place. */
function check(outcome: Decoded, events: Mixed, strictOf: (texts: readonly string[]) => string) {
  const goodOnes = events.filter(({ isGood }) => isGood).map(({ text }) => text);
  const badOnes = events.filter(({ isGood }) => !isGood).map(({ text }) => trimmed(text));
  deepEqual(raws(outcome), badOnes);
  equal(outcome.aside?.events ?? 0, badOnes.length);
  if (goodOnes.length === 0) return equal(outcome.submission, null);
  const strict = accepted("lines", strictOf(goodOnes));
  const { submission } = outcome;
  ok(submission !== null);
  equal(submission.events, goodOnes.length);
  deepEqual(rowsOf(outcome), rowsOfSubmission(strict));
  deepEqual(rawEvents(submission), goodOnes);
}

Deno.test("lenient lines store what the good ones would have stored alone, and keep the bad ones", () => {
  fc.assert(
    fc.property(
      mixed(badLine),
      fc.array(fc.tuple(inlineSpace, inlineSpace, fc.boolean()), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
      (events, spaces, hasBom) => {
        const lines: string[] = [], expectedLines: number[] = [];
        events.forEach(({ text, isGood }, index) => {
          const [before = "", after = "", isEmptyNext] = spaces[index] ?? [];
          lines.push(before + text + after);
          if (!isGood) expectedLines.push(lines.length);
          if (isEmptyNext) lines.push(before);
        });
        const outcome = lenient("lines", (hasBom ? "\ufeff" : "") + lines.join("\n"));
        check(outcome, events, (texts) => texts.join("\n"));
        deepEqual((outcome.problems ?? []).map(({ line }) => line), expectedLines);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("a lenient array stores what the good events would have stored alone, and keeps the bad ones", () => {
  fc.assert(
    fc.property(mixed(badElement), space, space, (events, before, after) => {
      const body = `${before}[${events.map(({ text }) => before + text + after).join()}]${after}`;
      const outcome = lenient("array", body);
      check(outcome, events, (texts) => texts.join("\n"));
      deepEqual(
        (outcome.problems ?? []).map(({ index }) => index),
        events.flatMap(({ isGood }, index) => isGood ? [] : [index]),
      );
    }),
    { numRuns: 500 },
  );
});
