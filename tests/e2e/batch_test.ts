/** Many events in one request: whole or not at all, told which one was wrong (B58–B63). */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, assertAccount, problem, step } from "./expect.ts";
import { storedEvents } from "./rows.ts";

const LINES = { "content-type": "application/x-ndjson" };
const SMALL = '{"user_id":1,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}';
const EVENT_BYTES_MAX = 256 * 1024;
const EVENTS_MAX = 10_000;

/** One bad event, and what is to be told about it: pointer and code. */
const BAD: readonly (readonly [text: string, ...found: [pointer: string, code: string][]])[] = [
  ["5", ["", "type"]],
  ["{}", ["/user_id", "missing"], ["/timestamp", "missing"], ["/metadata", "missing"]],
  [SMALL.replace("1", '"1"'), ["/user_id", "type"]],
  [SMALL.replace("1", "1.0"), ["/user_id", "integer"]],
  [SMALL.replace("2026", "0226-"), ["/timestamp", "timestamp"]],
  [SMALL.replace("{}", "[]"), ["/metadata", "type"]],
  [SMALL.replace("{", '{"x~/y":1,'), ["/x~0~1y", "unknown-member"]],
  [SMALL.replace("{", '{"user_id":1,'), ["/user_id", "duplicate-member"]],
  [SMALL.replace("{", '{"user\\u005fid":1,'), ["/user_id", "duplicate-member"]],
  [SMALL.replace("{", '{"timestamp":"2026-11-24T11:03:40Z",'), ["/timestamp", "duplicate-member"]],
  [SMALL.replace("{", '{"metadata":{},'), ["/metadata", "duplicate-member"]],
];

Deno.test("batch: one bad event refuses all, and says which and why", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const [text, ...found] of BAD) {
    await step(t, text, async () => {
      const alone = problem(await collector.post("/event", text), "invalid-event");
      deepEqual(alone.errors?.map(({ pointer, code }) => [pointer, code]), found);

      const array = `[${event(0)},${event(1)}, ${text} ,${event(3)}]`;
      const inArray = problem(await collector.post("/events", array), "invalid-event");
      deepEqual(
        inArray.errors?.map(({ index, pointer, code }) => [index, pointer, code]),
        found.map(([pointer, code]) => [2, `/2${pointer}`, code]),
      );

      const lines = `${event(1)}\n\n${event(3)}\r\n ${text}\n${event(5)}`;
      const inLines = problem(await collector.post("/events", lines, LINES), "invalid-event");
      deepEqual(
        inLines.errors?.map(({ line, pointer, code }) => [line, pointer, code]),
        found.map(([pointer, code]) => [4, pointer, code]),
      );
    });
  }
  await assertAccount(collector, 0);
});

Deno.test("batch: the first 20 problems are listed, all are counted", async () => {
  await using collector = await CollectorProcess.start();
  const bad = SMALL.replace("1", "null");
  for (
    const [body, headers] of [
      [`[${Array(30).fill(bad).join(",")}]`],
      [Array(30).fill(bad).join("\n"), LINES],
    ] as const
  ) {
    const { errors, errors_total } = problem(
      await collector.post("/events", body, headers),
      "invalid-event",
    );
    deepEqual([errors?.length, errors_total], [20, 30]);
    const first = headers === undefined ? 0 : 1;
    const places = errors?.map(({ index, line }) => index ?? line);
    deepEqual(places, Array.from({ length: 20 }, (_, i) => first + i));
  }
  const { rejected } = await collector.stats();
  equal(rejected, 60);
  await assertAccount(collector, 0);
});

Deno.test("batch: 10,000 events are taken, 10,001 are not", async () => {
  await using collector = await CollectorProcess.start();
  for (
    const [events, headers] of [[Array(EVENTS_MAX).fill(SMALL)], [
      Array(EVENTS_MAX).fill(SMALL),
      LINES,
    ]] as const
  ) {
    const bodyOf = (all: string[]) => headers === undefined ? `[${all.join(",")}]` : all.join("\n");
    const answer = await collector.post("/events", bodyOf(events), headers);
    accepted(answer);
    equal(JSON.parse(answer.text).accepted, EVENTS_MAX);
    const over = await collector.post("/events", bodyOf([...events, SMALL]), headers);
    problem(over, "too-many-events");
    await collector.settled();
  }
  await assertAccount(collector, 2 * EVENTS_MAX);
});

Deno.test("batch: more events than the whole queue holds are 413, not 503", async () => {
  await using collector = await CollectorProcess.start({ args: ["--queue-capacity", "10"] });
  accepted(await collector.post("/events", `[${Array(10).fill(SMALL).join(",")}]`));
  await collector.settled();
  const answer = await collector.post("/events", `[${Array(11).fill(SMALL).join(",")}]`);
  problem(answer, "too-many-events");
  equal(answer.headers.get("retry-after"), null);
  await assertAccount(collector, 10);
});

Deno.test("batch: an event of the limit is taken, one byte more is not; bytes, not characters", async () => {
  await using collector = await CollectorProcess.start();
  for (const filler of ["x", "é", "漢"]) {
    const width = new TextEncoder().encode(filler).length;
    const room = EVENT_BYTES_MAX - event("").length;
    const rest = "y".repeat(room % width);
    const atLimit = event(filler.repeat(Math.floor(room / width)) + rest);
    const over = event(filler.repeat(Math.floor(room / width)) + rest + "y");
    accepted(await collector.post("/event", atLimit));
    accepted(await collector.post("/events", `[ ${atLimit} ]`));
    accepted(await collector.post("/events", `${SMALL}\n${atLimit}\n`, LINES));
    problem(await collector.post("/event", over), "event-too-large");
    const inArray = problem(
      await collector.post("/events", `[${SMALL},${over}]`),
      "event-too-large",
    );
    equal(inArray.errors?.[0]?.index, 1);
    const lines = await collector.post("/events", `${SMALL}\n${over}`, LINES);
    equal(problem(lines, "event-too-large").errors?.[0]?.line, 2);
  }
  await assertAccount(collector, 3 * 4);
});

Deno.test("lines: a line that is not JSON refuses all and is named", async () => {
  await using collector = await CollectorProcess.start();
  const [a, b, d, e] = [event("a"), event("b"), event("d"), event("e")];
  for (
    const bad of ["{", "nope", '{"user_id":1', `${d},`, `${d}\r${e}`, "\u00a0", "\u2028", "\0"]
  ) {
    const answer = await collector.post("/events", [a, b, bad, d, e].join("\n"), LINES);
    const { errors } = problem(answer, "malformed-json");
    equal(errors?.[0]?.line, 3, JSON.stringify(bad));
  }
  const spread = JSON.stringify(JSON.parse(a), null, 2); // one event over several lines
  problem(await collector.post("/events", spread, LINES), "malformed-json");
  problem(await collector.post("/events", `[${a},\n${b}]`, LINES), "malformed-json");
  await assertAccount(collector, 0);
});

Deno.test("lines: CRLF, blank lines, spaces and no last line end are fine", async (t) => {
  await using collector = await CollectorProcess.start();
  const [a, b] = [event("a"), event("b")];
  const bodies = [
    `${a}\n${b}`,
    `${a}\n${b}\n`,
    `${a}\r\n${b}\r\n`,
    `\n\r\n \t\n${a}\n\n\n${b}\n\n`,
    `  ${a}  \n\t${b}\t`,
  ];
  for (const body of bodies) {
    await step(t, JSON.stringify(body), async () => {
      const answer = await collector.post("/events", body, LINES);
      accepted(answer);
      deepEqual(JSON.parse(answer.text), { status: "accepted", accepted: 2, stored: "committed" });
    });
  }
  await assertAccount(collector, 2 * bodies.length);
  const marks = storedEvents(collector.database).map(({ metadata }) => metadata);
  deepEqual(marks, bodies.flatMap(() => ['{"m":"a"}', '{"m":"b"}']));
});

Deno.test("lines: U+2028 and U+2029 in a string are data, not line ends", async () => {
  await using collector = await CollectorProcess.start();
  accepted(await collector.post("/events", `${event("\u2028\u2029\u0085")}\n`, LINES));
  await assertAccount(collector, 1);
  equal(storedEvents(collector.database)[0]?.metadata, '{"m":"\u2028\u2029\u0085"}');
});

Deno.test("batch: nothing in it is told as such", async () => {
  await using collector = await CollectorProcess.start();
  problem(await collector.post("/events", "[]"), "invalid-event");
  problem(await collector.post("/events", " [ ] "), "invalid-event");
  problem(await collector.post("/events", "\n \r\n\t", LINES), "empty-body");
  problem(await collector.post("/events", "", LINES), "empty-body");
  await assertAccount(collector, 0);
});
