import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { eventsWorthWaiting } from "../lib/writer.ts";
import { FakeTime, turn } from "./fakes/fake_time.ts";
import type { Fault } from "./fakes/memory_store.ts";
import { rawText, submission } from "./fakes/submissions.ts";
import { counts, rejectIds, runToEnd, setUp, storedIds } from "./fakes/writing.ts";

Deno.test("everything accepted is committed once and in order, and its room is given back", async () => {
  const writing = setUp({ submissions: [submission([1, 2]), submission([3])] });
  const { channel, store, writer } = writing;
  await runToEnd(writing);
  deepEqual(storedIds(store), [1, 2, 3]);
  deepEqual(store.rows.map(({ metadata }) => metadata), [1, 2, 3].map(rawText));
  deepEqual(counts(writing), [3]);
  deepEqual([channel.queuedEvents, channel.inFlightEvents, channel.inFlightBytes], [0, 0, 0]);
  equal(writer.batchAgeMs, 0);
});

Deno.test("batch numbers rise by one from 1", async () => {
  const submissions = [1, 2, 3].map((id) => submission([id]));
  const writing = setUp({ submissions, transactionEvents: 1 });
  await runToEnd(writing);
  deepEqual(writing.store.committed, [1, 2, 3]);
});

Deno.test("a batch that fails is written again, the same, until it is committed", async () => {
  const faults: Fault[] = Array(5).fill("fail");
  const writing = setUp({ submissions: [submission([1, 2]), submission([3])], faults });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), [1, 2, 3]);
  equal(writing.store.writes.length, 6);
  for (const batch of writing.store.writes) deepEqual(batch, writing.store.writes[0]);
  deepEqual(writing.failed.map(({ attempt }) => attempt), [1, 2, 3, 4, 5]);
  deepEqual(writing.failed.map(({ reason }) => reason), Array(5).fill("scripted"));
});

Deno.test("a batch that failed only since the one before it did is no failure of its own", async () => {
  const submissions = [1, 2].map((id) => submission([id]));
  const writing = setUp({ submissions, faults: ["fail"], transactionEvents: 1 });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), [1, 2]);
  deepEqual(writing.failed.map(({ reason }) => reason), ["scripted"]);
});

Deno.test("the pause between attempts doubles up to its limit, jittered by at most half", async () => {
  const faults: Fault[] = Array(40).fill("fail");
  using time = new FakeTime();
  const retryMs = { min: 10, max: 1000 };
  const writing = setUp({ submissions: [submission([1])], faults, retryMs });
  const running = runToEnd(writing);
  await turn();
  for (let attempt = 1; attempt <= 40; attempt++) {
    const ceiling = Math.min(1000, 10 * 2 ** (attempt - 1));
    const last = writing.failed.at(-1);
    ok(last);
    equal(last.attempt, attempt);
    ok(last.retryInMs >= ceiling / 2 && last.retryInMs <= ceiling, JSON.stringify(last));
    equal(writing.store.writes.length, attempt, "tried again without a pause");
    const pausedMs = await time.runNext();
    ok(Math.abs(pausedMs - last.retryInMs) < 1e-6, `paused ${pausedMs}, told ${last.retryInMs}`);
    equal(writing.store.writes.length, attempt + 1, "not tried again after the pause");
  }
  await running;
  deepEqual(storedIds(writing.store), [1]);
  equal(new Set(writing.failed.slice(10).map(({ retryInMs }) => retryInMs)).size, 30, "no jitter");
});

Deno.test("the age of a batch and the time it took include its failed attempts", async () => {
  using time = new FakeTime();
  const retryMs = { min: 1000, max: 1000 };
  const writing = setUp({ submissions: [submission([1])], faults: ["fail", "fail"], retryMs });
  const { writer, failed, stored } = writing;
  equal(writer.batchAgeMs, 0);
  const running = runToEnd(writing);
  await time.tick(400); // the first pause is 500 to 1000 ms
  equal(writer.batchAgeMs, 400);
  await time.tick(2000);
  await running;
  equal(writer.batchAgeMs, 0);
  const pauses = failed.reduce((sum, { retryInMs }) => sum + retryInMs, 0);
  ok(Math.abs((stored[0]?.ms ?? 0) - pauses) < 0.01, `${stored[0]?.ms} for ${pauses}`);
});

Deno.test("a commit whose answer got lost does not double its rows", async () => {
  const faults: Fault[] = ["in-doubt", "in-doubt", "fail"];
  const writing = setUp({ submissions: [submission([1, 2])], faults, reject: rejectIds(2) });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), [1]);
  equal(writing.store.deadLetters.length, 1);
  deepEqual(counts(writing), [2]);
});

Deno.test("a row that can never be stored is kept with its raw text, reason, time and source", async () => {
  const submissions = [
    submission([1, 2], "a", 100),
    submission([3], "b", 200),
    submission([4, 5, 6]),
  ];
  const writing = setUp({ submissions, reject: rejectIds(2, 3, 6) });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), [1, 4, 5]);
  deepEqual(writing.store.deadLetters, [
    {
      receivedAt: 100,
      source: "a",
      protocol: "test",
      reason: "no 2",
      raw: rawText(2),
      isDecoded: true,
      index: 1,
    },
    {
      receivedAt: 200,
      source: "b",
      protocol: "test",
      reason: "no 3",
      raw: rawText(3),
      isDecoded: true,
      index: 2,
    },
    {
      receivedAt: 7,
      source: "test",
      protocol: "test",
      reason: "no 6",
      raw: rawText(6),
      isDecoded: true,
      index: 5,
    },
  ]);
  deepEqual(counts(writing), [6]);
  deepEqual(writing.failed, [], "a rejected row is not a failed attempt");
  equal(writing.channel.inFlightEvents, 0);
});

Deno.test("rows that are rejected one write after the other all become dead letters", async () => {
  const writing = setUp({
    submissions: [submission([1, 2, 3, 4])],
    reject: rejectIds(1, 3, 4),
    rejectedMax: 1,
    faults: ["none", "fail", "none", "in-doubt"],
  });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), [2]);
  deepEqual(writing.store.deadLetters.map(({ raw }) => raw), [4, 3, 1].map(rawText));
});

Deno.test("a batch of which no row can be stored is committed with dead letters only", async () => {
  const writing = setUp({ submissions: [submission([1, 2])], reject: () => "never" });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), []);
  deepEqual(writing.store.deadLetters.map(({ raw }) => raw), [1, 2].map(rawText));
});

Deno.test("what arrives during a commit becomes one next batch", async () => {
  let sent = 1;
  const writing = setUp({
    submissions: [submission([1])],
    during: () => {
      if (sent > 1) return writing.channel.close();
      while (sent < 6) equal(writing.channel.trySend(submission([++sent])), "sent");
    },
  });
  await writing.writer.run(writing.signal);
  deepEqual(writing.store.writes.map(({ events }) => events), [1, 5]);
  deepEqual(storedIds(writing.store), [1, 2, 3, 4, 5, 6]);
});

Deno.test("a transaction takes at most transactionEvents, never part of a submission", async () => {
  const submissions = [[1, 2], [3, 4], [5], [6, 7, 8, 9, 10, 11], [12]].map((ids) =>
    submission(ids)
  );
  const writing = setUp({ submissions, transactionEvents: 4 });
  await runToEnd(writing);
  deepEqual(writing.store.writes.map(({ events }) => events), [4, 1, 6, 1]);
});

Deno.test("a transaction takes at most transactionBytes", async () => {
  const submissions = [1, 2, 3].map((id) => submission([id]));
  const transactionBytes = (submissions[0]?.bytes ?? 0) * 2;
  const writing = setUp({ submissions, transactionBytes });
  await runToEnd(writing);
  deepEqual(writing.store.writes.map(({ events }) => events), [2, 1]);
});

Deno.test("on a quiet queue a batch waits lingerMs for batchSize events", async () => {
  using time = new FakeTime();
  const writing = setUp({ batchSize: 3, lingerMs: 50 });
  const { channel, store } = writing;
  const running = writing.writer.run(writing.signal);
  channel.trySend(submission([1]));
  await time.tick(49);
  equal(store.writes.length, 0);
  await time.tick(1);
  deepEqual(storedIds(store), [1]);
  channel.trySend(submission([2, 3, 4]));
  await turn();
  deepEqual(storedIds(store), [1, 2, 3, 4]);
  channel.close();
  await running;
});

Deno.test("an abort ends the wait for events with its reason", async () => {
  const writing = setUp();
  const running = writing.writer.run(writing.signal);
  await turn();
  writing.abort.abort(new Error("enough"));
  await rejects(running, /enough/);
  equal(writing.store.writes.length, 0);
});

Deno.test("an abort ends the pause before a retry, and what was not stored stays in flight", async () => {
  using time = new FakeTime();
  const faults: Fault[] = ["fail"];
  const retryMs = { min: 1e6, max: 1e6 };
  const writing = setUp({ submissions: [submission([1])], faults, retryMs });
  const running = writing.writer.run(writing.signal);
  await turn();
  equal(writing.failed.length, 1);
  writing.abort.abort(new Error("enough"));
  await rejects(running, /enough/);
  deepEqual([writing.store.writes.length, writing.channel.inFlightEvents, time.timers], [1, 1, 0]);
});

Deno.test("an abort during a write still counts what that write committed", async () => {
  const submissions = [submission([1]), submission([2])];
  const writing = setUp({
    submissions,
    transactionEvents: 1,
    during: () => writing.abort.abort(new Error("enough")),
  });
  await rejects(writing.writer.run(writing.signal), /enough/);
  deepEqual(storedIds(writing.store), [1]);
  deepEqual(counts(writing), [1]);
  deepEqual([writing.channel.queuedEvents, writing.channel.inFlightEvents], [1, 0]);
});

Deno.test("a batch that is journaled gives its room back and is told as such", async () => {
  const faults: Fault[] = ["fail", "fail", "journal"];
  const submissions = [submission([1, 2]), submission([3])];
  const writing = setUp({ submissions, faults, transactionEvents: 2 });
  await runToEnd(writing);
  deepEqual(writing.stored.map(({ level }) => level), ["journaled", "journaled"]);
  deepEqual(counts(writing), [2, 1]);
  deepEqual([writing.channel.inFlightEvents, writing.channel.inFlightBytes], [0, 0]);
  deepEqual([storedIds(writing.store), writing.store.journal.length], [[], 2]);
});

Deno.test("a journaled batch has no dead letters yet, though rows of it were set aside before", async () => {
  const faults: Fault[] = ["none", "journal"];
  const writing = setUp({ submissions: [submission([1, 2])], faults, reject: rejectIds(2) });
  const { store } = writing;
  await runToEnd(writing);
  deepEqual(writing.stored.map(({ level, events }) => [level, events]), [["journaled", 2]]);
  deepEqual([store.state.deadLettered, store.state.journaled], [0, 2]);
  store.drain();
  deepEqual([storedIds(store), store.deadLetters.length], [[1], 1]);
});

Deno.test("a batch that went to the journal and was said to have failed is stored once", async () => {
  const faults: Fault[] = ["journal", "in-doubt", "fail"];
  const submissions = [submission([1]), submission([2, 3])];
  const writing = setUp({ submissions, faults, transactionEvents: 2 });
  await runToEnd(writing);
  deepEqual(writing.stored.map(({ level, events }) => [level, events]), [
    ["journaled", 1],
    ["journaled", 2],
  ]);
  writing.store.drain();
  deepEqual(storedIds(writing.store), [1, 2, 3]);
});

Deno.test("batchSize load waits for most of the events that were there when the last was stored", async () => {
  using time = new FakeTime();
  const writing = setUp({ batchSize: "load", lingerMs: 50 });
  const { channel, store } = writing;
  const running = writing.writer.run(writing.signal);
  const written = () => store.writes.map(({ events }) => events);
  const send = async (id: number, events: number) => {
    channel.trySend(submission(Array.from({ length: events }, (_, i) => id + i)));
    await turn();
  };
  const enough = eventsWorthWaiting(100);
  await send(1, 100); // nothing was there before: one event is enough
  await send(101, 1); // and when the first was taken nothing was stored yet
  await send(201, enough - 1);
  deepEqual(written(), [100, 1]);
  await time.tick(49);
  deepEqual(written(), [100, 1]);
  await send(301, 1);
  deepEqual(written(), [100, 1, enough]);
  await send(401, 100);
  await send(501, 1);
  await send(601, enough - 1);
  await time.tick(50);
  deepEqual(written().reduce((sum, events) => sum + events), 202 + 2 * enough - 1);
  equal(time.timers, 0, "it waited for longer than the linger");
  channel.close();
  await running;
});

Deno.test("a batch waits for at least half and never for more than were there", () => {
  for (let waiting = 1; waiting < 3000; waiting++) {
    const events = eventsWorthWaiting(waiting);
    ok(events >= waiting / 2 && events <= waiting, `${events} of ${waiting}`);
    ok(events <= eventsWorthWaiting(waiting + 1), `${waiting}`);
  }
  equal(eventsWorthWaiting(0), 0);
});

Deno.test("the busy times of batches that overlap do not count a moment twice", async () => {
  using time = new FakeTime();
  const submissions = [1, 2, 3].map((id) => submission([id]));
  const writing = setUp({
    submissions,
    transactionEvents: 1,
    during: () => new Promise((resolve) => setTimeout(resolve, 100)),
  });
  const running = runToEnd(writing);
  await time.tick(300);
  await running;
  deepEqual(writing.stored.map(({ ms, busyMs }) => [ms, busyMs]), [[100, 100], [200, 100], [
    200,
    100,
  ]]);
});
