/** Very many readers, slow ones, and ones that go away: events are taken all the while. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { growDatabase } from "./large_database.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { type PageJson, read, readJson, refusal } from "./reading.ts";
import { query, storedCount } from "./rows.ts";
import { JSON_BODY, LINES, TempFolder } from "./sending.ts";
import { sleep, SteadySender, until } from "./steady_sender.ts";

const COUNT = 300_000, EXPORTS_MAX = 8;
/** What the process may hold more than before, in bytes: 100 tails of at most 2 MiB each, and slack. */
const MORE_MEMORY = 600 * 1024 * 1024;

function memory({ process }: CollectorProcess): number {
  const args = ["-o", "rss=", "-p", String(process.pid)];
  const { stdout } = new Deno.Command("ps", { args }).outputSync();
  return Number(new TextDecoder().decode(stdout)) * 1024;
}

/** Sends events to a collector from some clients, all the time. */
function sender({ url }: CollectorProcess): SteadySender {
  const send = (mark: number) =>
    fetch(`${url}/event`, { method: "POST", headers: JSON_BODY, body: new Blob([event(mark)]) });
  return new SteadySender(send);
}

/** Ends a sender; each event of it must have been taken at once, and be stored once. */
async function assertTaken(sender: SteadySender, path: string): Promise<void> {
  await sender[Symbol.asyncDispose]();
  deepEqual(sender.failures, []);
  equal(storedCount(path), COUNT + sender.acknowledged.length);
  const rows = query<{ m: bigint }>(
    path,
    `SELECT metadata ->> 'm' AS m FROM events WHERE id > ${COUNT}`,
  );
  deepEqual(new Set(rows.map(({ m }) => Number(m))), new Set(sender.acknowledged));
}

/** Waits until one more export may begin. */
async function untilRoom(collector: CollectorProcess): Promise<void> {
  await until(
    async () => (await read(collector, `/export?after_id=${COUNT - 1}`)).status === 200,
    "room",
  );
}

/** Opens as many as there may be: all places are free again, if maybe not at once. */
async function openExports(collector: CollectorProcess): Promise<AbortController[]> {
  const open: AbortController[] = [];
  while (open.length < EXPORTS_MAX) {
    await untilRoom(collector);
    const end = new AbortController();
    const { status } = await fetch(`${collector.url}/export`, { signal: end.signal });
    if (status === 200) open.push(end);
  }
  return open;
}

Deno.test("200 clients that ask for exports and tails, and never read: memory is bounded, events are taken", async () => {
  await using folder = new TempFolder();
  const path = await growDatabase(folder.path, COUNT);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await using sending = sender(collector);
  await sending.more(100);
  equal((await read(collector, "/export?after_id=299990")).status, 200);
  const before = memory(collector);
  const sockets: RawSocket[] = [];
  try {
    for (let i = 0; i < 200; i++) {
      const socket = await RawSocket.connect(collector.url);
      sockets.push(socket);
      const target = i % 2 === 0 ? "/tail?last=1000" : "/export";
      await socket.send(rawRequest(`GET ${target} HTTP/1.1`, ["Host: 127.0.0.1"]));
    }
    await until(
      async () => /"open": 100,/.test((await read(collector, "/stats")).text),
      "100 tails",
    );
    await sending.more(3000);
    deepEqual(refusal(await read(collector, "/tail")), [503, "too-many-tails"]);
    deepEqual(refusal(await read(collector, "/export")), [503, "overloaded"]);
    const more = memory(collector) - before;
    ok(more < MORE_MEMORY, `it holds ${more} bytes more`);
    equal((await readJson<PageJson>(collector, "/events")).events.length, 100);
  } finally {
    for (const socket of sockets) socket[Symbol.dispose]();
  }
  await untilRoom(collector);
  await until(async () => /"open": 0,/.test((await read(collector, "/stats")).text), "no tails");
  await assertTaken(sending, path);
  equal(await collector.stop(), 0);
});

Deno.test("a tail that does not read 1 MiB is given up, and counted; others go on (B97)", async () => {
  await using collector = await CollectorProcess.start();
  using deaf = await RawSocket.connect(collector.url);
  await deaf.send(rawRequest("GET /tail HTTP/1.1", ["Host: 127.0.0.1"]));
  await until(async () => /"open": 1,/.test((await read(collector, "/stats")).text), "the tail");
  const body = new Blob([Array(200).fill(event("x".repeat(4000))).join("\n")]);
  for (let i = 0; i < 900; i++) {
    equal((await collector.post("/events", body, { ...LINES })).status, 202);
    if (/"dropped": 1\b/.test((await read(collector, "/stats")).text)) break;
    await sleep(50); // a look at the tail passes over what is more than 1 MiB
  }
  const { tails } = await collector.until(() => true);
  deepEqual(tails, { open: 0, dropped: 1 } as unknown);
});

Deno.test("a client that breaks off an export leaves nothing behind, 50 times", async () => {
  await using folder = new TempFolder();
  await growDatabase(folder.path, COUNT);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  for (let i = 0; i < 50; i++) {
    await untilRoom(collector);
    const format = ["ndjson", "csv", "parquet"][i % 3];
    const end = new AbortController();
    const response = await fetch(`${collector.url}/export?format=${format}`, {
      signal: end.signal,
    });
    equal(response.status, 200, `export ${i + 1}`);
    const reader = response.body?.getReader();
    await reader?.read();
    end.abort();
    await reader?.cancel().catch(() => {});
  }
  await untilRoom(collector);
  for (let i = 0; i < 10; i++) { // before there is anything to be sent
    const signal = AbortSignal.timeout(20);
    await fetch(`${collector.url}/export?where[n]=-1`, { signal })
      .then((response) => response.body?.cancel(), () => {});
  }
  await untilRoom(collector);
  const open = await openExports(collector);
  deepEqual(refusal(await read(collector, "/export")), [503, "overloaded"]);
  for (const end of open) end.abort();
  await untilRoom(collector);
  const whole = await read(collector, "/export");
  equal(whole.text.match(/\n/g)?.length, COUNT);
});

Deno.test("300 queries at once: each is answered or refused, short ones among them, and events are taken", async () => {
  await using folder = new TempFolder();
  const path = await growDatabase(folder.path, COUNT);
  await using collector = await CollectorProcess.start({
    folder: folder.path,
    args: ["--query-timeout-ms", "1000"],
  });
  await using sending = sender(collector);
  await sending.more(10);
  const long = (i: number) => read(collector, `/events?where[n]=${-1 - i}`);
  const some = Array.from({ length: 150 }, (_, i) => long(i));
  const short = await Promise.all([1, 2, 3].map((id) => read(collector, `/events/${id}`)));
  deepEqual(short.map(({ status }) => status), [200, 200, 200]);
  for (const { status, text } of await Promise.all(some)) {
    equal(status, 200, text);
    deepEqual(JSON.parse(text).events, []);
  }
  const many = await Promise.all(Array.from({ length: 300 }, (_, i) => long(i)));
  const refused = many.filter(({ status }) => status !== 200);
  for (const answer of refused) {
    deepEqual(refusal(answer), [503, "overloaded"]);
    ok(Number(answer.headers.get("retry-after")) > 0);
  }
  ok(refused.length > 0 && refused.length <= 150, `${refused.length} were refused`);
  equal((await read(collector, "/events/1")).status, 200);
  await assertTaken(sending, path);
});
