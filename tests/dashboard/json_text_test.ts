/** JSON is taken apart and laid out as text, without a digit lost. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { readEvent, readEvents } from "../../lib/dashboard/event.js";
import { elements, indented, members } from "../../lib/dashboard/json_text.js";
import { jsonText } from "../fakes/json_arbitrary.ts";

/** JSON with whatever spaces between its tokens, as `JSON.stringify` never writes it. */
const SPACED = fc.tuple(fc.jsonValue(), fc.constantFrom("", " ", "\t", "  ", "\r\n")).map(
  ([value, space]) => spaced(value, space),
);

function spaced(value: unknown, space: string): string {
  if (Array.isArray(value)) {
    return `[${space}${
      value.map((each) => spaced(each, space)).join(`${space},${space}`)
    }${space}]`;
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const all = Object.entries(value).map(([name, each]) =>
    `${JSON.stringify(name)}${space}:${space}${spaced(each, space)}`
  );
  return `{${space}${all.join(`${space},${space}`)}${space}}`;
}

Deno.test("laid out it is the same JSON, indented by two", () => {
  fc.assert(fc.property(SPACED, (text) => {
    const shown = [...indented(text)].map(([, piece]) => piece).join("");
    equal(shown, JSON.stringify(JSON.parse(text), null, 2));
  }));
});

Deno.test("no token of an odd text is changed", () => {
  const bare = (text: string) => text.replaceAll(/("(?:\\.|[^"\\])*")|\s+/g, "$1");
  fc.assert(fc.property(jsonText, (text) => {
    equal(bare([...indented(text)].map(([, piece]) => piece).join("")), bare(text));
  }));
});

Deno.test("members and elements are found whole, each as its text", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), SPACED), (texts) => {
    const names = Object.keys(texts);
    const object = `{ ${
      names.map((name) => `${JSON.stringify(name)} : ${texts[name]}`).join(" , ")
    }}`;
    deepEqual([...members(object)], Object.entries(texts));
    const array = `[${Object.values(texts).join(" ,")} ]`;
    deepEqual([...elements(array)], Object.values(texts));
  }));
});

Deno.test("what JSON.parse would change stays: digits, names that are there twice, escapes", () => {
  const text = '{"a":12345678901234567890,"a":1.0,"b":1e400,"c":"\\u003c\\/\\\\\\""}';
  deepEqual([...members(text)], [
    ["a", "12345678901234567890"],
    ["a", "1.0"],
    ["b", "1e400"],
    ["c", '"\\u003c\\/\\\\\\""'],
  ]);
  deepEqual(
    [...indented('{"a":[1.0,true,"x"],"b":{}}')].filter(([kind]) => kind !== "mark"),
    [["name", '"a"'], ["number", "1.0"], ["word", "true"], ["string", '"x"'], ["name", '"b"']],
  );
});

Deno.test("a text that is cut off ends, and nothing hangs", () => {
  const text = '{"events":[{"a":"\\"","b":[1,{"c":null}]},{"d":2}],"next":null}';
  for (let length = 0; length < text.length; length++) {
    const cut = text.slice(0, length);
    [...indented(cut)];
    for (const read of [members, elements]) {
      try {
        [...read(cut)];
      } catch (error) {
        equal(error instanceof SyntaxError, true, String(error));
      }
    }
  }
});

Deno.test("an event is read: integers of any size as text, metadata as it came", () => {
  const text =
    '{"id":7,"user_id":-9223372036854775808,"actor":null,"timestamp":"t","received_at":' +
    '"r","source":"s","type":"a \\"metadata\\":","event_id":null,"metadata":{ "n" : 1.0 }}';
  const event = readEvent(text);
  deepEqual([event.id, event.user_id, event.user], [7, "-9223372036854775808", event.user_id]);
  deepEqual([event.type, event.event_id, event.metadata], ['a "metadata":', null, '{ "n" : 1.0 }']);
  equal(event.text, text);
  const page = readEvents(`{"events":[${text},\n${text}],"next":"c","complete":false}\n`);
  deepEqual([page.events, page.next, page.complete], [[event, event], "c", false]);
  deepEqual(readEvents('{"events":[],"next":null,"complete":true}'), {
    ...{ events: [], next: null, complete: true },
  });
});
