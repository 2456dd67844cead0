/** What is known of the events of a filter, as SQL counts and as a collector says. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import type { CollectorProcess } from "./collector_process.ts";
import { BEGIN_MS, SPAN_MS } from "./large_database.ts";
import { type PageJson, readJson, type SeriesJson, type TopJson } from "./reading.ts";
import { query } from "./rows.ts";

const DAY_MS = 86_400_000, IN_PAGE = 200;
/** All of the time, and whole days. */
export const TIME = `from=${BEGIN_MS}&to=${BEGIN_MS + SPAN_MS + DAY_MS}`;

/** Everything that is known of the events of a filter. */
export interface Counts {
  readonly newest: readonly number[];
  readonly oldest: readonly number[];
  readonly byType: Record<string, number>;
  readonly bySource: Record<string, number>;
  readonly days: readonly number[];
}

/** As SQL counts. */
export function counted(path: string, condition: string): Counts {
  const ids = (order: string) =>
    query<{ id: bigint }>(
      path,
      `SELECT id FROM events WHERE ${condition} ORDER BY id ${order} LIMIT ${IN_PAGE}`,
    ).map(({ id }) => Number(id));
  const rows = query<{ type: string | null; source: string; day: bigint; n: bigint }>(
    path,
    `SELECT type, source, (received_at - ${BEGIN_MS}) / ${DAY_MS} AS day, count(*) AS n
       FROM events WHERE ${condition} GROUP BY 1, 2, 3`,
  );
  const byType: Record<string, number> = {}, bySource: Record<string, number> = {};
  const days = Array<number>(31).fill(0);
  for (const { type, source, day, n } of rows) {
    byType[`${type}`] = (byType[`${type}`] ?? 0) + Number(n);
    bySource[source] = (bySource[source] ?? 0) + Number(n);
    days[Number(day)] = (days[Number(day)] ?? 0) + Number(n);
  }
  return { newest: ids("DESC"), oldest: ids("ASC"), byType, bySource, days };
}

/** As the collector says. */
export async function answered(collector: CollectorProcess, filter: string): Promise<Counts> {
  const page: PageJson = await readJson(collector, `/events?limit=${IN_PAGE}&${filter}`);
  const oldest: PageJson = await readJson(
    collector,
    `/events?limit=${IN_PAGE}&order=asc&${filter}`,
  );
  const types: TopJson = await readJson(collector, `/top?by=type&limit=20&${filter}`);
  const day = `/series?interval=1d&${TIME}&${filter}`;
  const sources: SeriesJson = await readJson(collector, `${day}&by=source`);
  const all: SeriesJson = await readJson(collector, day);
  for (const { complete } of [page, oldest, types, sources, all]) ok(complete, filter);
  deepEqual([types.others, sources.others], [0, null]);
  const [line] = all.series;
  const idsOf = ({ events }: PageJson) => events.map(({ id }) => id);
  return {
    newest: idsOf(page),
    oldest: idsOf(oldest),
    byType: Object.fromEntries(types.values.map(({ value, count }) => [`${value}`, count])),
    bySource: Object.fromEntries(sources.series.map(({ value, total }) => [`${value}`, total])),
    days: line?.counts ?? Array<number>(31).fill(0),
  };
}
