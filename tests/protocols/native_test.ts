import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import {
  accepted,
  decode,
  eventText,
  FORMATS,
  problems,
  refused,
  rowsOf,
  TIME,
} from "../fakes/native.ts";

const EVENT = eventText();
const BOM = "\ufeff";

function metadataOf(body: string): string | undefined {
  return rowsOf(accepted("event", body))[0]?.metadata;
}

function problemsOf(members: Readonly<Record<string, string>>): string[] {
  return problems(refused("event", eventText(members)));
}

Deno.test("one event becomes one row of the native source", () => {
  const body = eventText({ user_id: "42", metadata: '{"a":1}' });
  const submission = accepted("event", body);
  equal(submission.events, 1);
  deepEqual(rowsOf(submission), [{
    userId: "42",
    timestamp: TIME,
    metadata: '{"a":1}',
    actor: null,
    type: null,
    eventId: null,
    receivedAt: submission.receivedAt,
    source: "native",
    protocol: "native",
  }]);
  ok(submission.bytes >= body.length + submission.fields.join("").length);
});

Deno.test("a body with other than ASCII characters counts the strings made of it too", () => {
  const [ascii, other] = ["e", "é"].map((char) => {
    const metadata = `{"a":"${char.repeat(10_000)}"}`;
    return accepted("event", eventText({ metadata }));
  });
  ok((ascii?.bytes ?? 0) < 11_000);
  // The body takes two bytes a character, and so does the string cut out of it.
  ok((other?.bytes ?? 0) > 40_000);
});

Deno.test("an array and lines become one row an event, in order", () => {
  const events = ["1", "2", "3"].map((user_id) => eventText({ user_id }));
  for (const [format, body] of [["array", `[${events}]`], ["lines", events.join("\n")]] as const) {
    const submission = accepted(format, body);
    equal(submission.events, 3);
    deepEqual(rowsOf(submission).map(({ userId }) => userId), ["1", "2", "3"]);
  }
});

Deno.test("metadata is stored byte for byte as sent", () => {
  for (
    const metadata of [
      "{}",
      "{ }",
      "{\n\t\r }",
      '{"n":1e400}',
      '{"n":1.0,"m":-0,"k":0.10}',
      '{"n":9223372036854775807,"m":12345678901234567890123}',
      '{"a":1,"a":2,"a":{"a":3}}',
      '{"__proto__":{"x":1},"constructor":null}',
      '{"2":1,"1":2}',
      '{"a":"\\u0041\\n\\/\\"\\\\","\\u0061":1}',
      '{"a":"\\\\"}',
      '{"a":"\\\\\\""}',
      '{"lone":"\\ud800","pair":"\\ud83d\\ude00"}',
      '{"astral":"😀\u{10ffff}","é":"日本語"}',
      '{"separators":"\u2028\u2029\u007f\\u001e"}',
      `{"bom":"${BOM}"}`,
      '{"user_id":"x","timestamp":[],"metadata":{"metadata":{}}}',
      '{"text":"},\\"metadata\\":{\\"x\\":1}"}',
      '{"deep":[[[{"a":[]}]]],"s":"]}[{"}',
    ]
  ) {
    equal(metadataOf(eventText({ metadata })), metadata);
    equal(
      metadataOf(`{"metadata" \n:\t${metadata} , "user_id":1,"timestamp":"${TIME}"}`),
      metadata,
    );
  }
});

Deno.test("members may come in any order with any whitespace between", () => {
  const body = `\r\n {\t"timestamp" : "${TIME}" ,\n"metadata": {"a":1}\t,  "user_id"\n:\n7 }\n\t`;
  deepEqual(
    rowsOf(accepted("event", body)).map(({ userId, metadata }) => [userId, metadata]),
    [["7", '{"a":1}']],
  );
});

Deno.test("a member whose name is written with escapes is the same member", () => {
  const body =
    `{"user\\u005fid":5,"\\u0074imestamp":"2026-11-24\\u005411:03:40Z","met\\u0061data":{"a":1}}`;
  deepEqual(
    rowsOf(accepted("event", body)).map(({ userId, timestamp, metadata }) => [
      userId,
      timestamp,
      metadata,
    ]),
    [["5", TIME, '{"a":1}']],
  );
  deepEqual(problems(refused("event", eventText({ "user\\u005fid": "2" }))), [
    "duplicate-member /user_id",
  ]);
});

Deno.test("an integer of 64 bits is kept, one beyond is refused", () => {
  for (
    const user_id of [
      "0",
      "-0",
      "-1",
      "9007199254740993",
      "9223372036854775807",
      "-9223372036854775808",
    ]
  ) equal(rowsOf(accepted("event", eventText({ user_id })))[0]?.userId, user_id);
  for (
    const user_id of [
      "9223372036854775808",
      "-9223372036854775809",
      "1".repeat(400),
      "-1" + "0".repeat(19),
    ]
  ) deepEqual(problemsOf({ user_id }), ["range /user_id"], user_id);
});

Deno.test("a user_id that is not an integer is refused", () => {
  for (const user_id of ["1.0", "1.5", "1e3", "1E3", "-1.0", "1e400"]) {
    deepEqual(problemsOf({ user_id }), ["integer /user_id"], user_id);
  }
  for (const user_id of ['"1"', "null", "true", "{}", "[1]", '""', '{"user_id":1}']) {
    deepEqual(problemsOf({ user_id }), ["type /user_id"], user_id);
  }
});

Deno.test("a timestamp is stored in UTC, and refused if it is none", () => {
  const timestamp = '"2026-11-24T12:03:40.10+01:00"';
  equal(
    rowsOf(accepted("event", eventText({ timestamp })))[0]?.timestamp,
    "2026-11-24T11:03:40.10Z",
  );
  for (const timestamp of ['"2026-02-30T00:00:00Z"', '""', '"now"']) {
    deepEqual(problemsOf({ timestamp }), ["timestamp /timestamp"]);
  }
  for (const timestamp of ["1732446220", "null", "{}", `["${TIME}"]`]) {
    deepEqual(problemsOf({ timestamp }), ["type /timestamp"]);
  }
});

Deno.test("metadata that is not an object is refused", () => {
  for (const metadata of ["null", "[]", '"{}"', "1", "true", '[{"a":1}]']) {
    deepEqual(problemsOf({ metadata }), ["type /metadata"]);
  }
});

Deno.test("a missing, doubled or unknown member is named", () => {
  deepEqual(problems(refused("event", "{}")), [
    "missing /user_id",
    "missing /timestamp",
    "missing /metadata",
  ]);
  const body = EVENT.slice(0, -1);
  deepEqual(problems(refused("event", `${body},"user_id":1}`)), ["duplicate-member /user_id"]);
  deepEqual(problems(refused("event", `${body},"timestamp":0}`)).sort(), [
    "duplicate-member /timestamp",
    "type /timestamp",
  ]);
  deepEqual(problems(refused("event", `${body},"metadata":{}}`)), ["duplicate-member /metadata"]);
  deepEqual(problems(refused("event", `${body},"extra":1,"":2,"__proto__":3}`)), [
    "unknown-member /extra",
    "unknown-member /",
    "unknown-member /__proto__",
  ]);
  deepEqual(problems(refused("event", `${body},"User_id":1,"user_id ":2,"userXid":3}`)), [
    "unknown-member /User_id",
    "unknown-member /user_id ",
    "unknown-member /userXid",
  ]);
});

Deno.test("a pointer escapes the name of the member (RFC 6901) and is not longer than 256", () => {
  const body = EVENT.slice(0, -1);
  deepEqual(problems(refused("event", `${body},"a/b~c~1":1}`)), ["unknown-member /a~1b~0c~01"]);
  const [long] = refused("event", `${body},"${"x".repeat(5000)}":1}`).errors ?? [];
  equal(long?.pointer.length, 256);
});

Deno.test("an event nests at most 64 levels, itself included", () => {
  const nested = (levels: number) => '{"a":'.repeat(levels - 1) + "{}" + "}".repeat(levels - 1);
  equal(metadataOf(eventText({ metadata: nested(63) })), nested(63));
  deepEqual(problemsOf({ metadata: nested(64) }), ["too-deep "]);
  deepEqual(problemsOf({ metadata: nested(5000) }), ["too-deep "]);
  const deep = eventText({ metadata: nested(64) });
  deepEqual(problems(refused("array", `[${EVENT},${deep}]`)), ["too-deep /1"]);
  deepEqual(refused("lines", `${EVENT}\n${deep}`).errors?.map(({ line }) => line), [2]);
  equal(refused("event", deep.slice(0, -1)).code, "too-deep", "it was read further");
  const brackets = `{"a":"${"[{".repeat(500)}"}`;
  equal(
    metadataOf(eventText({ metadata: brackets })),
    brackets,
    "brackets in a string are no levels",
  );
  const wide = `{"a":[${Array(500).fill("[]")}]}`;
  equal(metadataOf(eventText({ metadata: wide })), wide);
});

Deno.test("what is not an event is refused with the reason", () => {
  for (const body of ["1", "null", '"x"', "[]", `[${EVENT}]`, "true"]) {
    const refusal = refused("event", body);
    equal(refusal.code, "invalid-event", body);
    deepEqual([problems(refusal), refusal.events, refusal.errorsTotal], [["type "], 1, 1]);
  }
  for (
    const body of ["{", "{]", "nul", "'a'", `${EVENT}x`, `${EVENT}${EVENT}`, "{a:1}", '{"a":1,}']
  ) {
    equal(refused("event", body).code, "malformed-json", body);
    equal(refused("array", body).code, "malformed-json", body);
  }
  for (const body of ["", " ", "\r\n\t", BOM]) {
    for (const format of FORMATS) {
      equal(refused(format, body).code, "empty-body", JSON.stringify(body));
    }
  }
});

Deno.test("an array that is none, or is empty, is refused", () => {
  for (const body of [EVENT, "1", "{}", "null", "[]", " [ ] "]) {
    equal(refused("array", body).code, "invalid-event", body);
  }
  const refusal = refused("array", `[${EVENT},1,null,[${EVENT}],"x",${EVENT}]`);
  deepEqual(problems(refusal), ["type /1", "type /2", "type /3", "type /4"]);
  deepEqual([refusal.events, refusal.errorsTotal], [6, 4]);
});

Deno.test("a byte order mark before the body is skipped in every format", () => {
  for (
    const [format, body] of [["event", EVENT], ["array", `[${EVENT}]`], ["lines", EVENT]] as const
  ) {
    equal(rowsOf(accepted(format, BOM + body)).length, 1, format);
    equal(rowsOf(accepted(format, `${BOM} \t${body}`)).length, 1, format);
    equal(
      decode(format, BOM + BOM + body) && refused(format, BOM + BOM + body).code,
      "malformed-json",
    );
  }
});

Deno.test("a refusal never carries a value that was sent", () => {
  const secret = "s3cr3t";
  const body = `{"user_id":"${secret}","timestamp":"${secret}","metadata":"${secret}"}`;
  for (
    const [format, text] of [["event", body], ["array", `[${body}]`], ["lines", body]] as const
  ) {
    equal(JSON.stringify(refused(format, text)).includes(secret), false);
  }
  match(JSON.stringify(refused("event", body)), /user_id/);
});
