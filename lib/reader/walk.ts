/**
 * Goes through the events of a filter, some at a time, in the order of their ids or against it.
 * Blocks that hold none are passed over by their marks; where the index knows the few events of a
 * block that can be meant, only these are read.
 */

import type { EventFilter, Order } from "../query.ts";
import type { Statement } from "../sqlite/driver.ts";
import { blockOf, type Ids, idsOf, overlap } from "./block.ts";
import { bucketOf, hashOf, type IndexedField, offsetsIn, type ValueHash } from "./block_index.ts";
import { type Condition, conditionOf } from "./condition.ts";
import { type EventSource, storedIds } from "./event_source.ts";
import type { BlockMark } from "./index_file.ts";

/** How to go. */
export interface WalkOptions {
  /** Which events. */
  readonly filter: EventFilter;
  /** In which order. */
  readonly order: Order;
  /** Id to begin after, in that order; null for the first. */
  readonly after: number | null;
  /** Only events with a greater id than this. Default 0. */
  readonly above?: number;
  /** What to select, the id first. */
  readonly columns: string;
  /** Asked once for each block of which all events are there; if it takes the block, that is passed over. */
  readonly takesBlock?: (mark: BlockMark) => boolean;
}

/** Rows of events. */
export type Rows = readonly (readonly unknown[])[];

/** How many ids to look at in a step: adapted, since a row may be as large as a body. */
const IDS_A_STEP = { min: 16, first: 128, max: 8192 };
/** How long such a step is to take. */
const STEP_MS = 4;
const IDS_A_LOOKUP = 64;
const NO_ID = -1;

/** A block that is read. */
interface Entered {
  readonly block: number;
  /** The ids in it that can be meant, in order; null for all. */
  readonly candidates: readonly number[] | null;
}

/** See the head of this file. */
export class Walk {
  readonly #source: EventSource;
  readonly #options: WalkOptions;
  readonly #isUp: boolean;
  readonly #condition: Condition;
  readonly #wanted: readonly (readonly [IndexedField, ValueHash])[];
  #scan: Statement | undefined;
  #lookup: Statement | undefined;
  /** What is left to be looked at. */
  #left: Ids;
  #entered: Entered | null = null;
  #idsAStep = IDS_A_STEP.first;

  /** Ends with the newest event there is now. @throws {SqliteError} */
  constructor(source: EventSource, options: WalkOptions) {
    const { filter, order, after, above = 0 } = this.#options = options;
    this.#source = source;
    this.#isUp = order === "asc";
    const bound = this.#isUp
      ? { first: Math.max(after ?? 0, above) + 1, last: Infinity }
      : { first: above + 1, last: (after ?? Infinity) - 1 };
    this.#left = overlap(storedIds(source), bound);
    this.#condition = conditionOf(filter);
    const { userId: user, type, eventId: event } = filter;
    this.#wanted = Object.entries({ user, type, event }).flatMap(([field, value]) =>
      value === null ? [] : [[field as IndexedField, hashOf(value)] as const]
    );
  }

  /** Whether everything was looked at. */
  get isDone(): boolean {
    return this.#left.last < this.#left.first;
  }

  /** Id up to which, in its order, everything was looked at. */
  get through(): number {
    return this.#isUp ? this.#left.first - 1 : this.#left.last + 1;
  }

  /** Looks at some more, and gives at most so many rows. @throws {SqliteError} */
  step(limit: number): Rows {
    const entered = this.#enter();
    if (entered === null) return [];
    const { block, candidates } = entered;
    return candidates === null
      ? this.#scanSome(block, limit)
      : this.#lookUp(block, candidates, limit);
  }

  /** Goes to the next block that may hold something; null if there is none, or one was taken. */
  #enter(): Entered | null {
    while (!this.isDone) {
      const block = blockOf(this.#isUp ? this.#left.first : this.#left.last);
      if (this.#entered?.block === block) return this.#entered;
      const mark = this.#source.index?.mark(block) ?? null;
      const isOut = mark !== null && this.#rulesOut(mark);
      const isTaken = mark !== null && !isOut && this.#takes(mark);
      const candidates = mark === null ? null : isOut || isTaken ? [] : this.#candidates(mark);
      if (candidates?.length !== 0) return this.#entered = { block, candidates };
      this.#leave(idsOf(block));
      if (isTaken) return null;
    }
    return null;
  }

  #rulesOut(mark: BlockMark): boolean {
    const { from, to, source } = this.#options.filter;
    return from !== null && mark.receivedMax < from || to !== null && mark.receivedMin >= to ||
      source !== null && mark.sources !== null && !mark.sources.includes(source);
  }

  #takes(mark: BlockMark): boolean {
    const ids = idsOf(mark.block), left = this.#left;
    const isWhole = left.first <= ids.first && ids.last <= left.last;
    return isWhole && (this.#options.takesBlock?.(mark) ?? false);
  }

  /** The ids of a block that the index does not rule out, in order; null if it rules out none. */
  #candidates({ block, common }: BlockMark): readonly number[] | null {
    let offsets: readonly number[] | null = null;
    for (const [field, hash] of this.#wanted) {
      if (common[field].includes(hash)) continue;
      const bucket = this.#source.index?.bucket(block, field, bucketOf(hash));
      if (bucket === undefined) return null;
      const found = offsetsIn(bucket, hash);
      const both = new Set(found);
      offsets = offsets === null ? found : offsets.filter((offset) => both.has(offset));
      if (offsets.length === 0) return [];
    }
    if (offsets === null) return null;
    const { first } = idsOf(block), left = this.#left;
    const ids = offsets.map((offset) => first + offset)
      .filter((id) => left.first <= id && id <= left.last);
    return this.#isUp ? ids : ids.reverse();
  }

  #scanSome(block: number, limit: number): Rows {
    const left = overlap(this.#left, idsOf(block));
    const length = this.#idsAStep;
    const some = this.#isUp
      ? { first: left.first, last: Math.min(left.last, left.first + length - 1) }
      : { first: Math.max(left.first, left.last - length + 1), last: left.last };
    this.#scan ??= this.#prepare("BETWEEN ? AND ?", "LIMIT ?");
    const startMs = performance.now();
    const rows = this.#scan.rows([some.first, some.last, ...this.#condition.values, limit]);
    this.#adapt(performance.now() - startMs);
    this.#leaveThrough(some, rows, limit);
    return rows;
  }

  #adapt(stepMs: number): void {
    const factor = Math.min(2, Math.max(1 / 8, STEP_MS / Math.max(stepMs, 0.1)));
    const { min, max } = IDS_A_STEP;
    this.#idsAStep = Math.round(Math.min(max, Math.max(min, this.#idsAStep * factor)));
  }

  #lookUp(block: number, candidates: readonly number[], limit: number): Rows {
    const { first, last } = this.#left;
    const from = candidates.findIndex((id) => first <= id && id <= last);
    const some = from < 0 ? [] : candidates.slice(from, from + IDS_A_LOOKUP);
    if (some.length === 0) {
      this.#leave(idsOf(block));
      return [];
    }
    this.#lookup ??= this.#prepare(`IN (${Array(IDS_A_LOOKUP).fill("?")})`, "LIMIT ?");
    const padding = Array<number>(IDS_A_LOOKUP - some.length).fill(NO_ID);
    const rows = this.#lookup.rows([...some, ...padding, ...this.#condition.values, limit]);
    const ends = [some[0] as number, some.at(-1) as number];
    const isLast = from + some.length === candidates.length;
    const ids = isLast ? idsOf(block) : { first: Math.min(...ends), last: Math.max(...ends) };
    this.#leaveThrough(ids, rows, limit);
    return rows;
  }

  /** Leaves what was looked at: up to the last row, if there may be more of them than were wanted. */
  #leaveThrough(ids: Ids, rows: Rows, limit: number): void {
    if (rows.length < limit) return this.#leave(ids);
    const id = rows.at(-1)?.[0] as number;
    this.#leave(this.#isUp ? { ...ids, last: id } : { ...ids, first: id });
  }

  #leave(ids: Ids): void {
    const { first, last } = this.#left;
    this.#left = this.#isUp
      ? { first: Math.max(first, ids.last + 1), last }
      : { first, last: Math.min(last, ids.first - 1) };
  }

  #prepare(ids: string, limit: string): Statement {
    const { columns } = this.#options;
    return this.#source.connection.prepare(
      `SELECT ${columns} FROM events WHERE id ${ids} AND ${this.#condition.sql} ` +
        `ORDER BY id ${this.#isUp ? "ASC" : "DESC"} ${limit}`,
    );
  }
}
