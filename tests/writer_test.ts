import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { Channel } from "../lib/channel.ts";
import type { EventRow, Submission } from "../lib/event.ts";
import { Writer, type WriterOptions } from "../lib/writer.ts";
import { FakeTime, turn } from "./fakes/fake_time.ts";
import { type Fault, MemoryStore, type MemoryStoreOptions } from "./fakes/memory_store.ts";
import { rawText, submission } from "./fakes/submissions.ts";

interface SetUpOptions extends MemoryStoreOptions, Partial<WriterOptions> {
  readonly submissions?: readonly Submission[];
}

/** A writer between a channel and a store in memory, and what it told. */
function setUp(options: SetUpOptions = {}) {
  const channel = new Channel<Submission>({ capacity: 1e6, capacityBytes: 1e9 });
  for (const each of options.submissions ?? []) equal(channel.trySend(each), "sent");
  const store = new MemoryStore(options);
  const committed: { rows: number; deadLetters: number; ms: number }[] = [];
  const failed: { reason: string; attempt: number; retryInMs: number }[] = [];
  const writer = new Writer(channel, store, {
    batchSize: options.batchSize ?? 1,
    lingerMs: options.lingerMs ?? 0,
    transactionEvents: options.transactionEvents ?? 1000,
    transactionBytes: options.transactionBytes ?? 1e6,
    retryMs: options.retryMs ?? { min: 1, max: 2 },
    events: {
      committed: (done) => committed.push(done),
      failed: (failure) => failed.push(failure),
    },
  });
  const abort = new AbortController();
  return { channel, store, writer, committed, failed, abort, signal: abort.signal };
}

/** Runs the writer until all that was sent is stored. */
async function runToEnd(writing: ReturnType<typeof setUp>, lastBatch = 0): Promise<void> {
  writing.channel.close();
  await writing.writer.run(lastBatch, writing.signal);
}

function storedIds(store: MemoryStore): number[] {
  return store.rows.map(({ userId }) => Number(userId));
}

function rejectIds(...ids: number[]): (row: EventRow) => string | null {
  return ({ userId }) => ids.includes(Number(userId)) ? `no ${userId}` : null;
}

Deno.test("everything accepted is committed once and in order, and its room is given back", async () => {
  const writing = setUp({ submissions: [submission([1, 2]), submission([3])] });
  const { channel, store, committed, writer } = writing;
  await runToEnd(writing);
  deepEqual(storedIds(store), [1, 2, 3]);
  deepEqual(store.rows.map(({ metadata }) => metadata), [1, 2, 3].map(rawText));
  deepEqual(committed.map(({ rows, deadLetters }) => [rows, deadLetters]), [[3, 0]]);
  deepEqual([channel.queuedEvents, channel.inFlightEvents, channel.inFlightBytes], [0, 0, 0]);
  equal(writer.batchAgeMs, 0);
});

Deno.test("batch numbers rise by one from the last batch in the store", async () => {
  const submissions = [1, 2, 3].map((id) => submission([id]));
  const writing = setUp({ submissions, transactionEvents: 1, lastBatch: 41 });
  await runToEnd(writing, 41);
  deepEqual(writing.store.committed, [42, 43, 44]);
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
  const { writer, failed, committed } = writing;
  equal(writer.batchAgeMs, 0);
  const running = runToEnd(writing);
  await time.tick(400); // the first pause is 500 to 1000 ms
  equal(writer.batchAgeMs, 400);
  await time.tick(2000);
  await running;
  equal(writer.batchAgeMs, 0);
  const pauses = failed.reduce((sum, { retryInMs }) => sum + retryInMs, 0);
  ok(Math.abs((committed[0]?.ms ?? 0) - pauses) < 0.01, `${committed[0]?.ms} for ${pauses}`);
});

Deno.test("a commit whose answer got lost does not double its rows", async () => {
  const faults: Fault[] = ["in-doubt", "in-doubt", "fail"];
  const writing = setUp({ submissions: [submission([1, 2])], faults, reject: rejectIds(2) });
  await runToEnd(writing);
  deepEqual(storedIds(writing.store), [1]);
  equal(writing.store.deadLetters.length, 1);
  deepEqual(writing.committed.map(({ rows, deadLetters }) => [rows, deadLetters]), [[1, 1]]);
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
    { receivedAt: 100, source: "a", reason: "no 2", raw: rawText(2) },
    { receivedAt: 200, source: "b", reason: "no 3", raw: rawText(3) },
    { receivedAt: 7, source: "test", reason: "no 6", raw: rawText(6) },
  ]);
  deepEqual(writing.committed.map(({ rows, deadLetters }) => [rows, deadLetters]), [[3, 3]]);
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
  await writing.writer.run(0, writing.signal);
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
  const running = writing.writer.run(0, writing.signal);
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
  const running = writing.writer.run(0, writing.signal);
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
  const running = writing.writer.run(0, writing.signal);
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
  await rejects(writing.writer.run(0, writing.signal), /enough/);
  deepEqual(storedIds(writing.store), [1]);
  deepEqual(writing.committed.map(({ rows }) => rows), [1]);
  deepEqual([writing.channel.queuedEvents, writing.channel.inFlightEvents], [1, 0]);
});

Deno.test("whatever fails, each event is a row once or a dead letter once, in order", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
  const faults = fc.array(fc.constantFrom<Fault>("none", "fail", "in-doubt"), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      sizes,
      faults,
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      fc.integer({ min: 1, max: 12 }),
      async (before, during, faults, rejected, rejectedMax, transactionEvents) => {
        let lastId = 0;
        const submissionOf = (size: number) =>
          submission(Array.from({ length: size }, () => ++lastId));
        const later = during.slice();
        const writing = setUp({
          submissions: before.map(submissionOf),
          faults,
          reject: rejectIds(...rejected),
          ...rejectedMax !== undefined && { rejectedMax },
          transactionEvents,
          retryMs: { min: 0.01, max: 0.1 },
          during: () => {
            const size = later.shift();
            if (size === undefined) writing.channel.close();
            else equal(writing.channel.trySend(submissionOf(size)), "sent");
          },
        });
        if (before.length === 0) writing.channel.close();
        await writing.writer.run(0, writing.signal);

        const { store, committed, channel } = writing;
        const all = Array.from({ length: lastId }, (_, i) => i + 1);
        deepEqual(storedIds(store), all.filter((id) => !rejected.includes(id)));
        const dead = store.deadLetters.map(({ raw }) => JSON.parse(raw).n as number);
        deepEqual(dead.toSorted((a, b) => a - b), all.filter((id) => rejected.includes(id)));
        for (const { raw, reason } of store.deadLetters) equal(`no ${JSON.parse(raw).n}`, reason);
        deepEqual(store.committed, store.committed.map((_, i) => i + 1));
        equal(committed.reduce((sum, done) => sum + done.rows, 0), store.rows.length);
        equal(committed.reduce((sum, done) => sum + done.deadLetters, 0), store.deadLetters.length);
        deepEqual([channel.inFlightEvents, channel.inFlightBytes, channel.queuedEvents], [0, 0, 0]);
      },
    ),
    { numRuns: 150 },
  );
});
