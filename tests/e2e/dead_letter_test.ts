import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess, event } from "./collector_process.ts";
import { query, storedEvents } from "./rows.ts";

Deno.test("events that can never be stored become dead letters, the rest of the batch rows", async () => {
  await using collector = await CollectorProcess.start();
  // No valid event fails in the table as it is, so another connection makes some fail.
  const other = new DatabaseSync(collector.database, { timeout: 5000 });
  other.exec(`CREATE TRIGGER reject BEFORE INSERT ON events WHEN NEW.user_id IN (7, 250)
              BEGIN SELECT RAISE(ABORT, 'not today'); END`);
  other.close();
  const events = Array.from({ length: 300 }, (_, i) => event(i, i));
  const array = await collector.post("/events", `[${events.join(", ")}]`);
  equal(array.text, '{"status":"accepted","accepted":300,"stored":"committed"}');
  const lines = await collector.post("/events", events.join("\n"), {
    "content-type": "application/x-ndjson",
  });
  equal(lines.status, 202);
  equal((await collector.post("/event", events[7] ?? "")).status, 202);

  const stats = await collector.settled();
  deepEqual([stats.committed, stats.dead_lettered, stats.residual], [596, 5, 0]);
  equal(await collector.stop(), 0);
  deepEqual(
    new Set(storedEvents(collector.database).map(({ user_id }) => Number(user_id))).size,
    298,
  );
  const letters = query<{ raw: string; reason: string; source: string }>(
    collector.database,
    "SELECT raw, reason, source FROM dead_letters",
  );
  const expected = [events[7], events[250], events[7], events[250], events[7]];
  deepEqual(letters.map(({ raw }) => raw), expected);
  deepEqual(new Set(letters.map(({ reason }) => reason)), new Set(["not today"]));
  deepEqual(new Set(letters.map(({ source }) => source)), new Set(["native"]));
});
