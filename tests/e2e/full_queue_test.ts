import { match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";

/** With the journal in front, a lock alone does not fill the queue. */
const MEMORY = ["--durability", "memory"];
const NDJSON = { "content-type": "application/x-ndjson" };

function lines(count: number): string {
  return Array.from({ length: count }, (_, i) => event(i)).join("\n");
}

Deno.test("the 30,001st event is refused with Retry-After, and none of the 30,000 is lost", async () => {
  await using collector = await CollectorProcess.start({ args: MEMORY });
  {
    await using _lock = await LockHolder.start(collector.database);
    for (let i = 0; i < 3; i++) {
      const answer = await collector.post("/events", lines(10_000), NDJSON);
      equal(answer.text, '{"status":"accepted","accepted":10000,"stored":"queued"}');
    }
    const refused = await collector.post("/event", event("one too many"));
    equal(refused.status, 503);
    match(refused.text, /"type":"\/problems\/queue-full".*"stored":"none","retryable":true/);
    const retryAfter = Number(refused.headers.get("retry-after"));
    ok(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 60, `${retryAfter}`);

    const stats = await collector.stats();
    equal(stats.queue.events, 30_000, "queued and in flight count together");
    equal(stats.accepted, 30_000);
    equal(stats.refused_requests["queue-full"], 1);
    equal(stats.rejected, 0, "it was refused before its body was read");
    equal(stats.residual, 0);
  }
  const stats = await collector.settled();
  equal(stats.committed, 30_000);
  equal((await collector.post("/event", event("room again"))).status, 202);
  equal(await collector.stop(), 0);
  equal(storedCount(collector.database), 30_001);
});

Deno.test("a queue full of bytes refuses as one full of events does", async () => {
  await using collector = await CollectorProcess.start({
    args: [...MEMORY, "--queue-bytes", "100000"],
  });
  await using lock = await LockHolder.start(collector.database);
  let accepted = 0, status = 202;
  while (status === 202) {
    ({ status } = await collector.post("/event", event("x".repeat(1000))));
    if (status === 202) accepted++;
  }
  equal(status, 503);
  ok(accepted > 60 && accepted < 90, `${accepted} of 1.3 kB each fit into 100 kB`);
  await lock[Symbol.asyncDispose]();
  equal((await collector.settled()).committed, accepted);
});

Deno.test("a request that could never fit is told so instead of to come back", async () => {
  await using collector = await CollectorProcess.start({ args: ["--queue-capacity", "10"] });
  const answer = await collector.post("/events", lines(11), NDJSON);
  equal(answer.status, 413);
  match(answer.text, /"retryable":false/);
  equal((await collector.post("/events", lines(10), NDJSON)).status, 202);
});
