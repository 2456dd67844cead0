/** Requests with one bad event among good ones, in each protocol: who stores the good ones, who none. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { sendIn } from "./backpressure.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { allLetters } from "./dead_letters.ts";
import { LockHolder } from "./lock_holder.ts";
import { way, WAYS } from "./protocol_requests.ts";
import { storedCount } from "./rows.ts";
import { spoilt } from "./spoilt.ts";

const MARKS = ["a", "b", "c"];

/** What each says of a request of three of which the second is bad, and two were stored. */
const TAKEN: Readonly<Record<string, readonly [status: number, body: object]>> = {
  "native": [202, { status: "accepted", accepted: 2, stored: "committed", rejected: 1 }],
  "segment": [200, { success: true }],
  "otlp in JSON": [200, {
    partialSuccess: {
      rejectedLogRecords: "1",
      errorMessage:
        "1 kept aside as dead letters; log record 1, the first of them at /traceId: Expected hex digits.",
    },
  }],
  "posthog": [200, { status: "Ok" }],
  "tinybird": [202, { successful_rows: 2, quarantined_rows: 1 }],
};

for (const [name, [status, body]] of Object.entries(TAKEN)) {
  Deno.test(`${name}: the good events are stored, the bad one is a dead letter, and it is told`, async () => {
    await using collector = await CollectorProcess.start();
    const answer = await sendIn(collector.url, way(name), spoilt(way(name), MARKS, ["b"]));
    const { errors: _, ...told } = JSON.parse(new TextDecoder().decode(answer.body));
    deepEqual([answer.status, told], [status, body]);
    const { received, accepted, rejected, committed, dead_lettered } = await collector.settled();
    deepEqual([received, accepted, rejected, committed, dead_lettered], [3, 3, 0, 2, 1]);
    equal((await allLetters(collector)).length, 1);
    equal(storedCount(collector.database), 2);

    const all = await sendIn(collector.url, way(name), spoilt(way(name), MARKS, MARKS));
    equal(all.status, status, "a request of bad events alone is another case");
    const stats = await collector.settled();
    deepEqual([stats.committed, stats.dead_lettered, stats.residual], [2, 4, 0]);
  });
}

Deno.test("otlp in protobuf: the answer counts the bad records, and says why", async () => {
  await using collector = await CollectorProcess.start();
  const otlp = way("otlp in protobuf"), marks = ["a", "x".repeat(1100)]; // no id may be so long
  const { status, headers, body } = await sendIn(collector.url, otlp, otlp.body(marks));
  deepEqual([status, headers.get("content-type")], [200, "application/x-protobuf"]);
  const reader = new BinaryReader(body);
  deepEqual(reader.tag(), [1, 2]);
  reader.uint32(); // the length of the message
  deepEqual([reader.tag(), String(reader.int64())], [[1, 0], "1"]);
  deepEqual(reader.tag(), [2, 2]);
  match(reader.string(), /^1 kept aside as dead letters; log record 1, .*log\.record\.uid/);
  const { committed, dead_lettered } = await collector.settled();
  deepEqual([committed, dead_lettered], [1, 1]);
});

/** Requests with a bad event that are refused whole, and what the answer must say. */
const REFUSED = [
  [
    "cloudevents, batched",
    '"type":"bought"',
    '"type":""',
    400,
    /"pointer":"\/1\/type",.*"index":1/,
  ],
  ["splunk_hec", '"event":', '"evnt":', 400, /"code":12,"invalid-event-number":1/],
] as const;

for (const [name, good, bad, status, told] of REFUSED) {
  Deno.test(`${name}: a bad event refuses its request, of which nothing is stored`, async () => {
    await using collector = await CollectorProcess.start();
    const own = { ...way(name), spoil: [good, bad] as const };
    const answer = await sendIn(collector.url, own, spoilt(own, MARKS, ["b"]));
    const text = new TextDecoder().decode(answer.body);
    equal(answer.status, status, text);
    match(text, told);
    const stats = await collector.settled();
    deepEqual([stats.received, stats.rejected, stats.dead_lettered], [3, 3, 0]);
    deepEqual([storedCount(collector.database), await allLetters(collector)], [0, []]);
  });
}

Deno.test("a bad event alone is refused by Segment and by a single cloud event, and is no letter", async () => {
  await using collector = await CollectorProcess.start();
  for (
    const [name, good, bad] of [
      ["segment, one call", '"event":"Bought"', '"event":""'],
      ["cloudevents, structured", '"type":"bought"', '"type":""'],
    ] as const
  ) {
    const own = way(name), body = String(own.body(["x"])).replace(good, bad);
    equal((await sendIn(collector.url, own, body)).status, 400, name);
  }
  await collector.settled();
  deepEqual([storedCount(collector.database), await allLetters(collector)], [0, []]);
});

Deno.test("when neither database nor journal take anything each protocol is told to come back", async () => {
  const args = ["--journal-bytes", "1048576", "--ack-timeout-ms", "300"];
  await using collector = await CollectorProcess.start({ args });
  let journaled = 0;
  {
    await using _lock = await LockHolder.start(collector.database);
    const large = event("x".repeat(200_000));
    while ((await collector.post("/event", large)).status === 202) journaled++;
    await collector.until(({ last_commit_error }) => last_commit_error !== null);
    for (const each of WAYS) {
      const { status, headers } = await sendIn(collector.url, each, each.body(["x"]));
      ok(status === 503 || status === 429, `${each.name}: ${status}`);
      const retryAfter = headers.get("retry-after");
      ok(/^[1-3]$/.test(retryAfter ?? ""), `${each.name}: ${retryAfter}`);
    }
    equal((await collector.stats()).refused_requests["store-failing"], WAYS.length);
  }
  const stats = await collector.settled();
  // The one whose answer was 500 is stored too: it was admitted.
  deepEqual([stats.committed, stats.residual], [journaled + 1, 0]);
  equal(storedCount(collector.database), journaled + 1);
});
