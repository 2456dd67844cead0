/** The line that a tail shows of an event in a terminal. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { tailLine } from "../../lib/commands/tail_line.ts";
import { eventJson } from "../../lib/reader/event_json.ts";

function jsonOf(members: { userId?: string; actor?: string; type?: string; metadata?: string }) {
  return eventJson({
    id: 7,
    userId: null,
    actor: null,
    timestamp: "2026-11-24T11:03:40Z",
    metadata: "{}",
    receivedAt: Date.UTC(2026, 10, 24, 11, 3, 41, 5),
    source: "native",
    type: null,
    eventId: null,
    ...members,
  });
}

Deno.test("it shows time, source, name, user and metadata, integers and JSON digit for digit", () => {
  equal(
    tailLine(
      jsonOf({ userId: "-9223372036854775807", metadata: '{"a": 1.0, "a":1e400}' }),
      Infinity,
    ),
    '2026-11-24T11:03:41.005Z  native  -  -9223372036854775807  {"a": 1.0, "a":1e400}',
  );
  equal(
    tailLine(jsonOf({ actor: "u1", type: "checkout" }), Infinity),
    "2026-11-24T11:03:41.005Z  native  checkout  u1  {}",
  );
  equal(tailLine(jsonOf({}), Infinity), "2026-11-24T11:03:41.005Z  native  -  -  {}");
});

Deno.test("what looks like metadata in a name is not taken for it", () => {
  const type = 'x","metadata":{"no":1},"';
  match(tailLine(jsonOf({ type, metadata: '{"yes":1}' }), Infinity), / {2}\{"yes":1\}$/);
});

Deno.test("nothing that a client sent reaches the terminal as a command", () => {
  const line = tailLine(jsonOf({ actor: "a\x1b[2J\n\u202eb\x9b", type: "t\r\x07" }), Infinity);
  // deno-lint-ignore no-control-regex -- these control characters are the subject
  ok(!/[\x00-\x1f\x7f-\x9f\u202e]/.test(line), JSON.stringify(line));
  match(line, /a\\u001b\[2J\\u000a\\u202eb\\u009b/);
});

Deno.test("it is cut to the columns, wide characters counted twice, no character halved", () => {
  const text = fc.array(fc.constantFrom("a", "漢", "😀", "é", "e\u0301"), { maxLength: 80 });
  fc.assert(fc.property(text, fc.integer({ min: 1, max: 200 }), (letters, columns) => {
    const line = tailLine(jsonOf({ actor: letters.join("") }), columns);
    const width = [...line].reduce(
      (sum, character) => sum + (character === "\u0301" ? 0 : /[漢😀]/u.test(character) ? 2 : 1),
      0,
    );
    ok(width <= columns, `${width} of ${columns}: ${line}`);
    ok(line.isWellFormed());
    const whole = tailLine(jsonOf({ actor: letters.join("") }), Infinity);
    equal(line.endsWith("…"), line !== whole);
    if (line !== whole) ok(whole.startsWith(line.slice(0, -1)) && width >= columns - 2);
  }));
});
