import { match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { jsonLine, textLine } from "../lib/log.ts";

const NASTY = 'a\r\nwarn: forged\x1b[2J\x9b1m\x7f\u2028\u202egpj.exe"\t\0';

Deno.test("nothing that a client sent can end a line or move the terminal's cursor", () => {
  const text = textLine("warn", `a request failed: ${NASTY}`, { path: NASTY });
  equal(
    text,
    "warn: a request failed: a\\u000d\n  warn: forged\\u001b[2J\\u009b1m\\u007f\\u2028\\u202egpj.exe" +
      '"\\u0009\\u0000 path="a\\r\\nwarn: forged\\u001b[2J\\u009b1m\\u007f\\u2028\\u202egpj.exe\\"\\t' +
      '\\u0000"',
  );
  const json = jsonLine("warn", NASTY, { path: NASTY });
  // deno-lint-ignore no-control-regex -- these control characters are the subject
  match(json, /^[^\x00-\x1f\x7f-\x9f\u2028\u202e]+$/);
  const { level, message, path } = JSON.parse(json);
  equal(level, "warn");
  equal(message, NASTY);
  equal(path, NASTY);
});

Deno.test("of a message of several lines all but the first are indented", () => {
  equal(textLine("error", "a:\n  b\nc", {}), "error: a:\n  b\n  c");
  equal(textLine("info", "a", { n: 1, none: null, text: "b c" }), 'a n=1 none=null text="b c"');
});

Deno.test("any message and field is one line of text without control characters, or valid JSON", () => {
  const any = fc.oneof(fc.string({ unit: "binary" }), fc.constant(NASTY));
  fc.assert(
    fc.property(any, any, (message, field) => {
      const lines = textLine("info", message, { field }).split("\n");
      ok(lines.slice(1).every((line) => line.startsWith("  ")));
      // deno-lint-ignore no-control-regex -- these control characters are the subject
      for (const line of lines) match(line, /^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]*$/);
      const json = jsonLine("info", message, { field }), parsed = JSON.parse(json);
      equal(json.split("\n").length, 1);
      equal(parsed.message, message);
      equal(parsed.field, field);
    }),
  );
});
