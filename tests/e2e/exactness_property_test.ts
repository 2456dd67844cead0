/** Random events, randomly spaced and batched: each row holds exactly what was sent. */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { CollectorProcess } from "./collector_process.ts";
import { accepted, assertAccount } from "./expect.ts";
import { storedEvents } from "./rows.ts";

const RUNS = 60;
const EVENTS_A_RUN_MAX = 20;
const INT64_MAX = 2n ** 63n - 1n, INT64_MIN = -(2n ** 63n);

interface Sent {
  readonly text: string;
  readonly userId: bigint;
  readonly metadata: string;
}

/** Whitespace of JSON without line ends, so that the same text can be a line. */
const space = fc.string({ unit: fc.constantFrom(" ", "\t"), maxLength: 3 });

/** Text of any JSON number, most of which no double holds. */
const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,4})?$/);

/** Text of a string whose characters may be written as escapes, lone surrogates among them. */
const string = fc.array(
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1)),
    fc.integer({ min: 0, max: 0xffff }).map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`),
    fc.constantFrom('\\"', "\\\\", "\\/", "\\b", "}", "]", ",", "{", "[", ":"),
  ),
  { maxLength: 6 },
).map((parts) => `"${parts.join("")}"`);

/** Text of any JSON value, with duplicate keys and odd spacing. */
const { value, object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.jsonValue().map((json) => JSON.stringify(json)),
    number,
    string,
    tie("object"),
    tie("array"),
  ),
  object: fc.array(fc.tuple(space, string, space, space, tie("value"), space), { maxLength: 5 })
    .map((members) =>
      `{${members.map(([a, key, b, c, of, d]) => `${a}${key}${b}:${c}${of}${d}`)}}`
    ),
  array: fc.array(fc.tuple(space, tie("value"), space), { maxLength: 5 })
    .map((items) => `[${items.map((item) => item.join(""))}]`),
}));

const event: fc.Arbitrary<Sent> = fc.record({
  userId: fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  metadata: fc.oneof(object, value.map((text) => `{"v":${text}}`)),
  order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
  spaces: fc.array(space, { minLength: 8, maxLength: 8 }),
}).map(({ userId, metadata, order, spaces }) => {
  const members = [
    `"user_id"${spaces[0]}:${spaces[1]}${userId}`,
    `"timestamp"${spaces[2]}:${spaces[3]}"2026-11-24T11:03:40Z"`,
    `"metadata"${spaces[4]}:${spaces[5]}${metadata}`,
  ];
  const text = order.map((i) => members[i]).join(`${spaces[6]},${spaces[7]}`);
  return { text: `{${spaces[7]}${text}${spaces[6]}}`, userId, metadata };
});

async function send(
  collector: CollectorProcess,
  events: readonly Sent[],
  way: "single" | "array" | "lines",
): Promise<void> {
  const texts = events.map(({ text }) => text);
  if (way === "single") {
    for (const text of texts) accepted(await collector.post("/event", text));
  } else if (way === "array") {
    accepted(await collector.post("/events", `[${texts.join(",")}]`));
  } else {
    const headers = { "content-type": "application/x-ndjson" };
    accepted(await collector.post("/events", texts.join("\n"), headers));
  }
}

Deno.test("property: whatever is sent is read back byte for byte", async () => {
  await using collector = await CollectorProcess.start();
  const sent: Sent[] = [];
  const batch = fc.array(event, { minLength: 1, maxLength: EVENTS_A_RUN_MAX });
  const way = fc.constantFrom("single" as const, "array" as const, "lines" as const);
  await fc.assert(
    fc.asyncProperty(batch, way, async (events, by) => {
      await send(collector, events, by);
      sent.push(...events);
      await collector.settled();
      const rows = storedEvents(collector.database).slice(-events.length);
      deepEqual(
        rows.map(({ user_id, metadata }) => ({ user_id, metadata })),
        events.map(({ userId, metadata }) => ({ user_id: userId, metadata })),
      );
    }),
    { numRuns: RUNS, endOnFailure: false },
  );
  await assertAccount(collector, sent.length);
});
