/** What is stored is what was sent: metadata byte for byte, user_id over all of int64, the instant. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "./collector_process.ts";
import { accepted, assertAccount, problem, step } from "./expect.ts";
import { storedEvents } from "./rows.ts";

const LINES = { "content-type": "application/x-ndjson" };
/** Far from UTC and not a whole hour away: whoever uses the local zone is found out. */
const KATHMANDU = { env: { TZ: "Asia/Kathmandu" } };

function eventOf(
  { userId = "1", timestamp = '"2026-11-24T11:03:40Z"', metadata = "{}" } = {},
): string {
  return `{"user_id":${userId},"timestamp":${timestamp},"metadata":${metadata}}`;
}

const METADATA: readonly string[] = [
  "{}",
  "{ }",
  "{\t\r \n}",
  '{"n":9007199254740993}',
  '{"n":9223372036854775807,"m":-9223372036854775808}',
  '{"n":123456789012345678901234567890.000000000000000000000000000005}',
  '{"n":1e400,"m":-1e400,"k":1E-400}',
  '{"n":1.0,"m":1.00,"k":10e-1,"j":1E+0}',
  '{"n":-0,"m":-0.0,"k":0e0}',
  '{"a":1,"a":2,"a":1}',
  '{"z":1,"a":2,"10":3,"9":4}',
  '{"__proto__":{"x":1},"constructor":{"prototype":{"x":2}},"toString":3,"hasOwnProperty":4}',
  '{"user_id":2,"timestamp":"x","metadata":{"metadata":{}}}',
  '{"a":"\\u0000","b":"\\u0001\\u001d\\u001e\\u001f\\u007f"}',
  '{"a":"\\ud800","b":"\\udc00\\ud800","\\ud83d":1}',
  '{"a":"\\ud83d\\ude00","b":"😀","c":"\\u0041","d":"A","e":"\\/","f":"/"}',
  '{"nfc":"é","nfd":"e\u0301","é":1,"e\u0301":2}',
  '{"a":"\u007f\u0080\u2028\u2029\ufeff\ufffd\uffff\u{10ffff}"}',
  '{"a":"}{][,:\\"\\\\\\"}","b\\"}":{"c":["]"]}}',
  '{ "a" : [ 1 , 2 ,\t3 ] ,\r\n "b" : { "c" : null } }',
  '{"":"","":{"":[[],{},[{}]]}}',
  `{"long":"${"漢".repeat(20_000)}"}`,
];

/** The three ways to send events give the same rows; only NDJSON cannot have a line end inside. */
async function sendThreeWays(collector: CollectorProcess, events: string[]): Promise<void> {
  for (const event of events) accepted(await collector.post("/event", ` ${event}\n`));
  accepted(await collector.post("/events", `[ ${events.join(" ,\n")}\t]`));
  const lines = events.map((event) => event.replaceAll(/[\r\n]/g, " ")).join("\r\n");
  accepted(await collector.post("/events", lines, LINES));
}

Deno.test("exact: metadata is kept byte for byte, whichever way it comes", async () => {
  await using collector = await CollectorProcess.start();
  await sendThreeWays(collector, METADATA.map((metadata) => eventOf({ metadata })));
  await assertAccount(collector, 3 * METADATA.length);
  const stored = storedEvents(collector.database).map(({ metadata }) => metadata);
  const inLines = METADATA.map((text) => text.replaceAll(/[\r\n]/g, " "));
  deepEqual(stored, [...METADATA, ...METADATA, ...inLines]);
});

Deno.test("exact: the order, the spelling and the spacing of an event's members do not matter", async () => {
  await using collector = await CollectorProcess.start();
  const events = [
    '{"metadata":{"a":1},"timestamp":"2026-11-24T11:03:40Z","user_id":7}',
    '{ "timestamp" : "2026-11-24T11:03:40Z" , "user_id" : 7 , "metadata" : {"a":1} }',
    '{"\\u0075ser_id":7,"time\\u0073tamp":"2026-11-24T11:03:40Z","metadat\\u0061":{"a":1}}',
    '{"user_id":7,"timestamp":"2026\\u002d11-24\\u005411:03:40Z","metadata":{"a":1}}',
    '\t{"user_id":\t7,"timestamp":\t"2026-11-24T11:03:40Z","metadata":\t{"a":1}\t}\t',
  ];
  await sendThreeWays(collector, events);
  await assertAccount(collector, 3 * events.length);
  for (const { user_id, timestamp, metadata } of storedEvents(collector.database)) {
    deepEqual([user_id, timestamp, metadata], [7n, "2026-11-24T11:03:40Z", '{"a":1}']);
  }
});

const INT64_MAX = 2n ** 63n - 1n, INT64_MIN = -(2n ** 63n);

/** Every power of two and of ten in int64, with its neighbours, and their negatives. */
function usersAtTheEdges(): bigint[] {
  const powers = Array.from({ length: 64 }, (_, i) => [2n ** BigInt(i), 10n ** BigInt(i % 19)])
    .flat();
  const around = powers.flatMap((n) => [n - 1n, n, n + 1n]).flatMap((n) => [n, -n]);
  const inside = around.filter((n) => n >= INT64_MIN && n <= INT64_MAX);
  return [...new Set([INT64_MIN, ...inside, INT64_MAX])];
}

Deno.test("exact: user_id is kept over the whole of int64", async () => {
  await using collector = await CollectorProcess.start();
  const users = usersAtTheEdges();
  await sendThreeWays(collector, users.map((user) => eventOf({ userId: String(user) })));
  accepted(await collector.post("/event", eventOf({ userId: "-0" })));
  await assertAccount(collector, 3 * users.length + 1);
  const stored = storedEvents(collector.database).map(({ user_id }) => user_id);
  deepEqual(stored, [...users, ...users, ...users, 0n]);
});

const NO_USERS: Readonly<Record<string, string>> = {
  "9223372036854775808": "range",
  "-9223372036854775809": "range",
  "18446744073709551616": "range",
  "100000000000000000000000000000000000000000": "range",
  "1.0": "integer",
  "1e3": "integer",
  "1E3": "integer",
  "-0.0": "integer",
  "9007199254740993.0": "integer",
  '"5"': "type",
  '""': "type",
  "null": "type",
  "true": "type",
  "[5]": "type",
  "{}": "type",
};

Deno.test("exact: what is no integer of int64 is no user_id", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const [userId, code] of Object.entries(NO_USERS)) {
    await step(t, userId, async () => {
      const answer = await collector.post("/event", eventOf({ userId }));
      deepEqual(problem(answer, "invalid-event").errors?.map((found) => found.code), [code]);
    });
  }
  for (
    const userId of ["01", "+1", "0x1", "1n", "NaN", "Infinity", "-", "--1", "1_000", ".5", "5."]
  ) {
    problem(await collector.post("/event", eventOf({ userId })), "malformed-json");
  }
  await assertAccount(collector, 0);
});

/** What was sent, and the instant that is stored. */
const TIMESTAMPS: Readonly<Record<string, string>> = {
  "2026-11-24T11:03:40Z": "2026-11-24T11:03:40Z",
  "2026-11-24T11:03:40.123Z": "2026-11-24T11:03:40.123Z",
  "2026-11-24T11:03:40.1234567890123456789Z": "2026-11-24T11:03:40.1234567890123456789Z",
  "2026-11-24T11:03:40.10Z": "2026-11-24T11:03:40.10Z",
  "2026-11-24t11:03:40z": "2026-11-24T11:03:40Z",
  "2026-11-24 11:03:40Z": "2026-11-24T11:03:40Z",
  "2026-11-24T11:03:40": "2026-11-24T11:03:40Z",
  "2026-11-24T11:03:40.5": "2026-11-24T11:03:40.5Z",
  "2026-11-24T11:03:40.123+01:00": "2026-11-24T10:03:40.123Z",
  "2026-11-24T11:03:40.000-00:00": "2026-11-24T11:03:40.000Z",
  "2026-11-24T00:00:00+05:45": "2026-11-23T18:15:00Z",
  "2026-12-31T23:30:00.99-01:00": "2027-01-01T00:30:00.99Z",
  "2026-03-29T02:30:00": "2026-03-29T02:30:00Z",
  "2024-02-29T00:00:00+23:59": "2024-02-28T00:01:00Z",
  "2000-02-29T12:00:00Z": "2000-02-29T12:00:00Z",
  "0000-01-01T00:00:00Z": "0000-01-01T00:00:00Z",
  "0099-12-31T23:00:00-02:00": "0100-01-01T01:00:00Z",
  "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
  "2016-12-31T23:59:60Z": "2016-12-31T23:59:60Z",
  "2017-01-01T05:44:60.5+05:45": "2016-12-31T23:59:60.5Z",
};

Deno.test("exact: timestamps are stored in UTC, whatever the zone of the machine", async () => {
  await using collector = await CollectorProcess.start(KATHMANDU);
  const events = Object.keys(TIMESTAMPS).map((sent) => eventOf({ timestamp: `"${sent}"` }));
  await sendThreeWays(collector, events);
  await assertAccount(collector, 3 * events.length);
  const stored = storedEvents(collector.database).map(({ timestamp }) => timestamp);
  const instants = Object.values(TIMESTAMPS);
  deepEqual(stored, [...instants, ...instants, ...instants]);
});

const NO_TIMESTAMPS: readonly string[] = [
  ...[
    "2026-02-29",
    "2026-02-30",
    "1900-02-29",
    "2026-04-31",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
  ]
    .map((date) => `"${date}T00:00:00Z"`),
  ...["24:00:00", "23:60:00", "23:59:61", "12:00:60", "1:00:00", "12:00"]
    .map((time) => `"2026-11-24T${time}Z"`),
  ...["+24:00", "+00:60", "+0100", "+01", "+1:00", "ZZ", " Z", "[UTC]", "−01:00", ".Z", ",5Z"]
    .map((offset) => `"2026-11-24T11:03:40${offset}"`),
  ...["2026-11-24", "20261124T110340Z", "2026-W48-2T00:00:00Z", "11:03:40Z", "", "now", "null"]
    .map((text) => `"${text}"`),
  '"+12026-11-24T11:03:40Z"',
  '"0000-01-01T00:00:00+00:01"',
  '"9999-12-31T23:59:59-00:01"',
  '" 2026-11-24T11:03:40Z"',
  '"2026-11-24T11:03:40Z\\u0000"',
  '"２０２６-11-24T11:03:40Z"',
  '"Tue, 24 Nov 2026 11:03:40 GMT"',
  `"2026-11-24T11:03:40.${"1".repeat(60)}Z"`,
  "1795518220",
  "1795518220123",
  "null",
  "true",
  "{}",
  '["2026-11-24T11:03:40Z"]',
];

Deno.test("exact: dates that do not exist, and other spellings of those that do, are refused", async (t) => {
  await using collector = await CollectorProcess.start(KATHMANDU);
  for (const timestamp of NO_TIMESTAMPS) {
    await step(t, timestamp, async () => {
      const answer = await collector.post("/event", eventOf({ timestamp }));
      const { errors } = problem(answer, "invalid-event");
      deepEqual(errors?.map(({ pointer }) => pointer), ["/timestamp"]);
      equal(errors?.[0]?.code, timestamp.startsWith('"') ? "timestamp" : "type");
    });
  }
  await assertAccount(collector, 0);
});
