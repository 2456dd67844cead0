import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedEvents } from "./rows.ts";

/** What the journal does about a lock is in journal_test.ts. */
const MEMORY = ["--durability", "memory"];
const LOCK_MS = 5000, REQUESTS_PER_SECOND = 500, EVENTS_PER_REQUEST = 10;

Deno.test("memory: a database locked for 5 s under 5,000 events/s: all are answered 202, all are stored [G5]", async () => {
  await using collector = await CollectorProcess.start({ args: MEMORY });
  const lock = await LockHolder.start(collector.database);
  const requests: Promise<{ status: number; ms: number }>[] = [];
  const startMs = performance.now();
  let sent = 0;
  for (let ms = 0; ms < LOCK_MS; ms = performance.now() - startMs) {
    for (; sent < ms / 1000 * REQUESTS_PER_SECOND; sent++) requests.push(send(collector, sent));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const answers = await Promise.all(requests);
  await lock[Symbol.asyncDispose]();

  deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
  const slowestMs = Math.max(...answers.map(({ ms }) => ms));
  ok(slowestMs < LOCK_MS / 2, `an answer took ${slowestMs} ms: it waited for the database`);
  const stats = await collector.settled();
  equal(stats.committed, sent * EVENTS_PER_REQUEST);
  ok((stats.commit_retries ?? 0) > 0, "the database was not locked");
  equal(await collector.stop(), 0);
  const marks = new Set(storedEvents(collector.database).map(({ metadata }) => metadata));
  equal(marks.size, sent * EVENTS_PER_REQUEST, "an event is missing or there twice");
});

async function send(collector: CollectorProcess, request: number) {
  const lines = Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => event(`${request}-${i}`));
  const startMs = performance.now();
  const { status } = await collector.post("/events", lines.join("\n"), {
    "content-type": "application/x-ndjson",
  });
  return { status, ms: performance.now() - startMs };
}

Deno.test("memory: /readyz says why while commits are stuck, /livez does not mind", async () => {
  await using collector = await CollectorProcess.start({
    args: [...MEMORY, "--ready-stall-ms", "100"],
  });
  const ready = async () => (await (await fetch(`${collector.url}/readyz`)).text());
  ok((await ready()).includes('"ready"'));
  {
    await using _lock = await LockHolder.start(collector.database);
    await collector.post("/event", event("stuck"));
    await collector.until(({ queue }) => (queue.oldest_age_ms ?? 0) > 200);
    ok(/not ready.*nothing was stored.*locked/s.test(await ready()), await ready());
    const alive = await fetch(`${collector.url}/livez`);
    equal(alive.status, 200);
    await alive.body?.cancel();
  }
  await collector.settled();
  ok((await ready()).includes('"ready"'));
});
