/** An event's own id: within the window it is stored once, however often and wherever it is sent. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { problem, step } from "./expect.ts";
import { LockHolder } from "./lock_holder.ts";
import { query } from "./rows.ts";
import { identified, JSON_BODY, LINES, marks, MEMORY, TempFolder } from "./sending.ts";

const NEW = '{"status":"accepted","stored":"committed"}';
const KNOWN = '{"status":"accepted","stored":"committed","duplicates":1}';

async function send(collector: CollectorProcess, id: string, mark: unknown = id): Promise<string> {
  const { status, text } = await collector.post("/event", new Blob([identified(id, mark)]), {
    ...JSON_BODY,
  });
  equal(status, 202, text);
  return text;
}

/** Asserts what is stored, and that the account tells the duplicates. */
async function assertStored(
  collector: CollectorProcess,
  expected: readonly unknown[],
  duplicates: number,
): Promise<void> {
  const stats = await collector.settled();
  deepEqual(marks(collector.database), expected);
  deepEqual({ duplicates: stats.duplicates, residual: stats.residual }, {
    duplicates,
    residual: 0,
  });
  equal(stats.received, (stats.accepted ?? NaN) + duplicates);
}

Deno.test("one id, sent again: the first event stays, whatever the second says", async (t) => {
  await using collector = await CollectorProcess.start();
  await step(t, "one after the other", async () => {
    equal(await send(collector, "a", "first"), NEW);
    equal(await send(collector, "a", "first"), KNOWN);
    equal(await send(collector, "a", "second"), KNOWN);
  });
  await step(t, "at the other endpoint, as an array and as lines", async () => {
    const [known, fresh] = [identified("a", "third"), identified("b", "b")];
    const array = await collector.post("/events", `[${known},${fresh}]`);
    equal(array.text, '{"status":"accepted","accepted":1,"stored":"committed","duplicates":1}');
    const lines = await collector.post("/events", `${known}\n${fresh}`, LINES);
    equal(lines.text, '{"status":"accepted","accepted":0,"stored":"committed","duplicates":2}');
    equal(await send(collector, "b"), KNOWN);
  });
  await step(t, "in one batch, and after events without an id", async () => {
    const body = [event("none"), identified("c", 1), event("none"), identified("c", 2)].join("\n");
    const { text } = await collector.post("/events", body, LINES);
    equal(text, '{"status":"accepted","accepted":3,"stored":"committed","duplicates":1}');
  });
  await step(t, "spelled in another way", async () => {
    const escaped = identified("a", "escaped").replace('"id":"a"', '"\\u0069d":"\\u0061"');
    equal((await collector.post("/event", escaped)).text, KNOWN);
  });
  await assertStored(collector, ["first", "b", "none", 1, "none"], 8);
  const ids = query<{ event_id: string | null }>(
    collector.database,
    "SELECT event_id FROM events ORDER BY id",
  );
  deepEqual(ids.map(({ event_id }) => event_id), ["a", "b", null, "c", null]);
});

Deno.test("one id, sent by twenty at once, is one row", async () => {
  await using collector = await CollectorProcess.start();
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, client) => send(collector, `${round}`, [round, client])),
    );
    equal(answers.filter((text) => text === NEW).length, 1);
    equal(answers.filter((text) => text === KNOWN).length, 19);
  }
  await collector.settled();
  deepEqual(
    (marks(collector.database) as [number, number][]).map(([round]) => round),
    Array.from({ length: 10 }, (_, round) => round),
  );
  equal((await collector.stats()).duplicates, 190);
});

Deno.test("ids that differ a little are different; ids that are none are refused", async () => {
  await using collector = await CollectorProcess.start();
  const ids = ["a", "A", "a ", " a", "á", "a\u0301", "1", "01", "x".repeat(255), "漢".repeat(255)];
  for (const id of ids) equal(await send(collector, id, id), NEW);
  await assertStored(collector, ids, 0);
  const badIds = ['""', "1", "null", "{}", `"${"x".repeat(256)}"`, '"\\u0000"', '"\\ud800"'];
  for (const id of badIds) {
    const body = identified("ID", "bad").replace('"ID"', id);
    problem(await collector.post("/event", body), "invalid-event");
  }
  const twice = identified("a", "bad").replace("{", '{"id":"b",');
  problem(await collector.post("/event", twice), "invalid-event");
});

Deno.test("an id is known after a restart, after kill -9, and from the journal [G14]", async () => {
  await using folder = new TempFolder();
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal(await send(collector, "stopped"), NEW);
    equal(await collector.stop(), 0);
  }
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal(await send(collector, "stopped"), KNOWN);
    equal(await send(collector, "killed"), NEW);
    await using _lock = await LockHolder.start(collector.database);
    match(await send(collector, "journaled"), /"stored":"journaled"}/);
    match(await send(collector, "journaled"), /"stored":"journaled","duplicates":1}/);
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  for (const id of ["stopped", "killed", "journaled"]) {
    match(await send(collector, id, "again"), /"duplicates":1}/, id);
  }
  await assertStored(collector, ["stopped", "killed", "journaled"], 3);
});

Deno.test("an id whose event is in the journal or the queue is known", async (t) => {
  for (const args of [[], MEMORY]) {
    await step(t, args.join(" "), async () => {
      await using collector = await CollectorProcess.start({ args });
      const lock = await LockHolder.start(collector.database);
      for (const id of ["a", "b", "a", "c", "b"]) await send(collector, id);
      await lock[Symbol.asyncDispose]();
      await assertStored(collector, ["a", "b", "c"], 2);
      match(await send(collector, "a"), /"duplicates":1}/);
    });
  }
});

Deno.test("the id of a refused event is not taken for known", async () => {
  const args = [...MEMORY, "--queue-capacity", "1"];
  await using collector = await CollectorProcess.start({ args });
  const lock = await LockHolder.start(collector.database);
  await send(collector, "held up");
  const refused = await collector.post("/event", identified("refused", "refused"));
  equal(refused.status, 503, refused.text);
  await lock[Symbol.asyncDispose]();
  await collector.settled();
  equal(await send(collector, "refused"), '{"status":"accepted","stored":"queued"}');
  await collector.settled();
  const bad = `${identified("bad", "bad")}\n{}`;
  problem(await collector.post("/events", bad, LINES), "invalid-event");
  await collector.settled();
  equal(await send(collector, "bad"), '{"status":"accepted","stored":"queued"}');
  await collector.settled();
  deepEqual(marks(collector.database), ["held up", "refused", "bad"]);
});

Deno.test("the window: the last 10 ids are known, also after a restart; 0 remembers none", async () => {
  await using folder = new TempFolder();
  const start = (count: string) =>
    CollectorProcess.start({ folder: folder.path, args: ["--recent-event-ids", count] });
  {
    await using collector = await start("10");
    for (let id = 0; id < 11; id++) equal(await send(collector, `${id}`, id), NEW);
    for (let id = 10; id > 0; id--) equal(await send(collector, `${id}`, id), KNOWN, `${id}`);
    equal(await send(collector, "0", "again"), NEW, "it was the eleventh to last");
    ok((await collector.stats()).recent_event_ids as number <= 11);
    equal(await collector.stop("SIGKILL") === 0, false);
  }
  {
    await using collector = await start("10");
    for (let id = 10; id > 1; id--) equal(await send(collector, `${id}`, id), KNOWN, `${id}`);
    equal(await send(collector, "0"), KNOWN);
    equal(await send(collector, "1", "again"), NEW);
    equal(await collector.stop(), 0);
  }
  await using collector = await start("0");
  equal(await send(collector, "1", "without"), NEW);
  await collector.settled();
  const numbers = Array.from({ length: 11 }, (_, id) => id);
  deepEqual(marks(folder.database), [...numbers, "again", "again", "without"]);
});
