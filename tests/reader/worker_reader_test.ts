import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { ALL_EVENTS } from "../../lib/query.ts";
import type { ReaderFailure } from "../../lib/reader.ts";
import { indexPath } from "../../lib/reader/open_source.ts";
import { WorkerReader, type WorkerReaderOptions } from "../../lib/reader/worker_reader.ts";
import { FAULTS } from "../fakes/faulty_reader.ts";
import { FakeTime } from "../fakes/fake_time.ts";
import { BEGIN_MS, Blocks, change, EVENTS } from "./blocks.ts";

const FAULTY = import.meta.resolve("../fakes/faulty_reader.ts");
const SLOW = import.meta.resolve("../fakes/slow_reader.ts");
const RARE = [40009, 80018, 120027, 160036, 200045];
const PAGE = {
  filter: { ...ALL_EVENTS, type: "rare" },
  order: "asc",
  after: null,
  limit: 10,
} as const;
const EXPORT = { filter: ALL_EVENTS, afterId: 0, format: "ndjson" } as const;

function unexpected(reason: string): never {
  throw new Error(`unexpected: ${reason}`);
}

/** A reader of a database; its Worker must not end by itself. */
function readerOf(path: string, more: Partial<WorkerReaderOptions> = {}) {
  const options = { path, indexing: "off", budgetMs: 20_000, onGone: unexpected } as const;
  const reader = new WorkerReader({ ...options, ...more });
  return Object.assign(reader, { [Symbol.asyncDispose]: () => reader.close() });
}

/** The answer, which must be one. */
async function answered<Answer>(answer: Promise<Answer | ReaderFailure>): Promise<Answer> {
  const found = await answer;
  if (typeof found === "string") throw new Error(`no answer: ${found}`);
  return found as Answer;
}

async function rareIds(reader: WorkerReader): Promise<number[]> {
  const { events } = await answered(reader.page(PAGE));
  return events.map((json) => JSON.parse(json).id);
}

async function indexed(reader: WorkerReader): Promise<void> {
  while ((await answered(reader.state())).indexedBlocks < 3) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("every question has its answer, while the Worker still loads too", async () => {
  using blocks = new Blocks();
  await using reader = readerOf(blocks.path, { workerUrl: SLOW });
  const filter = { ...ALL_EVENTS, from: BEGIN_MS, to: BEGIN_MS + 86_400_000 * 2 };
  const [event, page, series, top, tail, state] = await Promise.all([
    answered(reader.event(7)),
    rareIds(reader),
    answered(reader.series({ filter, intervalMs: 86_400_000, by: null, limit: 1 })),
    answered(reader.top({ filter: ALL_EVENTS, by: "source", limit: 1 })),
    answered(
      reader.tail({
        filter: ALL_EVENTS,
        afterId: EVENTS - 2,
        throughId: null,
        database: null,
        limit: 5,
      }),
    ),
    answered(reader.state()),
  ]);
  equal(JSON.parse(event.json ?? "").id, 7);
  deepEqual(page, RARE);
  equal(series.lines[0]?.counts.reduce((a, b) => a + b), EVENTS);
  deepEqual(top.values[0]?.value, "native");
  deepEqual(tail.events.map(({ id }) => id), [EVENTS - 1, EVENTS]);
  const { database } = tail;
  deepEqual(state, { ...state, lastId: EVENTS, database, indexedBlocks: 0 });
});

Deno.test("an export is the whole database, in parts, and goes on after an id", async () => {
  using blocks = new Blocks();
  await using reader = readerOf(blocks.path);
  const decoder = new TextDecoder();
  let text = "", parts = 0, last = false;
  for await (const { bytes, isLast } of reader.export({ ...EXPORT, afterId: EVENTS - 20_000 })) {
    ok(!last && bytes.length < 600_000);
    text += decoder.decode(bytes);
    last = isLast;
    parts++;
  }
  const ids = text.trimEnd().split("\n").map((line) => JSON.parse(line).id);
  deepEqual(ids, Array.from({ length: 20_000 }, (_, i) => EVENTS - 20_000 + 1 + i));
  ok(last && parts > 5);
});

for (const fault of ["throw", "reject"] as const) {
  Deno.test(`a Worker that is gone (${fault}) is started again by the next question`, async () => {
    using blocks = new Blocks();
    const gone: string[] = [];
    const onGone = (reason: string) => void gone.push(reason);
    await using reader = readerOf(blocks.path, { workerUrl: FAULTY, onGone });
    const events = reader.export(EXPORT);
    await events.next();
    const waiting = [reader.event(FAULTS[fault]), reader.event(1)];
    equal(await waiting[0], "unreadable");
    await waiting[1];
    equal(gone.length, 1);
    ok(gone[0]?.includes("planted in the reader"));
    await rejects(events.next(), /^Error: the export broke off/);
    deepEqual(await rareIds(reader), RARE);
    equal(reader.restarts, 1);
  });
}

Deno.test("a question without an answer is given up after its time, others go on", async () => {
  using blocks = new Blocks();
  await using reader = readerOf(blocks.path, { workerUrl: FAULTY });
  await rareIds(reader);
  using time = new FakeTime();
  const silent = reader.event(FAULTS.silence);
  await time.tick(50_001);
  equal(await silent, "unreadable");
  deepEqual(await rareIds(reader), RARE);
  equal(time.timers, 0);
});

Deno.test("what is asked beyond 200 questions at once is refused, the others are answered", async () => {
  using blocks = new Blocks();
  await using reader = readerOf(blocks.path);
  const answers = await Promise.all(Array.from({ length: 230 }, () => reader.event(1)));
  equal(answers.filter((answer) => answer === "overloaded").length, 30);
  equal(answers.filter((answer) => typeof answer === "object").length, 200);
});

Deno.test("the end leaves nothing: questions are answered, exports break off", async () => {
  using blocks = new Blocks();
  const reader = readerOf(blocks.path);
  const events = reader.export(EXPORT);
  await events.next();
  const page = reader.page({
    ...PAGE,
    filter: { ...PAGE.filter, where: [{ path: ["x"], value: "y" }] },
  });
  await reader.close();
  ok(["object", "string"].includes(typeof await page));
  await rejects(events.next(), /broke off/);
  equal(await reader.state(), "unreadable");
  await rejects(reader.export(EXPORT).next(), /can not be read/);
  await reader.close();
  equal(reader.restarts, 0);
});

Deno.test("a database that is not there yet is unreadable until it is", async () => {
  using blocks = new Blocks();
  const path = `${blocks.folder}/later.db`;
  await using reader = readerOf(path, { indexing: "on" });
  equal(await reader.page(PAGE), "unreadable");
  equal(await reader.state(), "unreadable");
  await rejects(reader.export(EXPORT).next(), /unable to open/);
  Deno.renameSync(blocks.path, path);
  deepEqual(await rareIds(reader), RARE);
});

Deno.test("an index that is damaged while it is used costs no answer, and is built again", async () => {
  using blocks = new Blocks({ index: "built" });
  await using reader = readerOf(blocks.path, { indexing: "on" });
  deepEqual(await rareIds(reader), RARE);
  change(indexPath(blocks.path), "UPDATE buckets SET entries = zeroblob(length(entries))");
  deepEqual(await rareIds(reader), RARE);
  await indexed(reader);
  deepEqual(await rareIds(reader), RARE);
});

Deno.test("an export does not go on in another database", async () => {
  using blocks = new Blocks();
  using others = new Blocks(); // of the same seed, as a run gives it to a new one
  await using reader = readerOf(blocks.path);
  const events = reader.export(EXPORT);
  await events.next();
  Deno.renameSync(others.path, blocks.path);
  await rejects(async () => {
    for await (const _part of events) await new Promise((resolve) => setTimeout(resolve, 20));
  }, /the database is another one/);
  deepEqual(await rareIds(reader), RARE);
});
