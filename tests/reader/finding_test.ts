import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { ALL_EVENTS, type EventFilter, type Order } from "../../lib/query.ts";
import { BLOCK_EVENTS } from "../../lib/reader/block.ts";
import type { EventSource } from "../../lib/reader/event_source.ts";
import { findEvent, findPage } from "../../lib/reader/finding.ts";
import { newsOf } from "./news.ts";
import { indexPath } from "../../lib/reader/open_source.ts";
import {
  allRows,
  append,
  Blocks,
  EVENTS,
  index,
  meets,
  removeThrough,
  type Row,
} from "./blocks.ts";
import { anyFilter } from "./filters.ts";

/** As many ids as are compared of one answer. */
const IDS_MAX = 3000;

function idOf(json: string): number {
  return Number(/^\{"id":(\d+),/.exec(json)?.[1]);
}

interface Asked {
  readonly filter: EventFilter;
  readonly order: Order;
  readonly limit: number;
  readonly after: number | null;
}

function onePage(source: EventSource, asked: Asked): { ids: number[]; next: number | null } {
  const page = findPage(source, asked);
  while (!page.isDone) page.step();
  const { events, next, isComplete } = page.result();
  ok(isComplete && events.length <= asked.limit);
  return { ids: events.map(idOf), next };
}

/** The ids of the pages put together. */
function idsFound(source: EventSource, asked: Asked): number[] {
  const ids: number[] = [];
  let after: number | null = asked.after;
  do {
    const page = onePage(source, { ...asked, after });
    ids.push(...page.ids);
    after = page.next;
  } while (after !== null && ids.length < IDS_MAX);
  return ids.slice(0, IDS_MAX);
}

function idsMeant(rows: readonly Row[], { filter, order, after }: Asked): number[] {
  const ids: number[] = [];
  for (let i = 0; i < rows.length && ids.length < IDS_MAX; i++) {
    const row = rows[order === "asc" ? i : rows.length - 1 - i] as Row;
    if (after !== null && (order === "asc" ? row.id <= after : row.id >= after)) continue;
    if (meets(row, filter)) ids.push(row.id);
  }
  return ids;
}

const anyAsked: fc.Arbitrary<Asked> = fc.record({
  filter: anyFilter,
  order: fc.constantFrom<Order>("asc", "desc"),
  limit: fc.constantFrom(1000, 1000, 333, 16),
  after: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: EVENTS + 10 })),
});

Deno.test("pages hold exactly what a filter means, with an index, with a part of one and without", () => {
  using blocks = new Blocks({ index: "built" });
  const partly = blocks.copy("partly"), none = blocks.copy("none");
  for (const path of [blocks.path, partly, none]) removeThrough(path, 20_000);
  const full = blocks.open(blocks.path, "on"), some = blocks.open(partly, "on");
  index(some, 1);
  const without = blocks.open(none, "off");
  deepEqual(full.get().index?.blocks, [0, 1, 2]); // of the first, the oldest events are gone
  deepEqual(some.get().index?.blocks, [2]);
  equal(without.get().index, null);
  const rows = allRows(blocks.path);
  fc.assert(
    fc.property(anyAsked, (asked) => {
      const meant = idsMeant(rows, asked);
      for (const source of [full, some, without]) {
        deepEqual(idsFound(source.get(), asked), meant);
      }
    }),
    { numRuns: 14 },
  );
});

Deno.test("nothing is twice there or missing in pages between which events come and go", () => {
  using blocks = new Blocks({ index: "built" });
  const source = blocks.open(blocks.path, "on");
  let removed = 0;
  for (const order of ["asc", "desc"] as const) {
    const asked = { filter: { ...ALL_EVENTS, type: "type1" }, order, limit: 1000 };
    const before = allRows(blocks.path);
    const ids: number[] = [];
    let after: number | null = null;
    do {
      const page: ReturnType<typeof onePage> = onePage(source.get(), { ...asked, after });
      ids.push(...page.ids);
      after = page.next;
      append(blocks.path, 3000);
      removeThrough(blocks.path, removed += 2000);
      source.indexSome();
    } while (after !== null);
    deepEqual(ids, [...new Set(ids)].sort((a, b) => order === "asc" ? a - b : b - a));
    const now = new Set(allRows(blocks.path).map(({ id }) => id));
    const stayed = before.filter((row) => now.has(row.id) && meets(row, asked.filter));
    deepEqual(stayed.filter(({ id }) => !ids.includes(id)), []);
  }
});

Deno.test("a tail is told each event that is meant once, and how many ids it was not told", () => {
  using blocks = new Blocks({ index: "built" });
  const source = blocks.open(blocks.path, "on");
  const rows = allRows(blocks.path);
  fc.assert(
    fc.property(
      anyFilter,
      fc.oneof(
        fc.integer({ min: EVENTS - 2000, max: EVENTS }),
        fc.integer({ min: 0, max: EVENTS }),
      ),
      fc.constantFrom(null, EVENTS - 700, EVENTS),
      fc.constantFrom(1, 250, 1000),
      (filter, afterId, through, limit) => {
        fc.pre(through === null || through >= afterId);
        const query = { filter, afterId, throughId: through, limit, database: null };
        const { events, skipped, throughId } = newsOf(source.get(), query);
        equal(throughId, through ?? EVENTS);
        ok(events.length <= limit && events.every(({ id, json }) => idOf(json) === id));
        const meant = rows.filter((row) =>
          row.id > afterId + skipped && row.id <= throughId && meets(row, filter)
        );
        deepEqual(events.map(({ id }) => id), meant.map(({ id }) => id));
      },
    ),
    { numRuns: 8 },
  );
});

Deno.test("a tail that is ahead of the database, as after it was replaced, begins with that", () => {
  using blocks = new Blocks();
  const source = blocks.open(blocks.path, "off").get();
  const query = {
    filter: ALL_EVENTS,
    afterId: EVENTS + 5000,
    throughId: null,
    database: null,
    limit: 250,
  };
  deepEqual(newsOf(source, query), newsOf(source, { ...query, afterId: 0 }));
  deepEqual(newsOf(source, { ...query, afterId: EVENTS }), {
    events: [],
    skipped: 0,
    throughId: EVENTS,
    database: source.database,
  });
  const { database } = source;
  deepEqual(newsOf(source, { ...query, afterId: EVENTS - 1, database }).skipped, 0);
  const replaced = newsOf(source, { ...query, afterId: EVENTS - 1, database: "another" });
  deepEqual(replaced, newsOf(source, { ...query, afterId: 0 }), "ids of another mean nothing");
});

Deno.test("an event is found by its id, and only while it is there", () => {
  using blocks = new Blocks();
  const source = blocks.open(blocks.path, "off").get();
  equal(idOf(findEvent(source, 77) ?? ""), 77);
  removeThrough(blocks.path, BLOCK_EVENTS);
  equal(findEvent(source, 77), null);
  equal(findEvent(source, EVENTS + 1), null);
  equal(source.index, null, indexPath(blocks.path));
});
