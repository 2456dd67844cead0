/** A store in memory, with faults on request, that holds the writer to the contract of `Store`. */

import { decodeBatch, type EventRow } from "../../lib/event.ts";
import type {
  Batch,
  DeadLetter,
  RejectedRow,
  Store,
  StoreOpened,
  StoreSize,
  WriteOutcome,
} from "../../lib/store.ts";

/** What goes wrong with one write. */
export type Fault =
  /** Nothing goes wrong. */
  | "none"
  /** Nothing is stored, and that is said. */
  | "fail"
  /** All is stored, and the opposite is said. */
  | "in-doubt";

/** How it behaves. */
export interface MemoryStoreOptions {
  /** One fault for each write, in order; after the last one nothing goes wrong. */
  readonly faults?: readonly Fault[];
  /** Why a row can never be stored; null if it can. Each row is refused whenever it is tried. */
  readonly reject?: (row: EventRow) => string | null;
  /** Rows refused at once at most, the last first; the next write finds others. Default: all. */
  readonly rejectedMax?: number;
  readonly lastBatch?: number;
  /** Runs while a write is under way, before it has any effect. */
  readonly during?: (batch: Batch) => void | Promise<void>;
}

/** See the head of this file. */
export class MemoryStore implements Store {
  /** What was committed. */
  readonly rows: EventRow[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** Numbers of the batches that were committed. */
  readonly committed: number[] = [];
  /** Every batch it was given, rewrites included. */
  readonly writes: Batch[] = [];
  readonly #options: MemoryStoreOptions;
  readonly #faults: Fault[];
  #lastBatch: number;
  #underWay = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: MemoryStoreOptions = {}) {
    this.#options = options;
    this.#faults = [...options.faults ?? []];
    this.#lastBatch = options.lastBatch ?? 0;
  }

  open(): Promise<StoreOpened> {
    return Promise.resolve({ lastBatch: this.#lastBatch });
  }

  /** Rejects only if the writer broke the contract. */
  async write(batch: Batch): Promise<WriteOutcome> {
    if (this.#underWay === 2) throw new TypeError("a third write began");
    this.#underWay++;
    this.writes.push(batch);
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = done.promise;
    try {
      await before;
      await this.#options.during?.(batch);
      return this.#write(batch, this.#faults.shift() ?? "none");
    } finally {
      this.#underWay--;
      done.resolve();
    }
  }

  size(): Promise<StoreSize> {
    return Promise.resolve({ databaseBytes: 0, walBytes: 0 });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #write(batch: Batch, fault: Fault): WriteOutcome {
    if (fault === "fail") return { kind: "failed", reason: "scripted" };
    if (batch.number > this.#lastBatch + 1) return { kind: "failed", reason: "too early" };
    if (batch.number > this.#lastBatch) {
      const rejected = this.#commit(batch);
      if (rejected !== null) return { kind: "rejected", rows: rejected };
    }
    return fault === "in-doubt" ? { kind: "failed", reason: "in doubt" } : { kind: "committed" };
  }

  /** Stores the batch, or gives the rows that it will not take and stores nothing. */
  #commit(batch: Batch): readonly RejectedRow[] | null {
    const rows = decodeRows(batch);
    if (rows.length !== batch.events) {
      throw new RangeError(`a batch of ${batch.events} events has ${rows.length} rows`);
    }
    if (batch.skip.some((index, i) => index <= (batch.skip[i - 1] ?? -1) || index >= rows.length)) {
      throw new RangeError(`positions to skip are not rising or not rows: ${batch.skip}`);
    }
    const rejected: RejectedRow[] = [];
    rows.forEach((row, index) => {
      const reason = batch.skip.includes(index) ? null : this.#options.reject?.(row) ?? null;
      if (reason !== null) rejected.push({ index, reason });
    });
    if (rejected.length > 0) return rejected.slice(-(this.#options.rejectedMax ?? Infinity));
    this.rows.push(...rows.filter((_, index) => !batch.skip.includes(index)));
    this.deadLetters.push(...batch.deadLetters);
    this.#lastBatch = batch.number;
    this.committed.push(batch.number);
    return null;
  }
}

/** The rows of a batch, those to skip included. */
export function decodeRows(batch: Batch): EventRow[] {
  const rows: EventRow[] = [];
  decodeBatch(batch.rows, (row) => rows.push(row));
  return rows;
}
