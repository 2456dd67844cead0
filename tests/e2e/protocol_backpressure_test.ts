/** Each protocol against a collector that can take no more: its words, and nothing of it stored. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { refusedAs, retryMaxOf, sendIn } from "./backpressure.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { way, WAYS } from "./protocol_requests.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { storedCount, storedEvents } from "./rows.ts";
import { JSON_BODY, LINES, MEMORY } from "./sending.ts";

const CAPACITY = 10_000, FREE = 4;
const lines = (count: number) => Array.from({ length: count }, (_, i) => event(i)).join("\n");
const marksOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`);
const full = () => CollectorProcess.start({ args: [...MEMORY, "--queue-capacity", `${CAPACITY}`] });

/** Has the queue hold so many events, while the database is locked. */
async function fill(collector: CollectorProcess, count: number): Promise<void> {
  const { status, text } = await collector.post("/events", lines(count), LINES);
  equal(status, 202, text);
}

Deno.test("a full queue: each protocol is told in its words, when to come back, and stores nothing", async (t) => {
  await using collector = await full();
  let stored = 0;
  {
    await using _lock = await LockHolder.start(collector.database);
    await fill(collector, CAPACITY - FREE);

    await t.step("a request larger than the free room is refused whole", async () => {
      const many = WAYS.filter(({ takesMany }) => takesMany);
      for (const each of many) {
        const answer = await sendIn(collector.url, each, each.body(marksOf(each.name, FREE + 1)));
        refusedAs(each, answer, "queue-full");
      }
      const { accepted, rejected, residual } = await collector.stats();
      deepEqual([accepted, rejected, residual], [CAPACITY - FREE, many.length * (FREE + 1), 0]);
    });

    await t.step("one that fits exactly is taken", async () => {
      const segment = way("segment");
      equal(
        (await sendIn(collector.url, segment, segment.body(marksOf("fits", FREE)))).status,
        200,
      );
    });
    stored = CAPACITY;

    await t.step("then every request is refused", async () => {
      for (const each of WAYS) {
        refusedAs(each, await sendIn(collector.url, each, each.body(["x"])), "queue-full");
      }
    });

    await t.step("Retry-After is never more than the protocol's clients stand", async () => {
      const own = way("native");
      // It rises while nothing drains; at 60 it is over 30 for everyone, whatever chance adds.
      for (let seconds = 0; seconds < 60;) {
        seconds = refusedAs(own, await sendIn(collector.url, own, own.body(["x"])), "queue-full");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      for (const each of WAYS.filter(({ name }) => name !== "native")) {
        const answer = await sendIn(collector.url, each, each.body(["x"]));
        equal(refusedAs(each, answer, "queue-full"), retryMaxOf(each), each.name);
      }
    });
    const { accepted, queue, residual } = await collector.stats();
    deepEqual([accepted, queue.events, residual], [CAPACITY, CAPACITY, 0]);
  }
  await collector.settled();
  equal(storedCount(collector.database), stored);

  await t.step(
    "once there is room the same requests are taken: nothing of them is remembered",
    async () => {
      for (const each of WAYS) {
        const marks = each.takesMany ? marksOf(each.name, FREE + 1) : ["x"];
        const { status, body } = await sendIn(collector.url, each, each.body(marks));
        ok(status < 300, `${each.name}: ${status} ${new TextDecoder().decode(body)}`);
        stored += marks.length;
      }
      await collector.settled();
      equal(storedCount(collector.database), stored);
    },
  );
});

Deno.test("while the collector stops each protocol is told so, and what it had is stored", async () => {
  await using collector = await full();
  {
    await using _lock = await LockHolder.start(collector.database);
    await fill(collector, 3);
    collector.kill("SIGTERM");
    await collector.untilOutput(/refusing new events/);
    for (const each of WAYS) {
      for (const more of [{}, { "idempotency-key": "k" }]) {
        const answer = await sendIn(collector.url, each, each.body(["x"]), more);
        equal(refusedAs(each, answer, "draining"), Math.min(5, retryMaxOf(each)));
      }
    }
  }
  equal(await collector.stop(), 0, collector.output);
  equal(storedCount(collector.database), 3);
});

Deno.test("what is too large is told in the words of each protocol, and not to come back", async () => {
  const args = ["--max-body-bytes", "3000", "--queue-capacity", "5"];
  await using collector = await CollectorProcess.start({ args });
  for (const each of WAYS) {
    const large = await sendIn(collector.url, each, each.body(["x".repeat(3001)]));
    refusedAs(each, large, "body-too-large");
    if (!each.takesMany) continue;
    const many = await sendIn(collector.url, each, each.body(marksOf("", 6)));
    refusedAs(each, many, "too-many-events");
  }
  equal((await collector.settled()).residual, 0);
  equal(storedCount(collector.database), 0);
});

Deno.test("a full queue is told before the body is sent, to each protocol", async () => {
  await using collector = await full();
  await using _lock = await LockHolder.start(collector.database);
  await fill(collector, CAPACITY);
  for (const each of WAYS) {
    using socket = await RawSocket.connect(collector.url);
    const headers = { ...each.headers, "host": "127.0.0.1", "content-length": "900000" };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    await socket.send(rawRequest(`POST ${each.target} HTTP/1.1`, head));
    const answer = await socket.answer();
    ok(typeof answer === "object", `${each.name}: ${answer}`);
    const body = Uint8Array.from(answer.text, (char) => char.charCodeAt(0));
    refusedAs(each, { ...answer, body }, "queue-full");
  }
  const stats = await collector.stats();
  equal(stats.refused_requests["queue-full"], WAYS.length);
  deepEqual([stats.rejected, stats.bodies_in_flight], [0, 0], "a body was waited for");
});

Deno.test("with a full queue the repeat of a request that is known is answered like the first", async () => {
  await using collector = await full();
  await using _lock = await LockHolder.start(collector.database);
  const headers = { ...JSON_BODY, "idempotency-key": "k" };
  equal((await collector.post("/event", event("known"), headers)).status, 202);
  await fill(collector, CAPACITY - 1);
  const again = await collector.post("/event", event("known"), headers);
  deepEqual([again.status, again.headers.get("idempotency-replayed")], [202, "true"]);
  const other = { ...JSON_BODY, "idempotency-key": "other" };
  const refused = await collector.post("/event", event("other"), other);
  equal(refused.status, 503);
  match(refused.text, /queue-full/);
});

Deno.test("what was sent twice is stored once by its ids, and twice where the protocol has none", async () => {
  await using collector = await CollectorProcess.start();
  let stored = 0;
  for (const each of WAYS) {
    const marks = each.takesMany ? marksOf(each.name, 3) : [each.name];
    const [first, second] = [
      await sendIn(collector.url, each, each.body(marks)),
      await sendIn(collector.url, each, each.body(marks)),
    ];
    stored += marks.length * (each.hasIds ? 1 : 2);
    equal(second.status, first.status, each.name);
    ok(first.status < 300, each.name);
    const text = new TextDecoder().decode(second.body);
    if (each.hasIds && /^(native|cloudevents)/.test(each.name)) {
      equal(JSON.parse(text).duplicates, marks.length, text);
    } else deepEqual(second.body, first.body, `${each.name}: ${text}`);
    equal(storedEvents(collector.database).length, stored, each.name);
  }
  equal((await collector.settled()).residual, 0);
});
