/** The `id` of a native event. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { fieldsPerRow, type Submission } from "../../lib/event.ts";
import { accepted, eventText, problems, rawEvents, refused, rowsOf } from "../fakes/native.ts";

const EVENT = eventText();

function ids(submission: Submission): (string | null)[] {
  return rowsOf(submission).map(({ eventId }) => eventId);
}

for (
  const [what, id, expected] of [
    ["of one character", '"x"', "x"],
    ["of 255 characters", `"${"x".repeat(255)}"`, "x".repeat(255)],
    ["with other than ASCII", '"é日😀"', "é日😀"],
    ["with escapes", '"a\\u0041\\"\\\\\\/\\ud83d\\ude00"', 'aA"\\/😀'],
    ["that looks like a number", '"007"', "007"],
    ["of a space", '" "', " "],
    ["that would be a member", '"__proto__"', "__proto__"],
  ] as const
) {
  Deno.test(`an id ${what} is that of the event`, () => {
    const submission = accepted("event", eventText({ id }));
    deepEqual(ids(submission), [expected]);
    deepEqual(rowsOf(submission)[0]?.metadata, "{}");
  });
}

for (
  const [what, id, problem] of [
    ["empty", '""', "id /id"],
    ["of 256 characters", `"${"x".repeat(256)}"`, "id /id"],
    ["of 128 characters of two units each", `"${"😀".repeat(128)}"`, "id /id"],
    ["with an escaped control character", '"a\\u001fb"', "id /id"],
    ["with NUL", '"\\u0000"', "id /id"],
    ["with DEL", '"\x7f"', "id /id"],
    ["with an escaped line feed", '"a\\n"', "id /id"],
    ["with a lone surrogate", '"\\ud800"', "id /id"],
    ["with a lone low surrogate", '"x\\udc00x"', "id /id"],
    ["that is a number", "1", "type /id"],
    ["that is null", "null", "type /id"],
    ["that is an object", '{"id":"x"}', "type /id"],
    ["that is true", "true", "type /id"],
  ] as const
) {
  Deno.test(`an id ${what} is refused`, () => {
    const refusal = refused("event", eventText({ id }));
    equal(refusal.code, "invalid-event");
    deepEqual(problems(refusal), [problem]);
    deepEqual(problems(refused("array", `[${EVENT},${eventText({ id })}]`)), [
      problem.replace("/id", "/1/id"),
    ]);
  });
}

Deno.test("an id may stand anywhere, its name be escaped, and it comes once", () => {
  const rest = EVENT.slice(1);
  for (
    const text of [`{"id":"x",${rest}`, `{"\\u0069d" : "x" ,${rest}`, `{"i\\u0064":"x",${rest}`]
  ) {
    deepEqual(ids(accepted("event", text)), ["x"], text);
  }
  for (const twice of [`{"id":"x","id":"x",${rest}`, `{"id":"x","\\u0069d":"y",${rest}`]) {
    deepEqual(problems(refused("event", twice)), ["duplicate-member /id"]);
  }
  deepEqual(problems(refused("event", `{"ID":"x","ids":"y","i":"z",${rest}`)), [
    "unknown-member /ID",
    "unknown-member /ids",
    "unknown-member /i",
  ]);
});

Deno.test("a bad id and what else is wrong are told together", () => {
  deepEqual(problems(refused("event", '{"id":""}')), [
    "missing /user_id",
    "missing /timestamp",
    "missing /metadata",
    "id /id",
  ]);
});

Deno.test("events without ids take three fields each, all take four once one has an id", () => {
  const events = [undefined, undefined, "c", undefined, "e"].map((id, i) =>
    eventText({ user_id: String(i), ...id !== undefined && { id: `"${id}"` } })
  );
  for (
    const [from, to, width, expected] of [
      [0, 2, 3, [null, null]],
      [0, 3, 4, [null, null, "c"]],
      [0, 5, 4, [null, null, "c", null, "e"]],
      [2, 5, 4, ["c", null, "e"]],
      [2, 3, 4, ["c"]],
    ] as const
  ) {
    const texts = events.slice(from, to);
    for (const [format, body] of [["array", `[${texts}]`], ["lines", texts.join("\n")]] as const) {
      const submission = accepted(format, body);
      equal(fieldsPerRow(submission), width);
      deepEqual(ids(submission), expected);
      deepEqual(
        rowsOf(submission).map(({ userId }) => userId),
        texts.map((_, i) => String(from + i)),
      );
      deepEqual(rawEvents(submission), texts);
    }
  }
});

Deno.test("an id counts in the size of an event and never in a refusal", () => {
  const id = `"${"s3cr3t".repeat(50)}"`;
  equal(JSON.stringify(refused("event", eventText({ id }))).includes("s3cr3t"), false);
  const text = eventText({ id: '"abc"' });
  equal(refused("event", text, { maxEventBytes: text.length - 1 }).code, "event-too-large");
});
