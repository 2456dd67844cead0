/**
 * The store as `worker_store.ts` and `worker.ts` make it of keeper, journal and recovery, with model
 * files and a model database beneath, and messages that take a millisecond each way.
 */

import { FINGERPRINT_WORDS } from "../../lib/event_ids.ts";
import { REQUEST_WORDS } from "../../lib/idempotency.ts";
import type {
  Batch,
  Receipt,
  ReceiptState,
  Store,
  StoreEvents,
  StoreOpened,
  StoreSize,
  WriteOutcome,
} from "../../lib/store.ts";
import { isBusy } from "../../lib/store/connection.ts";
import type { Progress } from "../../lib/store/database.ts";
import type { Journal } from "../../lib/store/journal.ts";
import { Keeper, type KeeperOptions } from "../../lib/store/keeper.ts";
import type { Before, Known } from "../../lib/store/messages.ts";
import { recover } from "../../lib/store/recovery.ts";
import { joined } from "../../lib/store/remembered.ts";
import { ModelDatabase, type ModelDisk } from "../fakes/model_database.ts";

/** What the journal's files are called. */
export const JOURNAL_PATH = "/data/events.db.journal";

/** How it is made. */
export interface ModelStoreOptions {
  readonly disk: ModelDisk;
  readonly run: string;
  readonly recentEventIds: number;
  readonly recentRequests: number;
  readonly journalBytes: number;
  /** What stands between keeper and journal. */
  readonly journalOf: (journal: Journal) => KeeperOptions<ModelDatabase>["journal"];
}

interface Opened {
  readonly opened: StoreOpened;
  readonly known: Known;
}

const GONE = Symbol("gone");
const MESSAGE_MS = 1;
const NO_PROGRESS: Progress = { lastBatch: 0, settled: 0, deadLettered: 0 };
/** So few that there are often several segments. */
const SEGMENT_BYTES = 600;
const DRAIN_BUDGET_MS = 20, CLOSE_BUDGET_MS = 2000;
/** More than there can be records: the clock of a simulation stands still meanwhile. */
const PARTS_MAX = 100;
const DRAIN_PAUSE_MS = { min: 20, max: 1000 };

/** See the head of this file. */
export class ModelStore implements Store {
  readonly #options: ModelStoreOptions;
  readonly #waiting = new Set<(answer: typeof GONE) => void>();
  #events: StoreEvents | null = null;
  #before: Before | null = null;
  #worker: ModelWorker | null = null;
  #opened: Promise<Opened | Error | typeof GONE> = Promise.resolve(GONE);

  constructor(options: ModelStoreOptions) {
    this.#options = options;
  }

  async open(events: StoreEvents): Promise<StoreOpened> {
    this.#events = events;
    const opened = await this.#start();
    if (opened === GONE) throw new Error("the store Worker ended while it started");
    if (opened instanceof Error) throw opened;
    this.#before = { known: opened.known, seed: opened.opened.seed };
    return opened.opened;
  }

  async write(batch: Batch): Promise<WriteOutcome> {
    if (this.#worker === null) this.#start();
    const opened = await this.#opened;
    if (opened instanceof Error) return { kind: "failed", reason: opened.message };
    const answer = await this.#ask(
      (worker) => worker.write(batch),
      ({ known }) => this.#onKnown(known),
    );
    return answer === GONE ? { kind: "failed", reason: "the store Worker ended" } : answer.outcome;
  }

  async receipt(receipt: Receipt): Promise<ReceiptState | null> {
    const state = await this.#ask((worker) => worker.receiptState(receipt));
    return state === GONE ? null : state;
  }

  size(): Promise<StoreSize> {
    return Promise.resolve({ databaseBytes: 0, walBytes: 0, journalBytes: 0, freeBytes: 0 });
  }

  async close(): Promise<void> {
    await this.#ask((worker) => worker.close());
    this.#worker = null;
  }

  #start(): Promise<Opened | Error | typeof GONE> {
    const worker = this.#worker = new ModelWorker(this.#options, {
      known: (known) => setTimeout(() => this.#onKnown(known), MESSAGE_MS),
      notice: (text) => setTimeout(() => this.#events?.notice(text), MESSAGE_MS),
      gone: () => this.#die(worker),
    });
    const before = this.#before;
    return this.#opened = this.#ask((worker) => worker.open(before));
  }

  #onKnown(known: Known): void {
    if (this.#before !== null) this.#before = { ...this.#before, known };
    this.#events?.state(known.state);
  }

  /** Asks the Worker; the answer comes in the order of the questions, unless the Worker is gone. */
  #ask<T>(
    question: (worker: ModelWorker) => T,
    onAnswer: (answer: T) => void = () => {},
  ): Promise<T | typeof GONE> {
    const worker = this.#worker;
    if (worker === null) return Promise.resolve(GONE);
    return new Promise((resolve) => {
      const gone = () => resolve(GONE);
      this.#waiting.add(gone);
      setTimeout(() => {
        if (worker.isGone) return;
        const answer = question(worker);
        if (worker.endsHere()) return;
        setTimeout(() => {
          this.#waiting.delete(gone);
          onAnswer(answer);
          resolve(answer);
        }, MESSAGE_MS);
        if (answer instanceof Error) worker.end(); // it did not open
        worker.afterAnswer();
      }, MESSAGE_MS);
    });
  }

  /** The Worker is gone; what it said before still arrives. */
  #die(worker: ModelWorker): void {
    setTimeout(() => {
      if (this.#worker === worker) this.#worker = null;
      this.#waiting.forEach((gone) => gone(GONE));
      this.#waiting.clear();
    }, MESSAGE_MS);
  }
}

/** What a Worker says unasked. */
interface ModelWorkerEvents {
  known(known: Known): void;
  notice(text: string): void;
  gone(): void;
}

/** The Worker's side, as `worker.ts` has it. */
class ModelWorker {
  isGone = false;
  #seed: Uint32Array | undefined;
  #keeper: Keeper<ModelDatabase> | null = null;
  #journal: Journal | null = null;
  #drainTimer: ReturnType<typeof setTimeout> | undefined;
  #drainPauseMs = 0;

  constructor(
    readonly options: ModelStoreOptions,
    readonly events: ModelWorkerEvents,
  ) {}

  /** Whether it ended, or the machine did, in the call before. */
  endsHere(): boolean {
    const { machine } = this.options.disk;
    if (machine.down === "worker") {
      machine.down = null;
      this.end();
    }
    return this.isGone || machine.down !== null;
  }

  /** Ends it: what it holds in memory is lost, what is in its files is not. */
  end(): void {
    clearTimeout(this.#drainTimer);
    this.isGone = true;
    this.events.gone();
  }

  open(before: Before | null): Opened | Error {
    try {
      return this.#open(before);
    } catch (error) {
      return error as Error;
    }
  }

  #open(before: Before | null): Opened {
    const { run, recentEventIds, recentRequests, journalBytes, disk } = this.options;
    this.#seed = before?.seed;
    const taken = before === null ? this.#takeOverFirst() : this.#takeOverAgain(before);
    const { database, progress } = taken;
    const remembered = before === null
      ? database?.remembered(recentEventIds, recentRequests) ?? null
      : null;
    this.#seed ??= remembered?.seed;
    const recovery = recover({
      path: JOURNAL_PATH,
      bytesMax: journalBytes,
      segmentBytes: SEGMENT_BYTES,
      files: disk.machine.files,
      run,
      database,
      remember: remembered &&
        { seed: remembered.seed, eventIds: recentEventIds, requests: recentRequests },
    });
    const journal = this.#journal = recovery.journal;
    const more = progress.deadLettered - (before?.known.progress.deadLettered ?? 0);
    const state = before?.known.state ?? { deadLettered: 0, lost: 0 };
    this.#keeper = new Keeper<ModelDatabase>({
      ...recovery,
      database,
      progress,
      lastNumber: Math.max(
        progress.lastBatch,
        recovery.lastNumber,
        before?.known.lastNumber ?? 0,
      ),
      before: { ...state, deadLettered: state.deadLettered + Math.max(0, more) },
    }, {
      run,
      seed: this.#seed,
      mayJournal: true,
      journal: this.options.journalOf(journal),
      open: () => this.#openDatabase(),
      moveAside: null,
      notice: (text) => this.events.notice(text),
    });
    this.#drainLater();
    const none = new Uint32Array();
    const eventWords = recentEventIds * FINGERPRINT_WORDS;
    const { files, bytes } = journal.damage;
    const opened = {
      seed: this.#seed ?? none,
      lastRunEnded: true,
      uncleanRuns: 0,
      lostAtMost: 0,
      ...remembered,
      run,
      eventIds: joined([remembered?.eventIds ?? none, recovery.eventIds], eventWords),
      requests: joined(
        [remembered?.requests ?? none, recovery.requests],
        recentRequests * REQUEST_WORDS,
      ),
      state: this.#keeper.state,
      damage: { journalFiles: files, journalBytes: bytes, databases: 0, transactions: 0 },
    };
    return { opened, known: this.known() };
  }

  #takeOverFirst(): { database: ModelDatabase | null; progress: Progress } {
    const database = this.#openDatabase();
    return { database, progress: database.takeOver(NO_PROGRESS) };
  }

  #takeOverAgain({ known, seed }: Before): { database: ModelDatabase | null; progress: Progress } {
    const progress = { ...known.progress, settled: known.state.settled };
    try {
      const database = this.#openDatabase();
      return { database, progress: database.takeOver(progress, seed) };
    } catch {
      return { database: null, progress };
    }
  }

  known(): Known {
    if (this.#keeper === null) throw new TypeError("a question before the opening");
    const { progress, lastNumber, state } = this.#keeper;
    return { progress, lastNumber, state };
  }

  write(batch: Batch): { readonly outcome: WriteOutcome; readonly known: Known } {
    if (this.#keeper === null) throw new TypeError("a write before the opening");
    return { outcome: this.#keeper.write(batch), known: this.known() };
  }

  afterAnswer(): void {
    if (!this.isGone) this.#drainLater();
  }

  receiptState(receipt: Receipt): ReceiptState | null {
    try {
      const database = this.#keeper?.database ?? null;
      if (database === null) return null;
      return {
        settled: database.progress(receipt.run)?.settled ?? null,
        deadLettered: database.deadLettered(receipt),
        isJournaled: this.#keeper?.isJournaling ?? false,
      };
    } catch {
      return null;
    }
  }

  close(): void {
    clearTimeout(this.#drainTimer);
    this.#drain(CLOSE_BUDGET_MS);
    try {
      this.#keeper?.database?.endRun();
      this.#keeper?.database?.checkpointAll();
    } catch { /* the next start reads log and journal */ }
    this.#keeper?.close();
    this.#journal?.close();
    this.isGone = true;
  }

  #openDatabase(): ModelDatabase {
    const database = new ModelDatabase(this.options.disk, this.options.run);
    try {
      database.rewriteLog();
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    return database;
  }

  #drainLater(): void {
    if (!this.#keeper?.isJournaling || this.#drainTimer !== undefined) return;
    this.#drainTimer = setTimeout(() => {
      this.#drainTimer = undefined;
      this.#drain(DRAIN_BUDGET_MS);
      if (!this.endsHere()) this.#drainLater();
    }, this.#drainPauseMs);
  }

  #drain(budgetMs: number): void {
    const endMs = performance.now() + budgetMs;
    const { machine } = this.options.disk;
    let parts = 0;
    try {
      while (this.#keeper?.isJournaling && performance.now() < endMs && parts++ <= PARTS_MAX) {
        this.#keeper.drain();
        if (machine.down !== null) return;
        this.events.known(this.known());
      }
      this.#drainPauseMs = 0;
    } catch {
      if (machine.down !== null) return;
      this.events.known(this.known());
      const { min, max } = DRAIN_PAUSE_MS;
      this.#drainPauseMs = Math.min(max, Math.max(min, this.#drainPauseMs * 2));
    }
    if (parts > PARTS_MAX) throw new Error("the journal is drained without end");
  }
}
