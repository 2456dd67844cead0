/** Requests that differ only outside of their bodies are different requests. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "./collector_process.ts";
import { query } from "./rows.ts";

const KEY = { "idempotency-key": "the-same" };

function columns(collector: CollectorProcess, column: string): unknown[] {
  return query<Record<string, unknown>>(
    collector.database,
    `SELECT ${column} FROM events ORDER BY id`,
  ).map((row) => row[column]);
}

Deno.test("an Idempotency-Key is one of the native protocol: elsewhere it hides no event", async () => {
  await using collector = await CollectorProcess.start();
  for (const id of ["o1", "o2"]) {
    const headers = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/s", "ce-type": "t" };
    equal((await collector.post("/cloudevents", "", { ...headers, ...KEY })).status, 202);
  }
  for (const name of ["x", "y"]) {
    equal((await collector.post(`/v0/events?name=${name}`, '{"a":1}', KEY)).status, 202);
  }
  await collector.settled();
  deepEqual(columns(collector, "event_id"), ["/s o1", "/s o2", null, null]);
  deepEqual(columns(collector, "type"), ["t", "t", "x", "y"]);
});

Deno.test("a foreign page is refused before its body is decoded, also where the token is in it", async () => {
  await using collector = await CollectorProcess.start();
  for (const path of ["/v1/batch", "/batch/"]) {
    const headers = { origin: "https://evil.example", "content-type": "text/plain" };
    const answer = await collector.post(path, "not even JSON", headers);
    equal(answer.status, 403, answer.text);
    equal(answer.headers.get("access-control-allow-origin"), null);
  }
});
