/** A store in memory, with faults on request, that holds the writer to the contract of `Store`. */

import { decodeBatch, decodeGroups, type EventRow } from "../../lib/event.ts";
import type {
  Batch,
  DeadLetter,
  Receipt,
  ReceiptState,
  RejectedRow,
  Store,
  StoreEvents,
  StoreOpened,
  StoreSize,
  StoreState,
  WriteOutcome,
} from "../../lib/store.ts";
import { lettersOf } from "../../lib/store/dead_letter.ts";

/** What goes wrong with one write. */
export type Fault =
  /** Nothing goes wrong. */
  | "none"
  /** Nothing is stored, and that is said. */
  | "fail"
  /** All is stored, in the database or the journal, and the opposite is said. */
  | "in-doubt"
  /** It goes to the journal, as does all after it until {@linkcode MemoryStore.drain}. */
  | "journal";

/** How it behaves. */
export interface MemoryStoreOptions {
  /** One fault for each write, in order; after the last one {@linkcode MemoryStore.mode} holds. */
  readonly faults?: readonly Fault[];
  /** Why a row can never be stored; null if it can. Each row is refused whenever it is tried. */
  readonly reject?: (row: EventRow) => string | null;
  /** Rows refused at once at most, the last first; the next write finds others. Default: all. */
  readonly rejectedMax?: number;
  /** What it tells when it is opened, beside its run and where the events are. */
  readonly opened?: Partial<Omit<StoreOpened, "run" | "state">>;
  /** Events of earlier runs that are in the journal when it is opened. Default: 0. */
  readonly recovered?: number;
  /** Runs while a write is under way, before it has any effect. */
  readonly during?: (batch: Batch) => void | Promise<void>;
}

/** The run of every store in memory. */
export const RUN = "0123456789abcdef";

const OPENED: Omit<StoreOpened, "state"> = {
  run: RUN,
  seed: Uint32Array.from([1, 2, 3, 4]),
  eventIds: new Uint32Array(),
  requests: new Uint32Array(),
  uncleanRuns: 0,
  lostAtMost: 0,
  lastRunEnded: true,
  damage: { journalFiles: 0, journalBytes: 0, databases: 0, transactions: 0 },
};

/** See the head of this file. */
export class MemoryStore implements Store {
  /** What was committed, out of the journal too. */
  readonly rows: EventRow[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** Numbers of the batches that were committed. */
  readonly committed: number[] = [];
  /** Every batch it was given, rewrites included. */
  readonly writes: Batch[] = [];
  /** What of this run waits in the journal, the oldest first. */
  readonly journal: Batch[] = [];
  /** What goes wrong with the writes that no scripted fault is left for. */
  mode: Fault = "none";
  isClosed = false;
  readonly #options: MemoryStoreOptions;
  readonly #faults: Fault[];
  readonly #deadSequences: number[] = [];
  #events: StoreEvents | null = null;
  #lastNumber = 0;
  #settled = 0;
  #recoveredLeft: number;
  #recoveredDeadLetters = 0;
  #lost = 0;
  #underWay = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: MemoryStoreOptions = {}) {
    this.#options = options;
    this.#faults = [...options.faults ?? []];
    this.#recoveredLeft = options.recovered ?? 0;
  }

  /** Where the events are. */
  get state(): StoreState {
    return {
      settled: this.#settled,
      deadLettered: this.deadLetters.length + this.#recoveredDeadLetters,
      journaled: this.journal.reduce((sum, { events }) => sum + events, this.#recoveredLeft),
      recoveredLeft: this.#recoveredLeft,
      lost: this.#lost,
    };
  }

  open(events: StoreEvents): Promise<StoreOpened> {
    this.#events = events;
    return Promise.resolve({ ...OPENED, ...this.#options.opened, state: this.state });
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
      const outcome = this.#write(batch, this.#faults.shift() ?? this.mode);
      this.#tell();
      return outcome;
    } finally {
      this.#underWay--;
      done.resolve();
    }
  }

  /**
   * Applies so many batches of the journal, unless earlier runs have some in it before them; rows
   * that are refused become dead letters.
   */
  drain(batches = Infinity): void {
    if (this.#recoveredLeft > 0) return;
    for (const { number, events, rows } of this.journal.splice(0, batches)) {
      const aside = asideOf({ rows }).length;
      const batch = { number, events, rows, aside, skip: [], deadLetters: [] }; // it keeps no more
      const decoded = decodeRows(batch);
      const deadLetters = this.#refused(batch, decoded).map(({ index, reason }): DeadLetter => {
        const row = decoded.get(index);
        const { receivedAt = 0, source = "", protocol = "", metadata: raw = "" } = row ?? {};
        return { receivedAt, source, protocol, reason, raw, isDecoded: true, index };
      });
      this.#keep({ ...batch, skip: deadLetters.map(({ index }) => index), deadLetters });
      this.#tell();
    }
  }

  /** Has events of earlier runs leave the journal: some become dead letters, some are lost. */
  drainRecovered(events: number, { deadLetters = 0, lost = 0 } = {}): void {
    this.#recoveredLeft -= events;
    this.#recoveredDeadLetters += deadLetters;
    this.#lost += lost;
    this.#tell();
  }

  /** Destroys the journal: what of this run it held is settled and lost. */
  loseJournal(): void {
    for (const { number, events } of this.journal.splice(0)) {
      this.#lost += events;
      this.#settled += events;
      this.committed.push(number);
    }
    this.#tell();
  }

  receipt({ run, first, events }: Receipt): Promise<ReceiptState | null> {
    const isOf = (at: number) => at >= first && at < first + events;
    return Promise.resolve({
      settled: run === RUN ? this.#settled : null,
      deadLettered: this.#deadSequences.filter(isOf).length,
      isJournaled: this.state.journaled > 0,
    });
  }

  size(): Promise<StoreSize> {
    return Promise.resolve({ databaseBytes: 1, walBytes: 2, journalBytes: 3, freeBytes: 4 });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  #write(batch: Batch, fault: Fault): WriteOutcome {
    if (fault === "fail") return { kind: "failed", reason: "scripted" };
    if (batch.number > this.#lastNumber + 1) return { kind: "failed", reason: "too early" };
    if (batch.number > this.#lastNumber) {
      const rows = checked(batch);
      if (fault === "journal" || this.state.journaled > 0) this.journal.push(batch);
      else {
        const rejected = this.#refused(batch, rows);
        if (rejected.length > 0) {
          return { kind: "rejected", rows: rejected.slice(-(this.#options.rejectedMax ?? 1e9)) };
        }
        this.#keep(batch);
      }
      this.#lastNumber = batch.number;
    }
    if (fault === "in-doubt") return { kind: "failed", reason: "in doubt" };
    const isCommitted = batch.number <= (this.committed.at(-1) ?? 0);
    return { kind: isCommitted ? "committed" : "journaled" };
  }

  #tell(): void {
    this.#events?.state(this.state);
  }

  #refused(batch: Batch, rows: ReadonlyMap<number, EventRow>): RejectedRow[] {
    return [...rows].flatMap(([index, row]) => {
      const reason = batch.skip.includes(index) ? null : this.#options.reject?.(row) ?? null;
      return reason === null ? [] : [{ index, reason }];
    });
  }

  #keep(batch: Batch): void {
    for (const [index, row] of decodeRows(batch)) {
      if (!batch.skip.includes(index)) this.rows.push(row);
    }
    const letters = [...asideOf(batch), ...batch.deadLetters];
    this.deadLetters.push(...letters);
    this.#deadSequences.push(...letters.map(({ index }) => this.#settled + index));
    this.#settled += batch.events;
    this.committed.push(batch.number);
  }
}

/** The rows of a batch that keeps the contract, by position; throws if it does not. */
function checked(batch: Batch): ReadonlyMap<number, EventRow> {
  const rows = decodeRows(batch), aside = asideOf(batch).length;
  if (aside !== batch.aside || rows.size + aside !== batch.events) {
    throw new RangeError(
      `a batch of ${batch.events} events, ${batch.aside} of them dead letters, has ${rows.size} ` +
        `rows and ${aside} dead letters`,
    );
  }
  if (batch.skip.some((index, i) => index <= (batch.skip[i - 1] ?? -1) || !rows.has(index))) {
    throw new RangeError(`positions to skip are not rising or not rows: ${batch.skip}`);
  }
  return rows;
}

/** The rows of a batch by position, those to skip included. */
function decodeRows(batch: Batch): ReadonlyMap<number, EventRow> {
  const rows = new Map<number, EventRow>();
  decodeBatch(batch.rows, (row, index) => rows.set(index, row));
  return rows;
}

/** The dead letters among the rows of a batch. */
function asideOf({ rows }: Pick<Batch, "rows">): DeadLetter[] {
  return lettersOf(decodeGroups(rows));
}
