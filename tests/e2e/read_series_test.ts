/** Charts and lists add up to what was sent. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { CollectorProcess, event } from "./collector_process.ts";
import { meddle } from "./dead_letters.ts";
import {
  parameters,
  read,
  readJson,
  refusal,
  send,
  type SeriesJson,
  type TopJson,
} from "./reading.ts";
import { storedEvents } from "./rows.ts";
import { TempFolder } from "./sending.ts";

const MINUTE_MS = 60_000, HOUR_MS = 60 * MINUTE_MS;
const INTERVALS = {
  "1s": 1000,
  "10s": 10_000,
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "6h": 6 * HOUR_MS,
  "1d": 24 * HOUR_MS,
};
/** An event comes so often. */
const EVERY_MS = 44_000;
const BEGIN_MS = Date.UTC(2026, 9, 1, 3, 7, 11, 500);

/** Thousands of events of several types, users and sources, spread over two days of the past. */
async function fill(folder: string): Promise<void> {
  await using collector = await CollectorProcess.start({ folder });
  await send(collector, Array.from({ length: 3000 }, (_, i) => event(i, i % 40)));
  const calls = Array.from(
    { length: 900 },
    (_, i) => ({
      type: "track",
      event: `type ${i % 13 < 7 ? 0 : i % 13}`,
      userId: `u${i % 9}`,
      properties: {},
    }),
  );
  for (let i = 0; i < 900; i += 90) {
    const body = JSON.stringify({ batch: calls.slice(i, i + 90) });
    equal((await collector.post("/v1/batch", new Blob([body]))).status, 200);
  }
  await collector.settled();
  await collector.stop();
  meddle(`${folder}/events.db`, `UPDATE events SET received_at = ${BEGIN_MS} + id * ${EVERY_MS}`);
}

/** How many of each value. */
function tally(values: readonly (string | null)[]): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

Deno.test("series and top add up to what was sent, for any time, interval and limit", async () => {
  await using folder = new TempFolder();
  await fill(folder.path);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const rows = storedEvents(folder.database).map(({ received_at, user_id, actor, ...row }) => ({
    ...row,
    at: Number(received_at),
    user_id: actor ?? (user_id === null ? null : String(user_id)),
  }));
  const anyTime = fc.record({
    from: fc.oneof(
      fc.integer({ min: BEGIN_MS - HOUR_MS, max: BEGIN_MS + 40 * HOUR_MS }),
      fc.integer({ min: 1, max: 3000 }).map((id) => BEGIN_MS + id * EVERY_MS),
    ),
    ms: fc.oneof(
      fc.integer({ min: 1, max: 12 * HOUR_MS }),
      fc.integer({ min: 1, max: 900 }).map((events) => events * EVERY_MS),
    ),
    interval: fc.constantFrom(...Object.keys(INTERVALS) as (keyof typeof INTERVALS)[]),
    by: fc.constantFrom("type" as const, "source" as const, "user_id" as const),
    limit: fc.integer({ min: 1, max: 50 }),
  });
  await fc.assert(
    fc.asyncProperty(anyTime, async ({ from, ms, interval, by, limit }) => {
      const length = INTERVALS[interval], to = from + ms;
      const first = Math.floor(from / length) * length, end = Math.ceil(to / length) * length;
      const query = parameters({ from, to, by, limit });
      const counts = (end - first) / length;
      if (counts > 2000) {
        deepEqual(refusal(await read(collector, `/series?${query}&interval=${interval}`)), [
          400,
          "parameter",
        ]);
      } else {
        const series: SeriesJson = await readJson(
          collector,
          `/series?${query}&interval=${interval}`,
        );
        equal(series.interval_ms, length);
        deepEqual([Date.parse(series.from), Date.parse(series.to), series.starts.length], [
          first,
          end,
          counts,
        ]);
        const meant = rows.filter(({ at }) => first <= at && at < end);
        const expected = tally(meant.map((row) => row[by]));
        const ordered = [...expected.values()].sort((a, b) => b - a);
        deepEqual(series.series.map(({ total }) => total), ordered.slice(0, limit));
        const all = series.starts.map((_, i) =>
          series.series.reduce(
            (sum, line) => sum + (line.counts[i] ?? NaN),
            series.others?.[i] ?? 0,
          )
        );
        deepEqual(
          all,
          series.starts.map((start) =>
            meant.filter(({ at }) => start <= at && at < start + length).length
          ),
        );
        for (const { value, total } of series.series) equal(total, expected.get(value), `${value}`);
      }
      const top: TopJson = await readJson(collector, `/top?${query}`);
      const expected = tally(rows.filter(({ at }) => from <= at && at < to).map((row) => row[by]));
      for (const { value, count } of top.values) equal(count, expected.get(value), `${value}`);
      const sum = top.values.reduce((all, { count }) => all + count, top.others);
      equal(sum, [...expected.values()].reduce((a, b) => a + b, 0));
      equal(top.values.length, Math.min(limit, expected.size));
    }),
    { numRuns: 60 },
  );
});

Deno.test("without anything said: the last hour in about 60 intervals, one line; the types of all time", async () => {
  await using collector = await CollectorProcess.start();
  await send(collector, [1, 2, 3].map((mark) => event(mark)));
  const series: SeriesJson = await readJson(collector, "/series");
  ok(series.starts.length >= 60 && series.starts.length <= 62, `${series.starts.length}`);
  deepEqual(series.series.map(({ value, total }) => [value, total]), [[null, 3]]);
  deepEqual([series.complete, series.others, series.interval_ms], [true, null, MINUTE_MS]);
  const top: TopJson = await readJson(collector, "/top");
  deepEqual(top, {
    by: "type",
    values: [{ value: null, count: 3 }],
    others: 0,
    complete: true,
    counted_from: null,
  });
});

Deno.test("an empty database: nothing is found, counted, exported, without an error", async () => {
  await using collector = await CollectorProcess.start();
  deepEqual(await readJson(collector, "/events"), { events: [], next: null, complete: true });
  deepEqual((await readJson<SeriesJson>(collector, "/series?by=type")).series, []);
  deepEqual((await readJson<TopJson>(collector, "/top")).values, []);
  equal((await read(collector, "/export")).text, "");
  equal((await read(collector, "/events?format=ndjson")).text, "");
});
