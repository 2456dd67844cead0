import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { ALL_EVENTS, type CountedBy, type EventFilter } from "../../lib/query.ts";
import { type Count, countSeries, countTop } from "../../lib/reader/counting.ts";
import {
  allRows,
  BEGIN_MS,
  Blocks,
  EVENTS,
  index,
  meets,
  removeThrough,
  type Row,
} from "./blocks.ts";
import { anyFilter, countedFilter } from "./filters.ts";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

function valueOf(row: Row, by: CountedBy): string | null {
  switch (by) {
    case "type":
      return row.type;
    case "source":
      return row.source;
    case "user_id":
      return row.actor ?? row.userId;
  }
}

function finished<Result>(count: Count<Result>): Result {
  while (!count.isDone) count.step();
  return count.result();
}

/** Values by how often they are there; among equals any order is right. */
function sorted(values: Iterable<readonly [string | null, number]>) {
  return [...values].sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1));
}

const anyFiltered = fc.oneof({ weight: 3, arbitrary: countedFilter }, anyFilter);
const anyBy = fc.constantFrom<CountedBy>("type", "source", "user_id");

/** A filter whose time is on the borders of intervals, at most 2,000 of them. */
const anyInterval = fc.tuple(
  anyFiltered,
  fc.constantFrom(SECOND, 10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY),
).map(([filter, intervalMs]) => {
  const begin = filter.from ?? BEGIN_MS, end = filter.to ?? BEGIN_MS + 2 * DAY;
  const from = Math.floor(begin / intervalMs) * intervalMs;
  const to = Math.min(Math.ceil(end / intervalMs) * intervalMs, from + 2000 * intervalMs);
  return { filter: { ...filter, from, to: Math.max(to, from + intervalMs) }, intervalMs };
});

/** A database whose oldest events were removed, with its index or a part of it, and without. */
function sourcesOf(blocks: Blocks) {
  const partly = blocks.copy("partly"), none = blocks.copy("none");
  for (const path of [blocks.path, partly, none]) removeThrough(path, 1000);
  const full = blocks.open(blocks.path, "on"), some = blocks.open(partly, "on");
  index(some, 1);
  deepEqual([full, some].map((each) => each.get().index?.blocks), [[0, 1, 2], [2]]);
  return { rows: allRows(none), sources: [full, some, blocks.open(none, "off")] };
}

Deno.test("counts by value are those of a simple count, with an index, a part of one and without", () => {
  using blocks = new Blocks({ index: "built" });
  const { rows, sources } = sourcesOf(blocks);
  fc.assert(
    fc.property(anyFiltered, anyBy, fc.integer({ min: 1, max: 100 }), (filter, by, limit) => {
      const counts = new Map<string | null, number>();
      for (const row of rows) {
        if (!meets(row, filter)) continue;
        counts.set(valueOf(row, by), (counts.get(valueOf(row, by)) ?? 0) + 1);
      }
      const meant = sorted(counts).slice(0, limit).map(([, count]) => count);
      const others = sorted(counts).slice(limit).reduce((sum, [, count]) => sum + count, 0);
      for (const source of sources) {
        const top = finished(countTop(source.get(), { filter, by, limit }));
        deepEqual(top.values.map(({ count }) => count), meant);
        for (const { value, count } of top.values) equal(count, counts.get(value));
        equal(new Set(top.values.map(({ value }) => value)).size, meant.length);
        deepEqual([top.others, top.isComplete, top.countedFrom], [others, true, filter.from]);
      }
    }),
    { numRuns: 8 },
  );
});

Deno.test("a range may begin and end within a block, at a unit of its counts or not", () => {
  using blocks = new Blocks({ index: "built" });
  const source = blocks.open(blocks.path, "on").get();
  const rows = allRows(blocks.path);
  for (const begin of [BEGIN_MS, BEGIN_MS + 3 * HOUR, BEGIN_MS + 12 * HOUR]) {
    for (
      const [from, to] of [[0, HOUR], [MINUTE, 7 * MINUTE], [-1, HOUR + 1], [250, DAY]] as const
    ) {
      const filter = { ...ALL_EVENTS, from: begin + from, to: begin + to };
      const { values, others } = finished(countTop(source, { filter, by: "source", limit: 100 }));
      const counted = values.reduce((sum, { count }) => sum + count, others);
      equal(counted, rows.filter((row) => meets(row, filter)).length, JSON.stringify(filter));
    }
  }
});

Deno.test("counts by time are those of a simple count, for every interval", () => {
  using blocks = new Blocks({ index: "built" });
  const { rows, sources } = sourcesOf(blocks);
  fc.assert(
    fc.property(anyInterval, fc.option(anyBy), fc.integer({ min: 1, max: 50 }), (
      { filter, intervalMs },
      by,
      limit,
    ) => {
      const length = (filter.to - filter.from) / intervalMs;
      const all = new Array<number>(length).fill(0), lines = new Map<string | null, number[]>();
      for (const row of rows) {
        if (!meets(row, filter)) continue;
        const value = by === null ? null : valueOf(row, by);
        const at = Math.floor((row.receivedAt - filter.from) / intervalMs);
        const line = lines.get(value) ?? new Array<number>(length).fill(0);
        lines.set(value, line);
        line[at] = (line[at] as number) + 1;
        all[at] = (all[at] as number) + 1;
      }
      for (const source of sources) {
        const series = finished(countSeries(source.get(), { filter, intervalMs, by, limit }));
        ok(series.isComplete);
        equal(series.countedFrom, filter.from);
        equal(series.lines.length, Math.min(limit, lines.size));
        for (const { value, counts } of series.lines) deepEqual(counts, lines.get(value));
        const sums = [...series.lines.map(({ counts }) => counts), series.others ?? []]
          .reduce((sum, counts) => sum.map((n, i) => n + (counts[i] ?? 0)), all.map(() => 0));
        deepEqual(sums, all);
      }
    }),
    { numRuns: 8 },
  );
});

Deno.test("a count that is not finished says from when on it counted, and never too much", () => {
  using blocks = new Blocks({ index: "built" });
  const source = blocks.open(blocks.path, "on");
  const filter: EventFilter = { ...ALL_EVENTS, from: BEGIN_MS + 2 * HOUR, to: BEGIN_MS + 2 * DAY };
  const count = countTop(source.get(), { filter, by: "source", limit: 1 });
  const meant = allRows(blocks.path).filter((row) => meets(row, filter)).length;
  let before = 0, steps = 0;
  while (!count.isDone) {
    count.step();
    const { values, others, isComplete } = count.result();
    equal(isComplete, count.isDone);
    const counted = (values[0]?.count ?? 0) + others;
    ok(counted >= before && counted <= meant);
    before = counted;
    steps++;
  }
  equal(before, meant);
  ok(steps > 3);
});

Deno.test("a series of many intervals tells apart only so many values as it has room for", () => {
  using blocks = new Blocks();
  const source = blocks.open(blocks.path, "off");
  const filter = { ...ALL_EVENTS, from: BEGIN_MS, to: BEGIN_MS + 4000 * MINUTE };
  const query = { filter, intervalMs: MINUTE, by: "user_id", limit: 10_000 } as const;
  const { lines, others } = finished(countSeries(source.get(), query));
  equal(lines.length, 1000);
  const all = [...lines.map(({ counts }) => counts), others ?? []].flat();
  equal(all.reduce((a, b) => a + b, 0), EVENTS);
});
