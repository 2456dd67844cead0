/** A dead letter of any protocol gives, replayed, the row that its event would have been. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "./collector_process.ts";
import { allLetters, allowEvents, ask, refuseEvents, replay } from "./dead_letters.ts";
import { LockHolder } from "./lock_holder.ts";
import { TIME, type Way, way, WAYS } from "./protocol_requests.ts";
import { type StoredEvent, storedEvents } from "./rows.ts";
import { spoilt } from "./spoilt.ts";

async function send(collector: CollectorProcess, way: Way, body: ReturnType<Way["body"]>) {
  const { status, text } = await collector.post(way.target, body, way.headers);
  ok(status < 300, `${way.name}: ${status} ${text}`);
  return text;
}

/** Rows by their metadata, without what depends on when and in which order they came. */
function contents(rows: readonly StoredEvent[]): object[] {
  const all = rows.map(({ id: _, received_at: __, ...content }) => content);
  return all.sort((a, b) => a.metadata < b.metadata ? -1 : 1);
}

/** The rows that a collector makes of these requests when nothing is wrong. */
async function rowsOf(requests: readonly [Way, ReturnType<Way["body"]>][]): Promise<object[]> {
  await using collector = await CollectorProcess.start();
  for (const [way, body] of requests) await send(collector, way, body);
  await collector.settled();
  return contents(storedEvents(collector.database));
}

/** Replays all letters as they are; each must be stored, and its row tell when its event came. */
async function replayAll(collector: CollectorProcess, texts: ReadonlyMap<number, string> | null) {
  for (const { id, received_at } of await allLetters(collector)) {
    const before = storedEvents(collector.database).length;
    const answer = await replay(collector, id, texts?.get(id) ?? null);
    deepEqual(answer, {
      http: 200,
      status: "replayed",
      stored: "committed",
      duplicates: 0,
      removed: true,
    });
    const rows = storedEvents(collector.database);
    equal(rows.length, before + 1);
    equal(new Date(Number(rows.at(-1)?.received_at)).toISOString(), received_at);
  }
  deepEqual(await allLetters(collector), []);
}

const MARKS = ["a", "refuse-b", 'refuse "c" \\ é日😀'];
const marksOf = ({ takesMany, name }: Way) =>
  (takesMany ? MARKS : ["refuse-b"]).map((mark) => `${mark} ${name}`);

for (const isJournaled of [false, true]) {
  const through = isJournaled ? "on its way out of the journal" : "at once";
  Deno.test(`an event of any protocol that the database refuses ${through} is replayed as it came`, async () => {
    const requests = WAYS.map((
      way,
    ): [Way, ReturnType<Way["body"]>] => [way, way.body(marksOf(way))]);
    const expected = await rowsOf(requests);
    await using collector = await CollectorProcess.start();
    refuseEvents(collector.database, "refuse");
    {
      await using _lock = isJournaled ? await LockHolder.start(collector.database) : null;
      for (const [way, body] of requests) await send(collector, way, body);
      equal(((await collector.stats()).journaled ?? 0) > 0, isJournaled);
    }
    await collector.settled();
    const refused = requests.flatMap(([way]) => marksOf(way).filter((mark) => mark[0] === "r"));
    const letters = await allLetters(collector);
    equal(letters.length, refused.length);
    deepEqual(new Set(letters.map(({ reason }) => reason)), new Set(["not today"]));
    deepEqual([...new Set(letters.map(({ protocol }) => protocol.split("/")[0]))], [
      "native",
      "segment",
      "otlp",
      "cloudevents",
      "splunk_hec",
      "posthog",
      "tinybird",
    ]);
    allowEvents(collector.database);
    await replayAll(collector, null);
    deepEqual(contents(storedEvents(collector.database)), expected);
    const stats = await collector.settled();
    deepEqual([stats.dead_lettered, stats.residual], [refused.length, 0]);
    equal(await collector.stop(), 0);
  });
}

for (const each of WAYS.filter(({ spoil }) => spoil !== undefined)) {
  Deno.test(`a bad event of ${each.name} is replayed with mended text, and not without`, async () => {
    const marks = ["a", "b", "c"].map((mark) => `${mark} ${each.name}`), [, second = ""] = marks;
    const expected = await rowsOf([[each, each.body(marks)]]);
    await using collector = await CollectorProcess.start();
    await send(collector, each, spoilt(each, marks, [second]));
    await collector.settled();
    deepEqual(contents(storedEvents(collector.database)).length, 2);
    const [letter, ...others] = await allLetters(collector);
    ok(letter !== undefined && others.length === 0);
    equal(letter.protocol.split("/")[0], each.name.split(" ")[0]);
    ok(letter.raw.includes(second) && !letter.raw.includes("a otlp"), letter.raw);

    const unmended = await replay(collector, letter.id);
    match(String(unmended.type), /^\/problems\/(invalid-event|malformed-json)$/);
    deepEqual([unmended.http, unmended.stored, unmended.retryable], [
      unmended.type === "/problems/malformed-json" ? 400 : 422,
      "none",
      false,
    ]);
    deepEqual(await allLetters(collector), [letter]);

    const [good, bad] = each.spoil ?? ["", ""];
    await replayAll(collector, new Map([[letter.id, letter.raw.replace(bad, good)]]));
    deepEqual(contents(storedEvents(collector.database)), expected);
    equal((await ask(collector, "GET", `/${letter.id}`)).status, 404);
    equal(await collector.stop(), 0);
  });
}

Deno.test("a bad record of otlp in protobuf is kept in JSON, and replayed with mended text", async () => {
  const otlp = way("otlp in protobuf"), long = "x".repeat(1100); // no id may be so long
  const expected = await rowsOf([[otlp, otlp.body(["a", "short"])]]);
  await using collector = await CollectorProcess.start();
  await send(collector, otlp, otlp.body(["a", long]));
  await collector.settled();
  const [letter] = await allLetters(collector);
  ok(letter !== undefined && typeof JSON.parse(letter.raw) === "object");
  equal((await replay(collector, letter.id)).http, 422);
  await replayAll(collector, new Map([[letter.id, letter.raw.replaceAll(long, "short")]]));
  deepEqual(contents(storedEvents(collector.database)), expected);
});

Deno.test("an event without a time of its own has that of its arrival, not of its replay", async () => {
  await using collector = await CollectorProcess.start();
  refuseEvents(collector.database, "refuse");
  await send(collector, way("splunk_hec"), '{"event":"refuse"}');
  await send(collector, way("tinybird"), '{"refuse":1}');
  await collector.settled();
  const letters = await allLetters(collector);
  allowEvents(collector.database);
  await replayAll(collector, null);
  deepEqual(
    storedEvents(collector.database).map(({ timestamp }) => timestamp),
    letters.map(({ received_at }) => received_at),
  );
  ok(letters.every(({ received_at }) => received_at !== TIME));
});
