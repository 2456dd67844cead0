/** Five million events: every answer is what SQL counts, with an index, without, and while it is built. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "./collector_process.ts";
import { step } from "./expect.ts";
import { answered, counted, TIME } from "./large_answers.ts";
import { BEGIN_MS, growDatabase, SPAN_MS } from "./large_database.ts";
import { allIds, type PageJson, readJson, send, type SeriesJson, type TopJson } from "./reading.ts";
import { query } from "./rows.ts";
import { TempFolder } from "./sending.ts";

const COUNT = 5_000_000, BLOCKS = Math.floor(COUNT / 65_536);
const DAY_MS = 86_400_000;
const noon = (day: number) => BEGIN_MS + day * DAY_MS + DAY_MS / 2;

/** What is asked for, and the same in SQL; without a time of its own where the chart has one. */
const FILTERS: readonly (readonly [parameters: string, sql: string])[] = [
  ["", "1"],
  ["user_id=user-77", "actor = 'user-77'"],
  ["user_id=-12345", "user_id = -12345"],
  ["type=type-3", "type = 'type-3'"],
  ["type=nothing", "0"],
  ["source=tenth-day&type=view", "source = 'tenth-day' AND type = 'view'"],
  ["event_id=event-2500000", "event_id = 'event-2500000'"],
  ["event_id=event-1", "0"],
  ["source=tenth-day&where[path]=/p13", `source = 'tenth-day' AND metadata LIKE '%"/p13"%'`],
  ["user_id=-12345&where[ok]=true", `user_id = -12345 AND metadata LIKE '%"ok":true%'`],
  [
    "source=web&where[ok]=true&where[path]=/p96&type=view",
    `source = 'web' AND metadata LIKE '%"/p96","ok":true%' AND type = 'view'`,
  ],
];

/** Which of them are asked for while the index is built: each takes seconds then. */
const EARLY = [2, 5];

async function indexed(collector: CollectorProcess): Promise<void> {
  const blocks = ({ reader }: { reader?: { indexed_blocks: number } | null }) =>
    reader?.indexed_blocks;
  await collector.until((stats) => blocks(stats as object) === BLOCKS, 120_000);
}

Deno.test("five million events are found and counted as SQL does", async (t) => {
  await using folder = new TempFolder();
  const path = await growDatabase(folder.path, COUNT);
  const expected = FILTERS.map(([, sql]) => counted(path, sql));
  const patient = { folder: folder.path, args: ["--query-timeout-ms", "60000"] };

  await step(t, "while the index is built, and by the index", async () => {
    await using collector = await CollectorProcess.start(patient);
    for (const built of [false, true]) {
      if (built) await indexed(collector);
      for (const [i, [filter]] of FILTERS.entries()) {
        if (!built && !EARLY.includes(i)) continue;
        deepEqual(await answered(collector, filter), expected[i], `${filter}, built: ${built}`);
      }
    }
    await send(collector, [
      '{"id":"new","user_id":-12345,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}',
    ]);
    const page: PageJson = await readJson(collector, "/events?user_id=-12345&limit=1");
    equal(page.events[0]?.event_id, "new");
    equal(await collector.stop(), 0);
  });

  await step(t, "from the index of the run before, and without one", async () => {
    for (const args of [[], ["--index", "off"]]) {
      await using collector = await CollectorProcess.start({
        ...patient,
        args: [...args, ...patient.args],
      });
      for (const i of args.length === 0 ? [1, 5, 6] : [6]) {
        const [filter = ""] = FILTERS[i] ?? [];
        deepEqual(await answered(collector, filter), expected[i], `${filter} ${args}`);
      }
      equal(await collector.stop(), 0);
      for (const end of ["", "-wal", "-shm"]) {
        await Deno.remove(path + ".index" + end).catch(() => {});
      }
    }
  });

  await step(
    t,
    "times in the middle of a day, of users by number, and an export of a part",
    async () => {
      await using collector = await CollectorProcess.start(patient);
      const sql = `received_at >= ${noon(3)} AND received_at < ${noon(5)}`;
      const time = `from=${noon(3)}&to=${new Date(noon(5)).toISOString()}`;
      const { byType } = counted(path, sql);
      const types: TopJson = await readJson(collector, `/top?limit=20&${time}`);
      deepEqual(
        Object.fromEntries(types.values.map(({ value, count }) => [`${value}`, count])),
        byType,
      );
      const series: SeriesJson = await readJson(
        collector,
        `/series?interval=6h&by=type&limit=3&${time}`,
      );
      const shown = series.series.reduce((sum, { total }) => sum + total, 0);
      const others = series.others?.reduce((a, b) => a + b, 0) ?? NaN;
      equal(shown + others, Object.values(byType).reduce((a, b) => a + b, 0));
      equal(series.starts.length, 8);
      deepEqual(
        series.series.map(({ total }) => total),
        Object.values(byType).sort((a, b) => b - a).slice(0, 3),
      );
      const users: TopJson = await readJson(collector, `/top?by=user_id&limit=5&source=tenth-day`);
      const top = query<{ n: bigint }>(
        path,
        `SELECT count(*) AS n FROM events
      WHERE source = 'tenth-day' GROUP BY coalesce(actor, user_id) ORDER BY 1 DESC LIMIT 5`,
      );
      deepEqual(users.values.map(({ count }) => count), top.map(({ n }) => Number(n)));
      const response = await fetch(
        `${collector.url}/export?format=csv&type=type-7&after_id=4000000`,
      );
      const rows = (await response.text()).split("\r\n").slice(1, -1).map((row) =>
        Number(row.split(",")[0])
      );
      deepEqual(
        rows,
        query<{ id: bigint }>(
          path,
          "SELECT id FROM events WHERE type = 'type-7' AND id > 4000000 ORDER BY id",
        ).map(({ id }) => Number(id)),
      );
    },
  );

  await step(
    t,
    "a query that is not done in time says so, and goes on to the end by `next`",
    async () => {
      await using collector = await CollectorProcess.start({
        folder: folder.path,
        args: ["--query-timeout-ms", "200", "--index", "off"],
      });
      const filter = "where[n]=4321234";
      const first: PageJson = await readJson(collector, `/events?${filter}&order=asc`);
      deepEqual([first.events, first.complete, typeof first.next], [[], false, "string"]);
      for (const order of ["asc", "desc"]) {
        deepEqual(
          await allIds(collector, `${filter}&order=${order}`),
          [4321234],
        );
      }
      const top: TopJson = await readJson(collector, `/top?${filter}`);
      equal(top.complete, false);
      ok(top.counted_from === null || Date.parse(top.counted_from) > BEGIN_MS);
      const series: SeriesJson = await readJson(
        collector,
        `/series?interval=1d&${TIME}&where[ok]=true`,
      );
      const [line] = series.series;
      equal(series.complete, false);
      const from = Date.parse(series.counted_from);
      const [found] = query<{ n: bigint }>(
        path,
        `SELECT count(*) AS n FROM events
      WHERE received_at > ${from + 1000} AND received_at < ${
          BEGIN_MS + SPAN_MS + DAY_MS
        } AND metadata LIKE '%"ok":true%'`,
      );
      ok(
        (line?.total ?? 0) >= Number(found?.n) && Number(found?.n) > 0,
        "what it says it counted is not all there",
      );
    },
  );
});
