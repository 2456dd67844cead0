/**
 * Keeps batches: in the database or, while it can not take them, in the journal beside it, from
 * where they go on into the database in the same order.
 *
 * ```text
 *              journal is empty                      database takes it
 *  write ─────────────────────────────► database ─────────────────────► committed
 *    │                                     │ it does not
 *    │ journal is not empty                ▼
 *    └───────────────────────────────► journal ───► journaled
 *                                          │
 *                                          └── drain, again and again ──► database
 * ```
 *
 * A commit whose outcome is not known needs no care: the batch goes to the journal, and the database
 * leaves out what it has already, by the run and number that it keeps in the same transaction.
 *
 * Synchronous, without timers and threads: `worker.ts` has these. Both parts below come from
 * outside, so that a simulation can put a file system beneath them that forgets.
 */

import type { Batch, StoreState, WriteOutcome } from "../store.ts";
import { isCorrupt, isPermanent, isTransient } from "./connection.ts";
import type { Database, Progress } from "./database.ts";
import type { Journal } from "./journal.ts";
import type { JournalRecord } from "./journal_record.ts";

/** What a keeper needs of a database. */
export type KeptDatabase = Pick<
  Database,
  "apply" | "close" | "isInPlace" | "leave" | "progress" | "recheck" | "takeOver" | "write"
>;

/** How a keeper is made. */
export interface KeeperOptions<D extends KeptDatabase> {
  /** The run whose batches are written. */
  readonly run: string;
  /** Seed of the fingerprints that the run has made; of the database's own if there is none. */
  readonly seed?: Uint32Array | undefined;
  /** Whether a batch may go to the journal; if not, it is `failed` when the database fails. */
  readonly mayJournal: boolean;
  /** The journal, open. */
  readonly journal: Pick<Journal, "append" | "events" | "isEmpty" | "peek" | "removeFirst">;
  /** Opens the database again. @throws if that fails. */
  readonly open: () => D;
  /** Moves a corrupt database aside, so that the next opening makes a new one; null if it must not. */
  readonly moveAside: (() => void) | null;
  /** Told what the operator must know. */
  readonly notice: (text: string) => void;
}

/** Where a keeper begins. */
export interface KeeperStart<D extends KeptDatabase> {
  /** The database, taken over by the run; null if it can not be opened at present. */
  readonly database: D | null;
  /** How far the run is known to have got in it. */
  readonly progress: Progress;
  /** Number of the run's last batch that is in the database or the journal. */
  readonly lastNumber: number;
  /** Events in the journal that are not known to be in the database, each counted once. */
  readonly journaled: number;
  /** Those of them that are of earlier runs. */
  readonly recovered: number;
  /** What became of events since the start of the run, before this keeper. */
  readonly before: Pick<StoreState, "deadLettered" | "lost">;
}

const DRAIN_LIMIT = { eventsMax: 10_000, bytesMax: 8 * 1024 * 1024 };

/** See the head of this file. */
export class Keeper<D extends KeptDatabase> {
  readonly #options: KeeperOptions<D>;
  #database: D | null;
  #lastNumber: number;
  /** How far this run has got in the database. */
  #progress: Progress;
  #journaled: number;
  #recoveredLeft: number;
  /** Since the start of the run, here and in databases that were moved away. */
  #deadLettered: number;
  #lost: number;
  /** Lost events of this run that the database has not been told of. */
  #lostUntold = 0;
  /** The last number of each run that left the journal: a batch may be in it twice. */
  readonly #drained = new Map<string, number>();
  /** Whether the last connection met an error of the disk. */
  #isSuspect = false;
  #isJournaling: boolean;

  /** Goes on where the run has got to. */
  constructor(start: KeeperStart<D>, options: KeeperOptions<D>) {
    this.#options = options;
    this.#database = start.database;
    this.#progress = start.progress;
    this.#lastNumber = start.lastNumber;
    this.#journaled = start.journaled;
    this.#recoveredLeft = start.recovered;
    this.#deadLettered = start.before.deadLettered;
    this.#lost = start.before.lost;
    this.#isJournaling = !options.journal.isEmpty;
  }

  /** The connection, null while there is none. */
  get database(): D | null {
    return this.#database;
  }

  /** Whether there is something to drain. */
  get isJournaling(): boolean {
    return this.#isJournaling;
  }

  /** Number of the run's last batch that is in the database or the journal. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** How far the run has got in the database. */
  get progress(): Progress {
    return this.#progress;
  }

  /** Where the events are. */
  get state(): StoreState {
    return {
      settled: this.#progress.settled + this.#lostUntold,
      deadLettered: this.#deadLettered,
      journaled: this.#journaled,
      recoveredLeft: this.#recoveredLeft,
      lost: this.#lost,
    };
  }

  /** Keeps a batch. Never throws: what goes wrong is an outcome. */
  write(batch: Batch): WriteOutcome {
    if (batch.number > this.#lastNumber + 1) {
      const reason = `batch ${this.#lastNumber + 1} comes before ${batch.number}`;
      return { kind: "failed", reason };
    }
    if (batch.number <= this.#lastNumber) {
      const isCommitted = batch.number <= this.#progress.lastBatch;
      return { kind: isCommitted ? "committed" : "journaled" };
    }
    const outcome = this.#isJournaling ? this.#journal(batch) : this.#commitOrJournal(batch);
    if (outcome.kind === "committed" || outcome.kind === "journaled") {
      this.#lastNumber = batch.number;
    }
    return outcome;
  }

  /** Applies a part of the journal to the database. @throws why it could not: try again later. */
  drain(): void {
    const { journal } = this.#options;
    const before = journal.events;
    let records = journal.peek(DRAIN_LIMIT);
    this.#lose(before - journal.events);
    if (records.length === 0) return this.#endJournaling();
    const deadLetters = this.#use((database) => {
      try {
        return database.apply(records);
      } catch (error) {
        if (!isPermanent(error) || records.length === 1) throw error;
        records = records.slice(0, 1); // a row that never goes in: find it in the smallest part
        return database.apply(records);
      }
    });
    const own = this.#progress.deadLettered;
    this.#leaveJournal(records);
    // Those of this run are counted with its progress: records of both may be applied together.
    this.#deadLettered += Math.max(0, deadLetters - (this.#progress.deadLettered - own));
    if (journal.isEmpty) this.#endJournaling();
  }

  /**
   * Has the database do something that no batch needs, and opens it again if it must.
   *
   * @throws why it could not; a connection that can then not be trusted is closed, as after a batch.
   */
  use<T>(call: (database: D) => T): T {
    return this.#use(call);
  }

  /** Closes the database. What is in the journal stays there. */
  close(): void {
    this.#abandon();
  }

  #commitOrJournal(batch: Batch): WriteOutcome {
    let reason: string;
    try {
      const outcome = this.#use((database) => database.write(batch));
      if (outcome.kind !== "failed") {
        if (outcome.kind === "committed") this.#advance(batch);
        return outcome;
      }
      reason = outcome.reason;
    } catch (error) {
      reason = messageOf(error);
    }
    if (!this.#options.mayJournal) return { kind: "failed", reason };
    const outcome = this.#journal(batch);
    if (outcome.kind === "failed") {
      return { kind: "failed", reason: `${reason}; and the journal: ${outcome.reason}` };
    }
    this.#isJournaling = true;
    this.#options.notice(`the database can not take events, they go to the journal: ${reason}`);
    return outcome;
  }

  #journal({ number, events, rows }: Batch): WriteOutcome {
    if (!this.#options.mayJournal) {
      return { kind: "failed", reason: "the journal of an earlier run is being applied" };
    }
    try {
      this.#options.journal.append({ run: this.#options.run, number, events, rows });
      this.#journaled += events;
      return { kind: "journaled" };
    } catch (error) {
      return { kind: "failed", reason: messageOf(error) };
    }
  }

  /** The records are in the database, now or since before. */
  #leaveJournal(records: readonly JournalRecord[]): void {
    for (const { run, number, events } of records) {
      if (number <= (this.#drained.get(run) ?? 0)) continue;
      this.#drained.set(run, number);
      this.#journaled -= events;
      if (run !== this.#options.run) this.#recoveredLeft -= events;
    }
    const progress = this.#database?.progress(this.#options.run);
    if (progress) this.#noteProgress(progress);
    try {
      this.#options.journal.removeFirst(records.length);
    } catch (error) {
      this.#options.notice(messageOf(error)); // it is tried again later
    }
  }

  /** Somebody took away what the journal held. */
  #lose(events: number): void {
    const lost = Math.min(events, this.#journaled); // what was there twice is not lost
    if (lost <= 0) return;
    const ofEarlierRuns = Math.min(lost, this.#recoveredLeft); // they come first in it
    this.#lost += lost;
    this.#lostUntold += lost - ofEarlierRuns;
    this.#journaled -= lost;
    this.#recoveredLeft -= ofEarlierRuns;
    this.#options.notice(`${lost} events that were in the journal can not be read any more`);
  }

  #endJournaling(): void {
    if (this.#lostUntold > 0) {
      const { lastBatch, settled, deadLettered } = this.#progress;
      const known = { lastBatch, settled: settled + this.#lostUntold, deadLettered };
      this.#noteProgress(this.#use((database) => database.takeOver(known)));
      this.#lostUntold = 0;
    }
    this.#isJournaling = false;
    this.#options.notice("the database takes events again; the journal is applied");
  }

  #advance({ number, events, aside, deadLetters }: Batch): void {
    const { lastBatch, settled, deadLettered } = this.#progress;
    if (number <= lastBatch) return; // it was there, as the database said when it was opened again
    this.#noteProgress({
      lastBatch: number,
      settled: settled + events,
      deadLettered: deadLettered + aside + deadLetters.length,
    });
  }

  /** A new database knows of no dead letters in the one before. */
  #noteProgress(progress: Progress): void {
    this.#deadLettered += Math.max(0, progress.deadLettered - this.#progress.deadLettered);
    this.#progress = progress;
  }

  /** Runs a call on the open database, and lets go of a connection that can not be trusted. */
  #use<T>(call: (database: D) => T): T {
    const database = this.#database ?? this.#reopen();
    try {
      return call(database);
    } catch (error) {
      if (isTransient(error) || isPermanent(error)) throw error;
      if (!database.isInPlace) this.#leave(database);
      else {
        this.#isSuspect = true;
        if (isCorrupt(error)) this.#setAside(error); // before it is closed, which would change it
      }
      this.#abandon();
      throw error;
    }
  }

  /** The file was moved or deleted: all that was committed goes with it, not only what it holds. */
  #leave(database: D): void {
    const { notice } = this.#options;
    notice("the database was moved or deleted; events go into the one at its path, or a new one");
    const log = database.leave();
    if (log === null) return;
    notice(
      `a reader kept its newest events from being written into it: their log is kept as ${log}`,
    );
  }

  #reopen(): D {
    try {
      const database = this.#database = this.#options.open();
      if (this.#isSuspect) database.recheck();
      this.#noteProgress(database.takeOver(this.#progress, this.#options.seed));
      this.#isSuspect = false;
      return database;
    } catch (error) {
      if (!isTransient(error)) this.#isSuspect = true;
      if (isCorrupt(error)) this.#setAside(error);
      this.#abandon();
      throw error;
    }
  }

  #setAside(error: unknown): void {
    const { moveAside, notice } = this.#options;
    if (moveAside === null) return;
    notice(`the database is damaged and is moved aside: ${messageOf(error)}`);
    moveAside();
    this.#isSuspect = false;
  }

  /** Closes the connection; the next call opens another. */
  #abandon(): void {
    const closing = this.#database;
    this.#database = null;
    try {
      closing?.close();
    } catch { /* it was broken before */ }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
