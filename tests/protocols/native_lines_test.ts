/** NDJSON, the limits, the places of problems, and the raw text of the events. */

import { Buffer } from "node:buffer";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { accepted, eventText, problems, rawEvents, refused, rowsOf } from "../fakes/native.ts";

const EVENT = eventText();
const BOM = "\ufeff";

function userIds(body: string): (string | null)[] {
  return rowsOf(accepted("lines", body)).map(({ userId }) => userId);
}

function event(user_id: number): string {
  return eventText({ user_id: String(user_id) });
}

Deno.test("lines may end in LF or CRLF, the last one in nothing, and blank ones are skipped", () => {
  const [a, b, c] = [event(1), event(2), event(3)];
  for (
    const body of [
      `${a}\n${b}\n${c}`,
      `${a}\n${b}\n${c}\n`,
      `${a}\r\n${b}\r\n${c}\r\n`,
      `\n\n${a}\n\n \t \n${b}\n\r\n${c}\n\n\n`,
      `  ${a}\t\n\t${b}  \r\n ${c} `,
      `${BOM}${a}\n${b}\n${c}`,
      `${BOM}\n${a}\n${b}\n${c}`,
    ]
  ) deepEqual(userIds(body), ["1", "2", "3"], JSON.stringify(body));
});

Deno.test("a byte order mark on a later line is malformed JSON, not an error of the collector", () => {
  for (const body of [`${EVENT}\n${BOM}${EVENT}`, ` ${BOM}${EVENT}`, `${BOM}${BOM}${EVENT}`]) {
    equal(refused("lines", body).code, "malformed-json", JSON.stringify(body));
  }
});

Deno.test("many blank lines are skipped in a time that grows with their number, not its square", () => {
  for (const blank of ["\n", " \n", "\r\n"]) {
    const body = blank.repeat(40_000) + EVENT;
    const startMs = performance.now();
    equal(accepted("lines", body).events, 1);
    const ms = performance.now() - startMs;
    ok(ms < 5000, `${body.length} characters took ${Math.round(ms)} ms`); // 1 ms is normal
  }
});

Deno.test("a malformed line is named by its number from 1, blank lines counted", () => {
  const refusal = refused("lines", `${EVENT}\n\n{"a":\n${EVENT}\n}\n`);
  equal(refusal.code, "malformed-json");
  deepEqual(refusal.errors?.map(({ line, index }) => [line, index]), [[3, undefined]]);
  equal(refusal.events, 4);
});

Deno.test("an event over two lines is malformed", () => {
  equal(refused("lines", eventText({ metadata: '{\n"a":1}' })).code, "malformed-json");
  equal(refused("lines", `${EVENT}${EVENT}`).code, "malformed-json");
  equal(refused("lines", `${EVENT}\r${EVENT}`).code, "malformed-json");
});

Deno.test("a line of other whitespace than JSON's is malformed, not an empty body", () => {
  equal(refused("lines", `${EVENT}\n\u00a0\n${EVENT}`).code, "malformed-json");
});

Deno.test("a problem in an array is placed by index and pointer", () => {
  const refusal = refused("array", `[${EVENT} , ${eventText({ user_id: "null" })},{}]`);
  deepEqual(
    refusal.errors?.map(({ index, line, pointer, code }) => [index, line, pointer, code]),
    [
      [1, undefined, "/1/user_id", "type"],
      [2, undefined, "/2/user_id", "missing"],
      [2, undefined, "/2/timestamp", "missing"],
      [2, undefined, "/2/metadata", "missing"],
    ],
  );
  deepEqual([refusal.code, refusal.errorsTotal, refusal.events], ["invalid-event", 4, 3]);
});

Deno.test("a problem in lines is placed by line and pointer", () => {
  const refusal = refused("lines", `\n${EVENT}\n${eventText({ user_id: "null" })}\n7`);
  deepEqual(
    refusal.errors?.map(({ index, line, pointer, code }) => [index, line, pointer, code]),
    [[undefined, 3, "/user_id", "type"], [undefined, 4, "", "type"]],
  );
  deepEqual([refusal.code, refusal.errorsTotal, refusal.events], ["invalid-event", 2, 3]);
});

Deno.test("the first 20 problems are listed and all are counted", () => {
  const bad = Array.from({ length: 30 }, () => "{}");
  for (const [format, body] of [["array", `[${bad}]`], ["lines", bad.join("\n")]] as const) {
    const refusal = refused(format, body);
    deepEqual([refusal.errors?.length, refusal.errorsTotal, refusal.events], [20, 90, 30]);
    deepEqual(problems(refusal).at(-1)?.split("/").at(-1), "timestamp");
  }
});

Deno.test("one bad event refuses the whole request", () => {
  const events = [...Array(50).fill(EVENT), "{}", ...Array(50).fill(EVENT)];
  for (const [format, body] of [["array", `[${events}]`], ["lines", events.join("\n")]] as const) {
    deepEqual([refused(format, body).code, refused(format, body).events], ["invalid-event", 101]);
  }
});

Deno.test("as many events as the limit are accepted, one more is refused and counted", () => {
  const limits = { maxRequestEvents: 3 };
  const three = [1, 2, 3].map(event), four = [...three, event(4)];
  equal(accepted("array", `[${three}]`, limits).events, 3);
  equal(accepted("lines", three.join("\n\n"), limits).events, 3);
  for (const [format, body] of [["array", `[${four}]`], ["lines", four.join("\n")]] as const) {
    const { code, events } = refused(format, body, limits);
    deepEqual([code, events], ["too-many-events", 4]);
  }
});

Deno.test("an event of as many UTF-8 bytes as the limit is accepted, one more is refused", () => {
  for (const character of ["x", "é", "日", "😀"]) {
    const metadata = `{"a":"${character.repeat(20)}"}`;
    const text = eventText({ metadata });
    const maxEventBytes = new TextEncoder().encode(text).length;
    for (
      const [format, body, place] of [
        ["event", text, {}],
        ["array", `[ ${EVENT} , ${text} ]`, { index: 1 }],
        ["lines", `${EVENT}\n\n${text}\n${EVENT}`, { line: 3 }],
      ] as const
    ) {
      ok(accepted(format, body, { maxEventBytes }).events > 0);
      const refusal = refused(format, body, { maxEventBytes: maxEventBytes - 1 });
      equal(refusal.code, "event-too-large", `${format} ${character}`);
      const [problem] = refusal.errors ?? [];
      deepEqual([problem?.index, problem?.line], [
        "index" in place ? place.index : undefined,
        "line" in place ? place.line : undefined,
      ]);
    }
  }
});

Deno.test("an event that is too large is counted with the events it came with", () => {
  const large = eventText({ metadata: `{"a":"${"x".repeat(500)}"}` });
  const limits = { maxEventBytes: 300 };
  deepEqual(
    [
      refused("event", large, limits).events,
      refused("array", `[${EVENT},${large},${EVENT}]`, limits).events,
      refused("lines", `${EVENT}\n${large}\n${EVENT}`, limits).events,
    ],
    [1, 3, 3],
  );
});

Deno.test("the body splits into the raw text of its events, in the order of the rows", () => {
  const odd = ' { "user_id" : 1 ,"timestamp":"2026-11-24T11:03:40Z", "metadata":{"a":"],[{\\""} } ';
  const [first, second] = [event(1), event(2)];
  for (
    const [format, body, raw] of [
      ["event", odd, [odd]],
      ["array", `[${first},${second}]`, [first, second]],
      ["array", `${BOM} [ ${first}\n,\t${odd},${second} ] `, [first, odd.trim(), second]],
      ["lines", `${first}\r\n\r\n${odd}\n${second}`, [first, odd.trim(), second]],
      ["lines", `${BOM}${first}\n \n${second}\n\n`, [first, second]],
    ] as const
  ) {
    const submission = accepted(format, body);
    equal(Buffer.from(submission.body, "latin1").toString("utf8"), body);
    deepEqual(rawEvents(submission), raw);
    equal(submission.events, raw.length);
    const alone = raw.map((text) => rowsOf(accepted("event", text))[0]);
    deepEqual(rowsOf(submission), alone, "the raw texts are not those of the rows");
  }
});
