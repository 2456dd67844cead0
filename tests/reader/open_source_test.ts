import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { ALL_EVENTS, type EventFilter } from "../../lib/query.ts";
import { BLOCK_EVENTS } from "../../lib/reader/block.ts";
import { countTop } from "../../lib/reader/counting.ts";
import { findPage } from "../../lib/reader/finding.ts";
import { indexPath, type OpenSource } from "../../lib/reader/open_source.ts";
import { FakeTime } from "../fakes/fake_time.ts";
import { allRows, append, Blocks, change, index, meets, removeThrough } from "./blocks.ts";

const LOOK_MS = 1000;

function idsOf(source: OpenSource, filter: EventFilter): number[] {
  const page = findPage(source.get(), { filter, order: "asc", after: null, limit: 1000 });
  while (!page.isDone) page.step();
  return page.result().events.map((json) => JSON.parse(json).id);
}

function countsOf(source: OpenSource): Map<string | null, number> {
  const top = countTop(source.get(), { filter: ALL_EVENTS, by: "type", limit: 100 });
  while (!top.isDone) top.step();
  return new Map(top.result().values.map(({ value, count }) => [value, count]));
}

/** Compares look-ups and counts with all that is in the database. */
function answersRight(source: OpenSource, path: string): void {
  const rows = allRows(path);
  for (const change of [{ type: "rare" }, { userId: "u7" }, { eventId: "e150001" }]) {
    const filter = { ...ALL_EVENTS, ...change };
    deepEqual(idsOf(source, filter), rows.filter((row) => meets(row, filter)).map(({ id }) => id));
  }
  const counts = new Map<string | null, number>();
  for (const { type } of rows) counts.set(type, (counts.get(type) ?? 0) + 1);
  for (const [type, count] of countsOf(source)) equal(count, counts.get(type), String(type));
}

/** What it was at the end of its second block, grown since in another way. */
function olderCopy(blocks: Blocks): string {
  const path = blocks.copy("older");
  change(path, `DELETE FROM events WHERE id > ${2 * BLOCK_EVENTS - 100}`);
  append(path, BLOCK_EVENTS + 5000);
  change(
    path,
    `UPDATE events SET received_at = received_at + 7,
       type = CASE WHEN id % 1000 = 0 THEN 'rare' ELSE type END,
       actor = CASE WHEN id % 1000 = 0 THEN 'u7' ELSE actor END
     WHERE id > ${2 * BLOCK_EVENTS - 100}`,
  );
  return path;
}

Deno.test("of an older copy that grew in another way the blocks that are others are forgotten", () => {
  using blocks = new Blocks({ index: "built" });
  const older = olderCopy(blocks);
  for (const indexing of ["off", "on"] as const) {
    if (indexing === "off") Deno.copyFileSync(older, `${blocks.folder}/kept.db`);
    using time = new FakeTime();
    const source = blocks.open(blocks.path, indexing);
    deepEqual(source.get().index?.blocks, [0, 1, 2]);
    Deno.renameSync(blocks.path, `${blocks.folder}/away.db`);
    Deno.renameSync(older, blocks.path);
    time.nowMs += LOOK_MS + 1;
    deepEqual(source.get().index?.blocks, [0]);
    index(source);
    answersRight(source, blocks.path);
    source.close();
    Deno.renameSync(`${blocks.folder}/away.db`, blocks.path);
    if (indexing === "off") Deno.renameSync(`${blocks.folder}/kept.db`, older);
  }
});

Deno.test("the index of another database at the path is begun anew", () => {
  using blocks = new Blocks({ index: "built" });
  using others = new Blocks();
  change(others.path, "UPDATE fingerprint_seed SET seed = randomblob(16)");
  change(others.path, "UPDATE events SET type = 'rare' WHERE id % 30000 = 0");
  Deno.renameSync(others.path, blocks.path);
  const reading = blocks.open(blocks.path, "off");
  equal(reading.get().index, null);
  match(String(reading.indexError), /another database/);
  answersRight(reading, blocks.path);
  const source = blocks.open(blocks.path, "on");
  deepEqual(source.get().index?.blocks, []);
  index(source);
  deepEqual(source.get().index?.blocks, [0, 1, 2]);
  answersRight(source, blocks.path);
});

Deno.test("a database that is not there yet, is moved and comes back, is read while it is there", () => {
  using blocks = new Blocks();
  using time = new FakeTime();
  const path = `${blocks.folder}/later.db`;
  const source = blocks.open(path, "on");
  throws(() => source.get(), /unable to open/);
  throws(() => source.indexSome(), /unable to open/);
  Deno.writeFileSync(path, new Uint8Array());
  throws(() => source.get(), /fingerprint_seed/);
  Deno.renameSync(blocks.path, path);
  index(source);
  answersRight(source, path);
  Deno.renameSync(path, blocks.path);
  time.nowMs += LOOK_MS + 1;
  throws(() => source.get(), /unable to open/);
  Deno.renameSync(blocks.path, path);
  answersRight(source, path);
  deepEqual(source.get().index?.blocks, [0, 1, 2]);
});

Deno.test("a database of the same run at the same path is told from the one before, which is known again", () => {
  using blocks = new Blocks();
  using time = new FakeTime();
  const source = blocks.open(blocks.path, "off");
  const name = () => {
    time.nowMs += LOOK_MS + 1;
    return source.get().database;
  };
  const first = name(), copy = blocks.copy("copy");
  Deno.renameSync(blocks.path, `${blocks.folder}/away.db`);
  Deno.renameSync(copy, blocks.path);
  const second = name();
  notEqual(second, first);
  equal(name(), second);
  Deno.renameSync(`${blocks.folder}/away.db`, blocks.path);
  equal(name(), first);
});

Deno.test("of events that were removed the index keeps nothing", () => {
  using blocks = new Blocks({ index: "built" });
  const source = blocks.open(blocks.path, "on");
  removeThrough(blocks.path, BLOCK_EVENTS + 1);
  index(source);
  deepEqual(source.get().index?.blocks, [1, 2]);
  answersRight(source, blocks.path);
  removeThrough(blocks.path, 3 * BLOCK_EVENTS + 1);
  index(source);
  deepEqual(source.get().index?.blocks, []);
  answersRight(source, blocks.path);
});

function startIndexing(path: string) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", import.meta.resolve("./indexing.ts"), path],
    stdout: "piped",
    stderr: "inherit",
  });
  return command.spawn();
}

async function began(stdout: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  match(new TextDecoder().decode((await stdout.read()).value), /^begun/);
}

Deno.test("two processes that index one database do not harm each other", async () => {
  using blocks = new Blocks();
  const both = [startIndexing(blocks.path), startIndexing(blocks.path)];
  for (const output of await Promise.all(both.map((each) => each.output()))) {
    match(new TextDecoder().decode(output.stdout), /\[0,1,2\]$/);
  }
  const source = blocks.open(blocks.path, "on");
  deepEqual(source.get().index?.blocks, [0, 1, 2]);
  answersRight(source, blocks.path);
});

Deno.test("what is killed while it indexes leaves an index that can be gone on with", async () => {
  using blocks = new Blocks();
  for (const delayMs of [0, 150]) {
    const child = startIndexing(blocks.path);
    const stdout = child.stdout.getReader();
    await began(stdout);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill("SIGKILL");
    await Promise.all([child.status, stdout.cancel()]);
    const source = blocks.open(blocks.path, "on");
    source.get();
    equal(source.indexError, null);
    answersRight(source, blocks.path);
    source.close();
  }
  const source = blocks.open(blocks.path, "on");
  index(source);
  answersRight(source, blocks.path);
  equal(Deno.statSync(indexPath(blocks.path)).isFile, true);
});
