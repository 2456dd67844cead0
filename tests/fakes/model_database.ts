/**
 * A model of the write side of `events.db`: what is committed, what of it is flushed, and what
 * cannot be known. It is as strict as the real one and knows more ways to fail.
 *
 * ```text
 *  commit ── log written ── log flushed ──► visible, durable
 *               │                │
 *               │ fails          │ fails: in doubt, and no later flush writes what this one left;
 *               ▼ not there      ▼ only a checkpoint does
 * ```
 */

import { decodeBatch, decodeGroups, type EventRow } from "../../lib/event.ts";
import { FINGERPRINT_WORDS, SourceSeeds } from "../../lib/event_ids.ts";
import { REQUEST_WORDS } from "../../lib/idempotency.ts";
import type { Batch, Receipt, StoreOpened, WriteOutcome } from "../../lib/store.ts";
import { DatabaseMoved, type Progress } from "../../lib/store/database.ts";
import { rebuildRaw } from "../../lib/store/dead_letter.ts";
import { SqliteError } from "../../lib/sqlite/driver.ts";
import type { JournalRecord } from "../../lib/store/journal_record.ts";
import type { KeptDatabase } from "../../lib/store/keeper.ts";
import { joined, rememberedOf } from "../../lib/store/remembered.ts";
import type { ModelMachine } from "./model_machine.ts";

/** An event that is a row or a dead letter. */
export interface Kept {
  readonly run: string;
  /** Its number among those of its run, from 0. */
  readonly sequence: number;
  /** The event; for a dead letter its text. */
  readonly row: EventRow | string;
}

interface ModelRun extends Progress {
  readonly number: number;
  readonly isEnded: boolean;
}

/** All that a database holds; never changed, only replaced. */
export interface ModelState {
  readonly seed: Uint32Array;
  readonly kept: readonly Kept[];
  readonly runs: ReadonlyMap<string, ModelRun>;
  readonly eventIds: readonly Uint32Array[];
  readonly requests: readonly Uint32Array[];
}

/** A database file with its log. */
export interface ModelDatabaseFile {
  visible: ModelState;
  durable: ModelState;
  /** A commit of which it is not known whether the log holds it. */
  doubt: ModelState | null;
  /** Whether a flush failed since the last checkpoint. */
  isFlushLost: boolean;
}

/** What is wrong with the database: another holds its lock, the disk is full, or it can not be read. */
export type Fault = "locked" | "full" | "failing";

/** What the plain bugs of a database are; for tests of tests. */
export interface ModelBugs {
  /** Whether a batch that is there already is left out. */
  readonly comparesNumbers: boolean;
  /** Whether a commit is flushed before it is answered. */
  readonly flushes: boolean;
  /** Whether a recheck or writing the log again writes anything. */
  readonly rechecks: boolean;
}

const BUSY = 5, IOERR_READ = 266, IOERR_FSYNC = 1034, FULL = 13, CONSTRAINT = 19;
const EMPTY: Omit<ModelState, "seed"> = { kept: [], runs: new Map(), eventIds: [], requests: [] };
const NEW_RUN = { lastBatch: 0, settled: 0, deadLettered: 0 };
const POISON = '"poison"';

/** The disk that database files are on. */
export class ModelDisk {
  /** Databases that somebody moved away, the oldest first. */
  readonly moved: ModelDatabaseFile[] = [];
  file: ModelDatabaseFile | null = null;
  fault: Fault | null = null;

  constructor(
    readonly machine: ModelMachine,
    readonly chance: () => number,
    readonly bugs: ModelBugs = { comparesNumbers: true, flushes: true, rechecks: true },
  ) {}

  /** Opens the database, making it if it is not there; a commit in doubt is there then, or not. */
  openFile(): ModelDatabaseFile {
    if (this.fault === "failing") throw sqliteError(IOERR_READ);
    if (this.file === null) {
      const seed = Uint32Array.from({ length: FINGERPRINT_WORDS }, () => this.chance() * 2 ** 32);
      const state = { ...EMPTY, seed };
      this.file = { visible: state, durable: state, doubt: null, isFlushLost: false };
    }
    settleDoubt(this.file, this.chance);
    return this.file;
  }

  moveAway(): void {
    if (this.file !== null) this.moved.push(this.file);
    this.file = null;
  }

  /** A power cut: what was not flushed is there or not. */
  cutPower(): void {
    for (const file of [...this.moved, ...this.file === null ? [] : [this.file]]) {
      settleDoubt(file, this.chance);
      if (this.chance() < 0.5) file.visible = file.durable;
      file.durable = file.visible;
      file.isFlushLost = false;
    }
  }
}

/** One connection to it. See the head of this file. */
export class ModelDatabase implements KeptDatabase {
  readonly #disk: ModelDisk;
  readonly #run: string;
  readonly #file: ModelDatabaseFile;

  /** @throws {SqliteError} */
  constructor(disk: ModelDisk, run: string) {
    this.#disk = disk;
    this.#run = run;
    this.#file = disk.openFile();
  }

  get isInPlace(): boolean {
    return this.#file === this.#disk.file;
  }

  get seed(): Uint32Array {
    return this.#file.visible.seed;
  }

  takeOver(known: Progress, seed?: Uint32Array): Progress {
    const state = this.#begin();
    const runs = new Map(state.runs);
    const number = 1 + Math.max(0, ...[...runs.values()].map(({ number }) => number));
    const before = runs.get(this.#run) ?? { ...NEW_RUN, number };
    const run = {
      ...before,
      lastBatch: Math.max(before.lastBatch, known.lastBatch),
      settled: Math.max(before.settled, known.settled),
      isEnded: false,
    };
    runs.set(this.#run, run);
    const isOther = seed !== undefined && seed.join() !== state.seed.join();
    this.#commit({ ...state, runs, ...isOther && { seed, eventIds: [], requests: [] } });
    return run;
  }

  /** What it remembers, at most so many of each. */
  remembered(
    recentEventIds: number,
    recentRequests: number,
  ): Omit<StoreOpened, "run" | "state" | "damage"> {
    const { seed, eventIds, requests, runs } = this.#read();
    const others = [...runs].filter(([id]) => id !== this.#run).map(([, run]) => run);
    const last = others.toSorted((a, b) => b.number - a.number)[0];
    return {
      seed,
      eventIds: joined(eventIds, recentEventIds * FINGERPRINT_WORDS),
      requests: joined(requests, recentRequests * REQUEST_WORDS),
      lastRunEnded: last?.isEnded ?? true,
      uncleanRuns: others.filter(({ isEnded }) => !isEnded).length,
      lostAtMost: 0,
    };
  }

  progress(run: string): Progress | null {
    return this.#read().runs.get(run) ?? null;
  }

  deadLettered({ run, first, events }: Receipt): number {
    return this.#read().kept.filter((each) =>
      typeof each.row === "string" && each.run === run && each.sequence >= first &&
      each.sequence < first + events
    ).length;
  }

  write(batch: Batch): WriteOutcome {
    let state = this.#begin();
    const last = this.#mustBeNewest(state).lastBatch;
    if (batch.number > last + 1) {
      return { kind: "failed", reason: `batch ${last + 1} comes before ${batch.number}` };
    }
    if (batch.number > last || !this.#disk.bugs.comparesNumbers) {
      const rejected = rejectedRows(batch);
      if (rejected.length > 0) return { kind: "rejected", rows: rejected };
      state = this.#insert(state, this.#run, batch);
      this.#commit(state);
    }
    this.#mustBeInPlace();
    return { kind: "committed" };
  }

  apply(records: readonly JournalRecord[]): number {
    let state = this.#begin(), deadLetters = 0;
    this.#mustBeNewest(state);
    for (const { run, number, events, rows } of records) {
      if (number <= (state.runs.get(run)?.lastBatch ?? 0) && this.#disk.bugs.comparesNumbers) {
        continue;
      }
      const rejected = rejectedRows({ rows, skip: [] });
      if (rejected.length > 0 && records.length > 1) throw sqliteError(CONSTRAINT);
      deadLetters += rejected.length;
      const batch = {
        number,
        events,
        rows,
        aside: 0,
        skip: rejected.map(({ index }) => index),
        deadLetters: rebuildRaw(rows, rejected),
      };
      state = this.#insert(state, run, batch);
    }
    if (state !== this.#file.visible) this.#commit(state);
    this.#mustBeInPlace();
    return deadLetters;
  }

  checkpointAll(): void {
    this.#read();
    this.#operation(IOERR_FSYNC);
    this.#file.durable = this.#file.visible;
    this.#file.isFlushLost = false;
  }

  leave(): string | null {
    this.checkpointAll();
    return null;
  }

  rewriteLog(): void {
    if (this.#disk.bugs.rechecks) this.checkpointAll();
  }

  recheck(): void {
    this.rewriteLog();
  }

  endRun(): void {
    const state = this.#begin();
    const run = state.runs.get(this.#run);
    if (run === undefined) return;
    this.#commit({ ...state, runs: new Map(state.runs).set(this.#run, { ...run, isEnded: true }) });
  }

  /** The last connection that is closed empties the log, if it can. */
  close(): void {
    if (this.#disk.machine.down !== null || this.#disk.fault !== null) return;
    if (this.#disk.chance() < 0.5 || this.#file.doubt !== null) return;
    this.checkpointAll();
  }

  #insert(state: ModelState, run: string, batch: Batch): ModelState {
    const number = -state.runs.size;
    const before = state.runs.get(run) ?? { ...NEW_RUN, number, isEnded: true };
    const kept = keptOf(batch, run, before.settled);
    if (kept.length !== batch.events) throw new RangeError(`${kept.length} rows: ${batch.events}`);
    const { eventIds, requests } = rememberedOf(
      decodeGroups(batch.rows),
      new SourceSeeds(state.seed),
    );
    const after = {
      ...before,
      lastBatch: batch.number,
      settled: before.settled + batch.events,
      deadLettered: before.deadLettered + batch.deadLetters.length,
    };
    return {
      ...state,
      kept: [...state.kept, ...kept],
      runs: new Map(state.runs).set(run, after),
      eventIds: [...state.eventIds, ...eventIds],
      requests: [...state.requests, ...requests],
    };
  }

  #read(): ModelState {
    if (this.#disk.fault === "failing" && this.isInPlace) throw sqliteError(IOERR_READ);
    return this.#file.visible;
  }

  #begin(): ModelState {
    const state = this.#read();
    if (this.#disk.fault === "locked" && this.isInPlace) throw sqliteError(BUSY);
    return state;
  }

  #commit(state: ModelState): void {
    const file = this.#file;
    if (this.#disk.fault === "full") throw sqliteError(FULL);
    this.#operation(IOERR_FSYNC);
    file.doubt = state;
    try {
      this.#operation(IOERR_FSYNC);
    } catch (error) {
      const code = (error as SqliteError).primaryCode;
      if (code === FULL) file.doubt = null;
      if (code === (IOERR_FSYNC & 0xff)) file.isFlushLost = true;
      throw error;
    }
    file.doubt = null;
    file.visible = state;
    if (this.#disk.bugs.flushes && !file.isFlushLost) file.durable = state;
  }

  #operation(code: number): void {
    try {
      this.#disk.machine.operation();
    } catch (error) {
      const system = (error as { code?: unknown }).code;
      if (system === undefined) throw error; // the machine is down
      throw sqliteError(system === "ENOSPC" ? FULL : code);
    }
  }

  #mustBeNewest({ runs }: ModelState): ModelRun {
    const run = runs.get(this.#run);
    if (run === undefined) throw new SqliteError("the run is not in the table", 11, undefined);
    for (const { number } of runs.values()) {
      if (number > run.number) throw new SqliteError("another collector writes", 1, undefined);
    }
    return run;
  }

  #mustBeInPlace(): void {
    if (!this.isInPlace) throw new DatabaseMoved("the database was moved or deleted");
  }
}

function settleDoubt(file: ModelDatabaseFile, chance: () => number): void {
  if (file.doubt !== null && chance() < 0.5) file.visible = file.doubt;
  file.doubt = null;
}

function rejectedRows({ rows, skip }: Pick<Batch, "rows" | "skip">) {
  const rejected: { index: number; reason: string }[] = [];
  let index = 0;
  decodeBatch(rows, ({ metadata }) => {
    if (metadata.includes(POISON) && !skip.includes(index)) {
      rejected.push({ index, reason: "it is poison" });
    }
    index++;
  });
  return rejected;
}

/** The rows and dead letters of a batch, in order. */
function keptOf({ rows, skip, deadLetters }: Batch, run: string, settled: number): Kept[] {
  const kept: Kept[] = [];
  let index = 0;
  decodeBatch(rows, (row) => {
    const sequence = settled + index;
    if (!skip.includes(index)) kept.push({ run, sequence, row });
    for (const letter of deadLetters) {
      if (letter.index === index) kept.push({ run, sequence, row: letter.raw });
    }
    index++;
  });
  return kept;
}

function sqliteError(code: number): SqliteError {
  return new SqliteError(`SQLite error ${code}`, code, undefined);
}
