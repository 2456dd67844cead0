/** The journal: it takes the events while the database can not, and gives them on when it can. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { identified, JSON_BODY, LINES, marks, TempFolder } from "./sending.ts";

const LOCK_MS = 4000, CLIENTS = 8, EVENTS_PER_REQUEST = 10;
const SEGMENT = /^events\.db\.journal\.\d+$/;

Deno.test("a lock of 4 s under load: each answer comes at once and is 202, all is stored in order [G5]", async () => {
  await using folder = new TempFolder();
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const lock = await LockHolder.start(collector.database);
  const endMs = performance.now() + LOCK_MS;
  const slowestMs: number[] = [], sent = new Array<number>(CLIENTS).fill(0);
  const client = async (client: number) => {
    while (performance.now() < endMs) {
      const body = Array.from(
        { length: EVENTS_PER_REQUEST },
        (_, i) => event([client, (sent[client] ?? 0) + i]),
      ).join("\n");
      const startMs = performance.now();
      const { status, text } = await collector.post("/events", body, LINES);
      slowestMs[client] = Math.max(slowestMs[client] ?? 0, performance.now() - startMs);
      equal(status, 202, text);
      equal(text, '{"status":"accepted","accepted":10,"stored":"journaled"}');
      sent[client] = (sent[client] ?? 0) + EVENTS_PER_REQUEST;
    }
  };
  await Promise.all(sent.map((_, number) => client(number)));

  const total = sent.reduce((sum, count) => sum + count);
  const ready = await fetch(`${collector.url}/readyz`);
  equal(ready.status, 200, await ready.text());
  const during = await collector.stats();
  deepEqual(
    { journaled: during.journaled, committed: during.committed, residual: during.residual },
    { journaled: total, committed: 0, residual: 0 },
  );
  ok((during.journal_bytes ?? 0) > total * 20, `${during.journal_bytes} bytes of ${total}`);
  await lock[Symbol.asyncDispose]();

  const slowest = Math.max(...slowestMs);
  ok(slowest < LOCK_MS / 2, `an answer took ${slowest} ms: it waited for the database`);
  const stats = await collector.settled();
  deepEqual([stats.committed, stats.residual, stats.journal_bytes], [total, 0, 0]);
  const stored = marks(folder.database) as [client: number, sequence: number][];
  equal(stored.length, total);
  sent.forEach((count, number) => {
    const own = stored.filter(([client]) => client === number).map(([, sequence]) => sequence);
    deepEqual(own, Array.from({ length: count }, (_, i) => i), `client ${number}`);
  });
  match((await collector.post("/event", event("after"))).text, /"committed"/);
  match(collector.output, /can not take events, they go to the journal: .*locked/);
  match(collector.output, /takes events again/);
  equal(await collector.stop(), 0);
  deepEqual(folder.names(SEGMENT), []);
});

Deno.test("a full journal: 503, nothing refused is stored, and it recovers by itself [G13]", async () => {
  const args = ["--journal-bytes", "1048576", "--ack-timeout-ms", "300"];
  await using collector = await CollectorProcess.start({ args });
  const lock = await LockHolder.start(collector.database);
  const sent = {
    acknowledged: [] as unknown[],
    refused: [] as unknown[],
    unknown: [] as unknown[],
  };
  const post = async (mark: number) => {
    const body = new Blob([event([mark, "x".repeat(20_000)])]);
    const { status, headers, text } = await collector.post("/event", body);
    if (status === 202) sent.acknowledged.push(mark);
    else if (status === 500) {
      match(text, /"type":"\/problems\/unconfirmed".*"stored":"unknown","retryable":true/);
      sent.unknown.push(mark);
    } else {
      equal(status, 503, text);
      match(text, /"type":"\/problems\/store-failing".*"stored":"none","retryable":true/);
      ok(Number(headers.get("retry-after")) >= 1);
      sent.refused.push(mark);
    }
  };
  let next = 0;
  while (sent.refused.length < 10) {
    ok(next < 500, "the journal never fills");
    await Promise.all([post(next++), post(next++), post(next++)]);
  }
  ok(sent.acknowledged.length > 30, `${sent.acknowledged.length} of 20 kB fit into 1 MiB`);
  const full = await collector.stats();
  equal(full.residual, 0);
  ok((full.journal_bytes ?? 0) <= 1_048_576);
  match(full.last_commit_error ?? "", /journal has reached its 1048576 B/);
  await lock[Symbol.asyncDispose]();

  await collector.settled();
  const refused = sent.refused.length;
  while (sent.refused.length === refused && next < 600) await post(next++);
  equal(sent.refused.length, refused, "it refuses after the lock is gone");
  const stats = await collector.settled();
  const stored = (marks(collector.database) as [number, string][]).map(([mark]) => mark);
  equal(new Set(stored).size, stored.length, "an event is there twice");
  deepEqual(sent.acknowledged.filter((mark) => !stored.includes(mark as number)), []);
  deepEqual(stored.filter((mark) => sent.refused.includes(mark)), []);
  deepEqual([stats.committed, stats.residual], [stored.length, 0]);
  equal(stats.refused_requests["store-failing"], refused);
  equal(await collector.stop(), 0);
});

/** Has a collector journal events, each a record of its own, and ends it while the lock is held. */
async function journalAndEnd(folder: TempFolder, signal: Deno.Signal): Promise<string> {
  await using collector = await CollectorProcess.start({ folder: folder.path });
  match((await collector.post("/event", event("before"))).text, /"committed"/);
  await using _lock = await LockHolder.start(collector.database);
  for (let i = 0; i < 10; i++) {
    match((await collector.post("/event", event(i))).text, /"journaled"/);
  }
  const code = await collector.stop(signal);
  if (signal === "SIGTERM") equal(code, 0, collector.output);
  deepEqual(folder.names(SEGMENT).length, 1);
  return collector.output;
}

const ALL = ["before", ...Array.from({ length: 10 }, (_, i) => i)];

Deno.test("SIGTERM while the database is locked: exit 0, the next start stores the journal", async () => {
  await using folder = new TempFolder();
  match(await journalAndEnd(folder, "SIGTERM"), /stopped: .*journaled = 10, .*residual = 0/);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  match(collector.output, /10 events were in the journal/);
  const stats = await collector.settled();
  deepEqual(
    { recovered: stats.recovered, committed: stats.committed, accepted: stats.accepted },
    { recovered: 10, committed: 10, accepted: 0 },
  );
  deepEqual([stats.residual, stats.lost_at_most], [0, 0]);
  deepEqual(marks(folder.database), ALL);
  deepEqual(folder.names(SEGMENT), []);
});

Deno.test("kill -9 while the database is locked: the next start stores the journal [G1]", async () => {
  await using folder = new TempFolder();
  await journalAndEnd(folder, "SIGKILL");
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    const { recovered, residual, unclean_runs, lost_at_most } = await collector.settled();
    deepEqual([recovered, residual, unclean_runs, lost_at_most], [10, 0, 1, 0]);
    deepEqual(marks(folder.database), ALL);
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  equal((await collector.settled()).recovered, 0);
  deepEqual(marks(folder.database), ALL);
});

Deno.test("memory: a journal of an earlier run at disk is stored before new events", async () => {
  await using folder = new TempFolder();
  await journalAndEnd(folder, "SIGKILL");
  const args = ["--durability", "memory"];
  await using collector = await CollectorProcess.start({ folder: folder.path, args });
  match((await collector.post("/event", event("new"))).text, /"queued"/);
  equal((await collector.settled()).residual, 0);
  deepEqual(marks(folder.database), [...ALL, "new"]);
});

/** Takes the write lock as soon as it is free: SQLite's own waiting sleeps through short gaps. */
function begin(database: DatabaseSync): void {
  for (const endMs = Date.now() + 10_000;;) {
    try {
      return database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (Date.now() > endMs) throw error;
    }
  }
}

Deno.test("a repeat of what an earlier run left in the journal is not said to be committed", async () => {
  await using folder = new TempFolder();
  const last = identified("last", "last");
  const repeat = (collector: CollectorProcess, more: Record<string, string>) =>
    collector.post("/event", new Blob([last]), { ...JSON_BODY, ...more });
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    await using _lock = await LockHolder.start(collector.database);
    const body = Array.from({ length: 10_000 }, (_, i) => event(i)).join("\n");
    for (let i = 0; i < 45; i++) await collector.post("/events", new Blob([body]), LINES);
    match((await repeat(collector, { "idempotency-key": "k" })).text, /"journaled"/);
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const lock = new DatabaseSync(folder.database); // in the middle of the journal
  lock.exec("PRAGMA wal_autocheckpoint = 0");
  begin(lock);
  ok(((await collector.stats()).journaled ?? 0) > 0, "the journal was applied too soon");
  const byId = await repeat(collector, {});
  equal(byId.text, '{"status":"accepted","stored":"journaled","duplicates":1}');
  const byKey = await repeat(collector, { "idempotency-key": "k" });
  equal(byKey.text, '{"status":"accepted","stored":"journaled"}');
  const waiting = await repeat(collector, { "idempotency-key": "k", prefer: "wait=1" });
  equal(waiting.status, 202, waiting.text);
  lock.exec("ROLLBACK");
  lock.close();
  equal((await repeat(collector, { prefer: "wait=30" })).status, 200);
  equal(marks(folder.database).at(-1), "last");
});

Deno.test("a damaged record costs itself alone, is told, and its file is kept [G10]", async () => {
  await using folder = new TempFolder();
  await journalAndEnd(folder, "SIGKILL");
  const [name = ""] = folder.names(SEGMENT);
  const bytes = Deno.readFileSync(`${folder.path}/${name}`);
  const at = new TextDecoder("latin1").decode(bytes).indexOf('{"m":4}');
  ok(at > 0, "the journal does not hold the event as sent");
  bytes[at + 5] = 0x35; // still JSON: only a checksum tells
  Deno.writeFileSync(`${folder.path}/${name}`, bytes);

  await using collector = await CollectorProcess.start({ folder: folder.path });
  const stats = await collector.settled();
  equal(stats.damaged.journal_files, 1);
  ok(stats.damaged.journal_bytes > 96 && stats.damaged.journal_bytes < 500);
  deepEqual([stats.recovered, stats.committed, stats.residual], [9, 9, 0]);
  deepEqual(marks(folder.database), ALL.filter((mark) => mark !== 4));
  match(collector.output, /1 segments of the journal are damaged, \d+ bytes/);
  deepEqual(folder.names(/\.journal/), [`${name}.damaged`]);
  deepEqual(Deno.readFileSync(`${folder.path}/${name}.damaged`), bytes);
  match((await collector.post("/event", event("after"))).text, /"committed"/);
});
