/** The database or its index is in trouble: events are taken, answers are right or say that there is none. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { EventStream } from "./event_stream.ts";
import { growDatabase } from "./large_database.ts";
import { LockHolder } from "./lock_holder.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { type PageJson, read, readJson, refusal, type TopJson } from "./reading.ts";
import { storedCount } from "./rows.ts";
import { JSON_BODY, TempFolder } from "./sending.ts";
import { SteadySender, until } from "./steady_sender.ts";

const COUNT = 200_000, BLOCKS = 3;

function sender({ url }: CollectorProcess): SteadySender {
  const send = (mark: number) =>
    fetch(`${url}/event`, { method: "POST", headers: JSON_BODY, body: new Blob([event(mark)]) });
  return new SteadySender(send, 2);
}

/** Reads until an answer is as wished; until then each is 200 or says that it can not be read. */
async function untilRead(
  collector: CollectorProcess,
  target: string,
  wish: (text: string) => boolean,
): Promise<void> {
  await until(async () => {
    const answer = await read(collector, target);
    if (answer.status !== 200) {
      deepEqual(refusal(answer), [503, "unreadable"]);
      match(answer.headers.get("retry-after") ?? "", /^\d+$/);
      return false;
    }
    return wish(answer.text);
  }, `${target} as wished`);
}

/** Waits until so many blocks are in the index. */
async function indexed(collector: CollectorProcess, blocks: number): Promise<void> {
  await untilRead(
    collector,
    "/stats",
    (text) => JSON.parse(text).reader?.indexed_blocks === blocks,
  );
}

/** Asks what an index would answer, and what it would not. */
async function assertRight(collector: CollectorProcess): Promise<void> {
  for (
    const [query, ids] of [["event_id=event-2", [2]], ["event_id=event-150000", [150_000]], [
      "event_id=x",
      [],
    ]] as const
  ) {
    await untilRead(collector, `/events?${query}`, (text) => {
      deepEqual((JSON.parse(text) as PageJson).events.map(({ id }) => id), ids);
      return true;
    });
  }
  await untilRead(collector, "/top?by=source&to=2026-11-01", (text) => {
    const { values, complete } = JSON.parse(text) as TopJson;
    deepEqual([values.reduce((sum, { count }) => sum + count, 0), complete], [COUNT, true]);
    return true;
  });
}

Deno.test("the database moved away while it is read: soon the new one is read, and a tail goes on", async () => {
  await using folder = new TempFolder();
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await using sending = sender(collector);
  await sending.more(50);
  equal((await readJson<PageJson>(collector, "/events?limit=5")).events.length, 5);
  await using tail = await EventStream.open(`${collector.url}/tail`);
  await Deno.rename(folder.database, `${folder.path}/moved.db`);
  await collector.untilOutput(/the database was moved or deleted/);
  await sending.more(50);
  await sending[Symbol.asyncDispose]();
  deepEqual(sending.failures, []);
  await collector.settled();
  equal((await collector.post("/event", event("in the new one"))).status, 202);
  await untilRead(collector, "/events?limit=1", (text) => text.includes("in the new one"));
  equal((await collector.post("/event", event("to the tail"))).status, 202);
  await until(() => tail.marks.includes("to the tail") || tail.isOver, "the tail goes on");
  equal(await collector.stop(), 0);
});

Deno.test("the write lock held by another process: what is committed is read, the rest once it is", async () => {
  await using collector = await CollectorProcess.start();
  equal((await collector.post("/event", event("before"))).status, 202);
  await using tail = await EventStream.open(`${collector.url}/tail`);
  {
    await using _lock = await LockHolder.start(collector.database);
    match((await collector.post("/event", event("journaled"))).text, /"journaled"/);
    equal((await readJson<PageJson>(collector, "/events")).events.length, 1);
    for (const path of ["/series", "/top", "/export", "/events/1"]) {
      equal((await read(collector, path)).status, 200, path);
    }
  }
  await tail.received(1);
  deepEqual(tail.marks, ["journaled"]);
  equal((await readJson<PageJson>(collector, "/events")).events.length, 2);
});

Deno.test("the index deleted, emptied, or overwritten while it is used: answers stay right, it is made again", async () => {
  await using folder = new TempFolder();
  const path = await growDatabase(folder.path, COUNT);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await indexed(collector, BLOCKS);
  await using sending = sender(collector);
  const names = folder.names(/^events\.db\.index/).map((name) => `${folder.path}/${name}`);
  ok(names.length >= 1);
  const harms: Record<string, (file: string) => void> = {
    deleted: (file) => Deno.removeSync(file),
    overwritten: (file) =>
      Deno.writeFileSync(file, new Uint8Array(Deno.statSync(file).size).fill(0xaa)),
    emptied: (file) => Deno.truncateSync(file),
  };
  for (const [what, harm] of Object.entries(harms)) {
    for (const file of names) {
      try {
        harm(file);
      } catch { /* this one is not there now */ }
    }
    await assertRight(collector);
    await sending.more(20);
    ok((await read(collector, "/events/1")).status === 200, what);
  }
  await sending[Symbol.asyncDispose]();
  deepEqual(sending.failures, []);
  equal(await collector.stop(), 0, collector.output);
  equal(storedCount(path), COUNT + sending.acknowledged.length);
  await using again = await CollectorProcess.start({ folder: folder.path });
  await indexed(again, BLOCKS);
  await assertRight(again);
});

Deno.test("garbage where the index was, before a start: it is made anew", async () => {
  await using folder = new TempFolder();
  await growDatabase(folder.path, COUNT);
  Deno.writeTextFileSync(`${folder.database}.index`, "no index\n".repeat(10_000));
  Deno.writeTextFileSync(`${folder.database}.index-wal`, "no log");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await indexed(collector, BLOCKS);
  await assertRight(collector);
});

Deno.test("a folder where the index should be: there is none, which is told, and answers are right", async () => {
  await using folder = new TempFolder();
  await growDatabase(folder.path, COUNT);
  Deno.mkdirSync(`${folder.database}.index`);
  Deno.writeTextFileSync(`${folder.database}.index/of-someone`, "");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await assertRight(collector);
  await untilRead(
    collector,
    "/stats",
    (text) => typeof JSON.parse(text).reader?.index_error === "string",
  );
  equal((await collector.post("/event", event(1))).status, 202);
  deepEqual(folder.names(/^events\.db\.index/), ["events.db.index"]);
});

Deno.test("SIGTERM with tails, exports and queries open: it ends in time with 0, and tails are told", async () => {
  await using folder = new TempFolder();
  const path = await growDatabase(folder.path, COUNT);
  await using collector = await CollectorProcess.start({
    folder: folder.path,
    args: ["--shutdown-timeout-ms", "15000", "--query-timeout-ms", "60000"],
  });
  using deafTail = await RawSocket.connect(collector.url);
  using deafExport = await RawSocket.connect(collector.url);
  await deafTail.send(rawRequest("GET /tail?last=1000 HTTP/1.1", ["Host: 127.0.0.1"]));
  await deafExport.send(rawRequest("GET /export HTTP/1.1", ["Host: 127.0.0.1"]));
  await using tail = await EventStream.open(`${collector.url}/tail`);
  const download = await fetch(`${collector.url}/export`);
  const queries = Array.from(
    { length: 20 },
    (_, i) => read(collector, `/events?where[n]=${-1 - i}`).then(({ status }) => status, () => 0),
  );
  equal((await collector.post("/event", event("last"))).status, 202);
  await tail.received(1);
  equal(await collector.stop("SIGTERM"), 0, collector.output);
  await tail.over();
  deepEqual(tail.messages.filter(({ kind }) => kind === "end").map(({ data }) => data), [
    '{"reason":"The collector is stopping."}',
  ]);
  for (const status of await Promise.all(queries)) ok([0, 200, 503].includes(status), `${status}`);
  await download.text().catch(() => {}); // it may have come to an end or not
  equal(storedCount(path), COUNT + 1);
});
