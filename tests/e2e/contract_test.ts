import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { storedEvents } from "./rows.ts";

Deno.test("the original contract: one event is answered 202 and is a row", async () => {
  await using collector = await CollectorProcess.start();
  const answer = await collector.post("/event", event("hello", 42));
  equal(answer.status, 202);
  equal(answer.text, '{"status":"accepted","stored":"committed"}');
  await collector.settled();
  equal(await collector.stop(), 0);
  const [row, ...rest] = storedEvents(collector.database);
  deepEqual(rest, []);
  equal(row?.user_id, 42n);
  equal(row?.timestamp, "2026-11-24T11:03:40.123Z");
  equal(row?.metadata, '{"m":"hello"}');
  equal(row?.source, "native");
});
