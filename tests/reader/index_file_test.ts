import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { ALL_EVENTS } from "../../lib/query.ts";
import type { EventSource } from "../../lib/reader/event_source.ts";
import { countTop } from "../../lib/reader/counting.ts";
import { findPage } from "../../lib/reader/finding.ts";
import { indexPath, type OpenSource } from "../../lib/reader/open_source.ts";
import { Blocks, change, EVENTS, index } from "./blocks.ts";

const RARE = [1, 2, 3, 4, 5].map((n) => n * 40009).filter((n) => n <= EVENTS);

function rare(source: EventSource): number[] {
  const filter = { ...ALL_EVENTS, type: "rare" };
  const page = findPage(source, { filter, order: "asc", after: null, limit: 1000 });
  while (!page.isDone) page.step();
  return page.result().events.map((json) => JSON.parse(json).id);
}

function counted(source: EventSource): number {
  const top = countTop(source, { filter: ALL_EVENTS, by: "type", limit: 100 });
  while (!top.isDone) top.step();
  const { values, others } = top.result();
  return values.reduce((sum, { count }) => sum + count, others);
}

/** Asks as the Worker does: what failed once is opened anew. */
function ask<Answer>(source: OpenSource, question: (from: EventSource) => Answer): Answer {
  try {
    return question(source.get());
  } catch (error) {
    source.failed(error);
    return question(source.get());
  }
}

function answersRight(source: OpenSource): void {
  deepEqual(ask(source, rare), RARE);
  equal(ask(source, counted), EVENTS);
}

/** The index as one file. */
function indexOf(blocks: Blocks): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(indexPath(blocks.path));
}

Deno.test("an index with damage anywhere is thrown away, and answers stay right", () => {
  using blocks = new Blocks({ index: "built" });
  const good = indexOf(blocks);
  let thrownAway = 0;
  for (let run = 0; run < 12; run++) {
    const bytes = good.slice();
    const somewhere = Math.random() * bytes.length / (run % 3 === 0 ? 200 : 1);
    const at = run === 0 ? 0 : Math.floor(somewhere); // once where it can not be overlooked
    crypto.getRandomValues(bytes.subarray(at, at + 1 + run * 300));
    Deno.writeFileSync(indexPath(blocks.path), bytes);
    const source = blocks.open(blocks.path, "on");
    answersRight(source);
    if ((source.get().index?.blocks.length ?? 0) < 3) thrownAway++;
    source.close();
  }
  ok(thrownAway > 0);
});

Deno.test("what SQLite would not notice is noticed too", () => {
  using blocks = new Blocks({ index: "built" });
  const good = indexOf(blocks);
  for (
    const sql of [
      "UPDATE buckets SET entries = zeroblob(length(entries))",
      "DELETE FROM buckets",
      "UPDATE buckets SET entries = x'', sum = 0",
      "UPDATE buckets SET key = -key",
      "UPDATE blocks SET counts = replace(counts, '1', '2')",
      "UPDATE blocks SET mark = replace(mark, '1', '2')",
      "UPDATE blocks SET block = block + 1 WHERE block = 2",
    ]
  ) {
    Deno.writeFileSync(indexPath(blocks.path), good);
    change(indexPath(blocks.path), sql);
    const source = blocks.open(blocks.path, "on");
    answersRight(source);
    deepEqual(source.get().index?.blocks, [], sql);
    source.close();
  }
});

Deno.test("an index that is cut off, empty, no database or of another version is begun anew", () => {
  using blocks = new Blocks({ index: "built" });
  const good = indexOf(blocks);
  const version = good.slice();
  new DataView(version.buffer).setUint32(60, 77);
  const text = new TextEncoder().encode("this is no database\n".repeat(500));
  for (const bytes of [good.slice(0, 100), good.slice(0, good.length / 2), text, version]) {
    Deno.writeFileSync(indexPath(blocks.path), bytes);
    const source = blocks.open(blocks.path, "on");
    answersRight(source);
    source.close();
  }
  Deno.writeFileSync(indexPath(blocks.path), new Uint8Array());
  const source = blocks.open(blocks.path, "on");
  deepEqual(source.get().index?.blocks, []);
  index(source);
  deepEqual(source.get().index?.blocks, [0, 1, 2]);
  answersRight(source);
});

Deno.test("where no index can be made, everything is found without, and the reason is told", () => {
  using blocks = new Blocks();
  Deno.mkdirSync(`${indexPath(blocks.path)}/full`, { recursive: true });
  const source = blocks.open(blocks.path, "on");
  answersRight(source);
  equal(source.get().index, null);
  ok(source.indexError);
  equal(source.indexSome(), false);
});

Deno.test("without indexing an index that is there is used, and never written", () => {
  using blocks = new Blocks({ index: "built" });
  const good = indexOf(blocks);
  const source = blocks.open(blocks.path, "off");
  deepEqual(source.get().index?.blocks, [0, 1, 2]);
  answersRight(source);
  equal(source.indexSome(), false);
  source.close();
  deepEqual(Deno.readFileSync(indexPath(blocks.path)), good);
});
