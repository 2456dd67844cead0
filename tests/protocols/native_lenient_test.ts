/** `Prefer: handling=lenient`: the good events of a native request are stored though others are bad. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { nativeProtocol } from "../../lib/protocols/native.ts";
import { decoded, formatOf, lettersOf, LIMITS, outcomeOf, refusalOf } from "../fakes/decoding.ts";
import { BAD, good, lenient, places, raws, sent, users } from "../fakes/lenient.ts";
import { rawEvents } from "../fakes/native.ts";

Deno.test("lines: a bad event is told by its line, its text kept without the space around it", () => {
  const body = `${good(1)}\n\n \t${BAD} \r\n${good(2)}\r\n{"user_id":1}\n`;
  const outcome = lenient("lines", body);
  deepEqual(users(outcome), [1, 2]);
  deepEqual(raws(outcome), [BAD, '{"user_id":1}']);
  deepEqual(places(outcome), ["3 /user_id type", "5 /timestamp missing"]);
  deepEqual(lettersOf(outcome).map(({ reason }) => reason), [
    "type at /user_id: Expected an integer.",
    "missing at /timestamp: Expected this member.",
  ]);
  deepEqual([outcome.submission?.events, outcome.aside?.events], [2, 2]);
});

Deno.test("array: a bad event is told by its index and its place in the body", () => {
  const body = ` [ ${BAD} ,${good(1)}, 5 ,${good(2)},[] ] `;
  const outcome = lenient("array", body);
  deepEqual(users(outcome), [1, 2]);
  deepEqual(raws(outcome), [BAD, "5", "[]"]);
  deepEqual(places(outcome), ["0 /0/user_id type", "2 /2 type", "4 /4 type"]);
});

for (
  const [what, line, code] of [
    ["cut off", '{"user_id":1,', "malformed-json"],
    ["no JSON at all", "user 1", "malformed-json"],
    ["an event with something behind it", `${good(9)} x`, "malformed-json"],
    ["two events", `${good(8)}${good(9)}`, "malformed-json"],
    ["a control character", '{"user_id":1,"timestamp":"\u0007"}', "malformed-json"],
    [
      "nested too deep",
      good(9, { metadata: '{"a":'.repeat(64) + "1" + "}".repeat(64) }),
      "too-deep",
    ],
    ["no object", "[]", "type"],
    ["space that JSON does not know", "\u00a0", "malformed-json"],
    ["a vertical tab", "\v", "malformed-json"],
  ] as const
) {
  Deno.test(`lines: one that is ${what} costs itself and no other`, () => {
    const outcome = lenient("lines", [good(1), line, good(2)].join("\n"));
    deepEqual(users(outcome), [1, 2]);
    deepEqual(raws(outcome), [line]);
    deepEqual(places(outcome), [`2  ${code}`]);
    deepEqual(rawEvents(outcome.submission as never), [good(1), good(2)]);
  });
}

Deno.test("lines: none is read beyond its end, as many bad ones might be", () => {
  const outcome = lenient("lines", "[\n".repeat(70) + good(1));
  deepEqual(places(outcome), Array.from({ length: 20 }, (_, i) => `${i + 1}  malformed-json`));
  deepEqual([outcome.aside?.events, users(outcome)], [70, [1]]);
});

Deno.test("lines: an event that goes on in the next line is two bad ones, the others good", () => {
  const [head, tail] = ['{"user_id":9,"timestamp":"2026-11-24T11:03:40Z",', '"metadata":{}}'];
  const outcome = lenient("lines", [good(1), head, tail, good(2)].join("\n"));
  deepEqual(users(outcome), [1, 2]);
  deepEqual(raws(outcome), [head, tail]);
  deepEqual(places(outcome), ["2  malformed-json", "3  malformed-json"]);
});

Deno.test("an event that is too large is bad, whether it is good JSON or none", () => {
  const large = good(9, { metadata: `{"a":"${"x".repeat(300)}"}` });
  const limits = { maxEventBytes: 200 };
  const lines = lenient("lines", [good(1), large, "x".repeat(201), good(2)].join("\n"), limits);
  deepEqual([users(lines), raws(lines)], [[1, 2], [large, "x".repeat(201)]]);
  deepEqual(places(lines), ["2  event-too-large", "3  event-too-large"]);
  const array = lenient("array", `[${[good(1), large, good(2)]}]`, limits);
  deepEqual([users(array), raws(array)], [[1, 2], [large]]);
  deepEqual(places(array), ["1  event-too-large"]);
});

Deno.test("array: what is no JSON, or too deep, is refused whole: nobody knows where it ends", () => {
  const protocol = nativeProtocol(LIMITS);
  const deep = good(9, { metadata: '{"a":'.repeat(64) + "1" + "}".repeat(64) });
  for (
    const [body, code] of [
      [`[${good(1)},{]`, "malformed-json"],
      [`[${good(1)} ${good(2)}]`, "malformed-json"],
      [`[${good(1)},${deep}]`, "too-deep"],
      [`[${good(1)},${BAD}`, "malformed-json"],
      [`[${BAD}]x`, "malformed-json"],
      ["[]", "invalid-event"],
      ["", "empty-body"],
    ] as const
  ) equal(refusalOf(protocol, sent("array", body)).code, code, body);
});

Deno.test("too many events are refused whole, bad ones counted", () => {
  const protocol = nativeProtocol({ ...LIMITS, maxRequestEvents: 3 });
  const lines = (count: number) => Array.from({ length: count }, () => "bad");
  equal(refusalOf(protocol, sent("lines", lines(4).join("\n"))).code, "too-many-events");
  equal(refusalOf(protocol, sent("array", "[1,2,3,4]")).code, "too-many-events");
  equal(decoded(protocol, sent("lines", lines(3).join("\n"))).aside?.events, 3);
});

Deno.test("when all events are bad there is nothing to store but them", () => {
  for (const outcome of [lenient("lines", "bad\n5"), lenient("array", "[true, 5]")]) {
    equal(outcome.submission, null);
    equal(outcome.aside?.events, 2);
    equal(outcome.problems?.length, 2);
  }
});

Deno.test("the first 20 problems are listed, one an event, and all bad events are kept", () => {
  const outcome = lenient("lines", `${'{"user_id":1,"user_id":2}\n'.repeat(25)}${good(1)}`);
  equal(outcome.aside?.events, 25);
  equal(outcome.problems?.length, 20);
  deepEqual(places(outcome)[19], "20 /user_id duplicate-member");
});

Deno.test("without the preference, or with another, a bad event refuses the request", () => {
  const protocol = nativeProtocol(LIMITS);
  for (const prefer of ["", "handling=strict", "lenient", "handling", "xhandling=lenient"]) {
    equal(refusalOf(protocol, sent("lines", BAD, prefer)).code, "invalid-event", prefer);
  }
  for (
    const prefer of [
      "handling=lenient",
      'Handling = "lenient"',
      "wait=5, handling=lenient",
      "respond-async; handling=lenient",
    ]
  ) equal(decoded(protocol, sent("lines", BAD, prefer)).aside?.events, 1, prefer);
});

Deno.test("without bad events a lenient request is a strict one", () => {
  const body = [good(1), good(2)].join("\n");
  const { submission, ...rest } = lenient("lines", body);
  const strict = decoded(nativeProtocol(LIMITS), sent("lines", body, ""));
  deepEqual(rest, {});
  deepEqual(submission, strict.submission);
});

Deno.test("the answer tells how many were stored and kept aside, and that it was lenient", () => {
  const request = sent("lines", [good(1), BAD, good(2)].join("\n"));
  const protocol = nativeProtocol(LIMITS), outcome = decoded(protocol, request);
  const answer = formatOf(protocol, request).accepted(outcomeOf(request, outcome));
  equal(answer.status, 202);
  equal(answer.headers?.["preference-applied"], "handling=lenient");
  const { errors, ...rest } = JSON.parse(String(answer.body));
  deepEqual(rest, { status: "accepted", accepted: 2, stored: "committed", rejected: 1 });
  deepEqual(errors, [{
    line: 2,
    pointer: "/user_id",
    code: "type",
    detail: "Expected an integer.",
  }]);
  match(String(answer.body), /^\{"status":"accepted","accepted":2,/);
});
