/** Events are removed by their age and by the size of the database, while the collector works. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { idRange, storeOld, untilRetention, wrong } from "./old_events.ts";
import { query } from "./rows.ts";
import { JSON_BODY, LINES, marks, receipt, TempFolder } from "./sending.ts";

const THIRTY = ["--retain-days", "30"];
const LARGE = "x".repeat(100_000);
const MANY = { count: 200_000, ageDays: 40, mark: "y".repeat(100) };

/** Posts an event that must be stored. */
async function post(collector: CollectorProcess, mark: unknown): Promise<void> {
  const { status, text } = await collector.post("/event", new Blob([event(mark)]), JSON_BODY);
  equal(status, 202, text);
}

Deno.test("events older than --retain-days are removed, their room is given back, younger ones stay", async () => {
  await using folder = new TempFolder();
  const { database: path } = folder;
  storeOld(path, { count: 500, ageDays: 31, mark: LARGE });
  storeOld(path, { count: 20, ageDays: 29, mark: "young" });
  const { size } = Deno.statSync(path);
  await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
  await post(collector, "new");
  const { removed_this_run, oldest_id, held_by, held_up, longest_step_ms } = await untilRetention(
    collector,
    ({ removed }) => removed === 500,
  );
  deepEqual({ removed_this_run, oldest_id, held_by, held_up }, {
    removed_this_run: 500,
    oldest_id: 501,
    held_by: null,
    held_up: null,
  });
  ok(longest_step_ms > 0);
  await collector.until(({ database_bytes = 0 }) => database_bytes < size / 10);
  equal((await collector.stats()).residual, 0);
  equal(await collector.stop(), 0, collector.output);
  deepEqual(marks(path), [...Array<string>(20).fill("young"), "new"]);
  deepEqual(wrong(path), []);
});

Deno.test("without --retain-days and --retain-bytes nothing is removed, however old it is", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 100, ageDays: 5000, mark: "old" });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await untilRetention(collector, ({ oldest_id }) => oldest_id === 1);
  await post(collector, "new");
  equal(await collector.stop(), 0, collector.output);
  deepEqual(idRange(folder.database), [1, 101, 101]);
});

Deno.test("receipts and dead letters outlive the events that are removed", async () => {
  await using folder = new TempFolder();
  let location: string | null = null;
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    const bad = `${event("good")}\n{"user_id":"bad"}`;
    const lenient = { ...LINES, prefer: "handling=lenient" };
    equal((await collector.post("/events", bad, lenient)).status, 202);
    const answer = await collector.post("/event", event("a"), {
      ...JSON_BODY,
      prefer: "respond-async",
    });
    location = answer.headers.get("location");
    await collector.settled();
    await post(collector, "newest");
    equal(await collector.stop(), 0, collector.output);
  }
  const writer = new DatabaseSync(folder.database);
  writer.exec("UPDATE events SET received_at = 5");
  writer.close();
  await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
  await untilRetention(collector, ({ removed }) => removed === 2);
  equal((await receipt(collector, location))?.status, "committed");
  const letters = await (await fetch(`${collector.url}/dead-letters`)).json();
  equal(letters.dead_letters.length, 1);
  equal(await collector.stop(), 0, collector.output);
  deepEqual([marks(folder.database), wrong(folder.database)], [["newest"], []]);
});

Deno.test("a database that grows past --retain-bytes loses its oldest events and stays within it", async () => {
  const limit = 70_000_000;
  await using collector = await CollectorProcess.start({
    args: ["--retain-bytes", `${limit}`, "--recent-event-ids", "0", "--recent-requests", "1"],
  });
  const body = Array.from({ length: 9 }, () => event(LARGE)).join("\n");
  for (let i = 0; i < 180; i++) {
    const { status, text } = await collector.post("/events", new Blob([body]), LINES);
    equal(status, 202, text);
  }
  const { committed, residual } = await collector.settled();
  deepEqual({ committed, residual }, { committed: 1620, residual: 0 });
  equal(await collector.stop(), 0, collector.output);
  const [first = 0, last, count = 0] = idRange(collector.database);
  deepEqual([last, count], [1620, 1620 - first + 1]);
  ok(count * LARGE.length > limit * 0.8, `only ${count} events are left`);
  ok(first > 1);
  ok(Deno.statSync(collector.database).size <= limit);
  deepEqual(wrong(collector.database), []);
});

Deno.test("killed while it removes, it has removed and counted the same events, and goes on [G1]", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, MANY);
  let killedAt = 0;
  {
    await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
    await untilRetention(collector, ({ removed }) => removed > 0);
    await collector.stop("SIGKILL");
  }
  const writer = new DatabaseSync(folder.database); // it recovers the log
  killedAt = Number(writer.prepare("SELECT count FROM events_removed").get()?.count);
  writer.close();
  ok(killedAt > 0 && killedAt < MANY.count - 1, `${killedAt} were removed`);
  deepEqual(idRange(folder.database), [killedAt + 1, MANY.count, MANY.count - killedAt]);
  deepEqual(wrong(folder.database), []);
  await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
  const { removed_this_run } = await untilRetention(
    collector,
    ({ removed }) => removed === MANY.count - 1,
  );
  equal(removed_this_run, MANY.count - 1 - killedAt);
  equal(await collector.stop(), 0, collector.output);
  deepEqual([idRange(folder.database)[0], wrong(folder.database)], [MANY.count, []]);
});

Deno.test("asked to stop while it removes, it ends with 0, and the rest is removed another time [G4]", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, MANY);
  await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
  await untilRetention(collector, ({ removed }) => removed > 0);
  await post(collector, "new");
  equal(await collector.stop(), 0, collector.output);
  const [, last, count = 0] = idRange(folder.database);
  equal(last, MANY.count + 1);
  ok(count > 1, "nothing was left to remove");
  deepEqual(wrong(folder.database), []);
});

Deno.test("a reader that began before sees every event to its end", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { ...MANY, count: 20_000 });
  const reader = new DatabaseSync(folder.database, { readOnly: true });
  const count = () => reader.prepare("SELECT count(*) AS n FROM events").get()?.n;
  {
    await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
    reader.exec("BEGIN");
    const before = count();
    await untilRetention(collector, ({ removed }) => removed === 19_999);
    equal(count(), before);
    reader.exec("COMMIT");
    equal(count(), 1);
    equal(await collector.stop(), 0, collector.output);
  }
  reader.close();
  deepEqual(wrong(folder.database), []);
});

Deno.test("while another program locks the database events are journaled and none is removed [G5]", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, MANY);
  await using collector = await CollectorProcess.start({ folder: folder.path, args: THIRTY });
  {
    await using _lock = await LockHolder.start(folder.database);
    await post(collector, "journaled");
    const waiting = await untilRetention(collector, ({ held_up }) => held_up !== null);
    match(waiting.held_up ?? "", /locked|does not take events/);
    const [before] = query<{ count: bigint }>(folder.database, "SELECT count FROM events_removed");
    await post(collector, "journaled too");
    const [after] = query<{ count: bigint }>(folder.database, "SELECT count FROM events_removed");
    equal(after?.count, before?.count);
  }
  await untilRetention(collector, ({ removed }) => removed === MANY.count);
  equal((await collector.settled()).residual, 0);
  equal(await collector.stop(), 0, collector.output);
  deepEqual([marks(folder.database), wrong(folder.database)], [
    ["journaled", "journaled too"].slice(-2),
    [],
  ]);
});
