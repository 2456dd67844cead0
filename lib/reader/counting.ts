/** Counts events: by time and value for charts, by value for lists. The newest are counted first. */

import type { CountedBy, EventFilter, SeriesQuery, TopQuery } from "../query.ts";
import type { Series, SeriesLine, Top } from "../reader.ts";
import { type BlockCounts, forEachCell } from "./block_counts.ts";
import type { EventSource } from "./event_source.ts";
import type { BlockMark } from "./index_file.ts";
import { Walk } from "./walk.ts";

/** A count that goes on step by step. */
export interface Count<Result> {
  /** Whether all is counted. */
  readonly isDone: boolean;
  /** Counts some more. @throws {SqliteError} */
  step(): void;
  /** What was counted so far. */
  result(): Result;
}

/** Adds so many events of a value that were received at a time, or in a unit that begins at it. */
type Add = (receivedAt: number, value: string | null, count: number) => void;

/** Values told apart in a series; what comes after them is summed up. */
const LINES_COUNTED_MAX = 10_000;
/** Numbers of all of them, 8 bytes each. */
const COUNTS_MAX = 4_000_000;
/** Values told apart in a list. */
const VALUES_COUNTED_MAX = 1_000_000;
const ROWS_A_STEP = 8192;
const VALUE_OF: Readonly<Record<CountedBy, string>> = {
  type: "type",
  source: "source",
  user_id: "coalesce(actor, CAST(user_id AS TEXT))",
};

/** Counts by time. @throws {SqliteError} */
export function countSeries(source: EventSource, query: SeriesQuery): Count<Series> {
  const { filter: { from, to }, intervalMs, by, limit } = query;
  const length = Math.round((to - from) / intervalMs);
  const linesMax = Math.min(LINES_COUNTED_MAX, Math.floor(COUNTS_MAX / length));
  const lines = new Map<string | null, number[]>();
  const rest = new Array<number>(length).fill(0);
  const add: Add = (receivedAt, value, count) => {
    const at = Math.floor((receivedAt - from) / intervalMs);
    let counts = lines.get(value);
    if (counts === undefined) {
      if (lines.size >= linesMax) counts = rest;
      else lines.set(value, counts = new Array<number>(length).fill(0));
    }
    if (at in counts) counts[at] = (counts[at] as number) + count;
  };
  const isUsable = ({ unitMs }: BlockCounts) => intervalMs % unitMs === 0 && from % unitMs === 0;
  const events = new Counted(source, { filter: query.filter, by, add, isUsable });
  const result = (): Series => {
    const sorted = [...lines].map(([value, counts]) => ({ value, counts, sum: sum(counts) }))
      .sort((a, b) => b.sum - a.sum);
    const shown: SeriesLine[] = sorted.slice(0, limit).map(({ value, counts }) => ({
      value,
      counts,
    }));
    const others = sorted.slice(limit).reduce(
      (all, { counts }) => all.map((n, i) => n + (counts[i] as number)),
      rest,
    );
    const { isDone: isComplete } = events;
    const countedFrom = isComplete ? from : Math.max(from, events.countedFrom ?? to);
    return { lines: shown, others: sum(others) === 0 ? null : others, isComplete, countedFrom };
  };
  return withResult(events, result);
}

/** Counts by value. @throws {SqliteError} */
export function countTop(source: EventSource, { filter, by, limit }: TopQuery): Count<Top> {
  const { from, to } = filter;
  const counts = new Map<string | null, number>();
  let rest = 0;
  const add: Add = (_receivedAt, value, count) => {
    const before = counts.get(value);
    if (before !== undefined) counts.set(value, before + count);
    else if (counts.size < VALUES_COUNTED_MAX) counts.set(value, count);
    else rest += count;
  };
  const isUsable = ({ unitMs }: BlockCounts, { receivedMin, receivedMax }: BlockMark) =>
    (from === null || from <= receivedMin || from % unitMs === 0) &&
    (to === null || to > receivedMax || to % unitMs === 0);
  const events = new Counted(source, { filter, by, add, isUsable });
  const result = (): Top => {
    const sorted = [...counts].sort(([, a], [, b]) => b - a);
    const values = sorted.slice(0, limit).map(([value, count]) => ({ value, count }));
    const others = sorted.slice(limit).reduce((all, [, count]) => all + count, rest);
    const { isDone: isComplete } = events;
    return { values, others, isComplete, countedFrom: isComplete ? from : events.countedFrom };
  };
  return withResult(events, result);
}

function withResult<Result>(events: Counted, result: () => Result): Count<Result> {
  return {
    get isDone() {
      return events.isDone;
    },
    step: () => events.step(),
    result,
  };
}

interface CountedOptions {
  readonly filter: EventFilter;
  readonly by: CountedBy | null;
  readonly add: Add;
  /** Whether the counts of a block are fine enough. */
  readonly isUsable: (counts: BlockCounts, mark: BlockMark) => boolean;
}

/** The events to count: whole blocks by their counts where that is right, else one by one. */
class Counted {
  readonly #source: EventSource;
  readonly #options: CountedOptions;
  readonly #walk: Walk;
  /** What was counted begins here; null before anything was. */
  countedFrom: number | null = null;

  constructor(source: EventSource, options: CountedOptions) {
    this.#source = source;
    this.#options = options;
    const { filter, by } = options;
    const value = by === null ? "NULL" : VALUE_OF[by];
    const walk = {
      filter,
      order: "desc",
      after: null,
      columns: `id, received_at, ${value}`,
    } as const;
    const hasCounts = by !== "user_id" && filter.userId === null && filter.eventId === null &&
      filter.where.length === 0;
    this.#walk = new Walk(
      source,
      hasCounts ? { ...walk, takesBlock: (mark) => this.#takes(mark) } : walk,
    );
  }

  get isDone(): boolean {
    return this.#walk.isDone;
  }

  step(): void {
    const rows = this.#walk.step(ROWS_A_STEP);
    const { add } = this.#options;
    for (const [, receivedAt, value] of rows) add(receivedAt as number, value as string | null, 1);
    this.countedFrom = rows.at(-1)?.[1] as number | undefined ?? this.countedFrom;
  }

  #takes(mark: BlockMark): boolean {
    const { filter: { from, to, type, source }, by, add, isUsable } = this.#options;
    const counts = this.#source.index?.counts(mark.block) ?? null;
    if (counts === null || !isUsable(counts, mark)) return false;
    forEachCell(counts, (startMs, cellSource, cellType, count) => {
      if (from !== null && startMs < from && from > mark.receivedMin) return;
      if (to !== null && startMs >= to) return;
      if (type !== null && cellType !== type || source !== null && cellSource !== source) return;
      add(startMs, by === null ? null : by === "type" ? cellType : cellSource, count);
    });
    this.countedFrom = mark.receivedMin;
    return true;
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}
