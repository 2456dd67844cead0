/**
 * The write side of `events.db`: one transaction a batch, checkpoints, what it remembers of recent
 * events, requests and runs.
 *
 * Synchronous from end to end, so it lives in the store Worker.
 */

import { decodeGroups } from "../event.ts";
import type { GateMemory } from "../log_gate.ts";
import type {
  Batch,
  DeadLetter,
  DeadLetterPage,
  IdRange,
  Receipt,
  RejectedRow,
  StoredDeadLetter,
  StoreOpened,
  WriteOutcome,
} from "../store.ts";
import {
  type ConnectionOptions,
  damaged,
  explain,
  heldUp,
  isPermanent,
  openConnection,
  PAGE_BYTES,
  pragma,
} from "./connection.ts";
import { Checkpoints } from "./checkpoints.ts";
import { lettersOf, rebuildRaw } from "./dead_letter.ts";
import { DeadLettersTable } from "./dead_letters_table.ts";
import { type Connection, SqliteError, type Statement } from "../sqlite/driver.ts";
import { fileIdentity, setLogAside } from "./files.ts";
import type { JournalRecord } from "./journal_record.ts";
import { RememberedTables, type RememberedTablesOptions } from "./remembered_tables.ts";
import { RowInserter } from "./row_inserter.ts";
import { type Run, type RunRow, RunsTable } from "./runs_table.ts";
import { Upkeep } from "./upkeep.ts";

/** How a database is opened. */
export interface DatabaseOptions extends ConnectionOptions, RememberedTablesOptions {
  /** Who writes: the same over restarts of the Worker, another for another process. */
  readonly run: Run;
  /** How long a statement waits for a lock of another program once the run has taken over, in ms. */
  readonly busyTimeoutMs: number;
  /** How far the log may grow while a reader keeps it from being emptied, in bytes. */
  readonly walBytesMax: number;
  /** Keeps the readers of this process off for a moment. */
  readonly gate?: GateMemory;
}

/** What is inserted in one transaction. */
type Inserted = Omit<Batch, "aside">;

/** How far a run has got. */
export type Progress = Pick<RunRow, "lastBatch" | "settled" | "deadLettered">;

const QUICK_CHECK_BYTES_MAX = 256 * 1024 * 1024;

/** Thrown when the file at the path is not the one that was opened: what was written is not there. */
export class DatabaseMoved extends Error {}

/** See the head of this file. */
export class Database {
  /** What is done beside batches; what changes something goes through {@linkcode Database.change}. */
  readonly upkeep: Upkeep;
  readonly #options: DatabaseOptions;
  readonly #connection: Connection;
  readonly #identity: string | null;
  readonly #rows: RowInserter;
  readonly #runs: RunsTable;
  readonly #remembered: RememberedTables;
  readonly #deadLetters: DeadLettersTable;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #checkpoints: Checkpoints;

  /**
   * Opens the database, making it if it is not there.
   *
   * @throws {CollectorError} if it is not a database of this program, or can not be used.
   */
  constructor(options: DatabaseOptions) {
    this.#options = options;
    const connection = this.#connection = openConnection(options);
    this.#checkpoints = new Checkpoints(connection, options.walBytesMax, options.gate);
    try {
      this.#identity = fileIdentity(options.path);
      this.#begin = connection.prepare("BEGIN IMMEDIATE");
      this.#commit = connection.prepare("COMMIT");
      this.#rollback = connection.prepare("ROLLBACK");
      this.upkeep = new Upkeep(connection);
      this.#rows = new RowInserter(connection);
      this.#runs = new RunsTable(connection);
      this.#deadLetters = new DeadLettersTable(connection);
      this.#remembered = new RememberedTables(connection, options);
    } catch (error) {
      connection.close();
      throw explain(error, options.path);
    }
  }

  /** Whether the file at the path is still the one that was opened. */
  get isInPlace(): boolean {
    return fileIdentity(this.#options.path) === this.#identity;
  }

  /**
   * Makes this run the one that writes, as far as it is known to have got: a database that was put
   * in the place of another may say less.
   *
   * @param seed Of the fingerprints that the run has made so far, if there are any.
   * @throws {SqliteError}
   */
  takeOver(known: Progress, seed: Uint32Array = this.seed): Progress {
    const progress = this.#transaction(() => {
      this.#remembered.writeSeed(seed);
      return this.#runs.takeOver(this.#options.run, known);
    });
    this.#remembered.useSeed(seed);
    this.waitForLocks(this.#options.busyTimeoutMs);
    return progress;
  }

  /** How long a statement waits for a lock from now on, in ms. @throws {SqliteError} */
  waitForLocks(ms: number): void {
    pragma(this.#connection, "busy_timeout", ms);
  }

  /** Seed of its fingerprints. */
  get seed(): Uint32Array {
    return this.#remembered.seed;
  }

  /** What it remembers, for a collector that starts. @throws {SqliteError} */
  remembered(): Omit<StoreOpened, "run" | "state" | "damage"> {
    return { ...this.#remembered.all(), ...this.#runs.before(this.#options.run.id) };
  }

  /** How far a run has got; null if it is not known. @throws {SqliteError} */
  progress(run: string): Progress | null {
    return this.#runs.read(run);
  }

  /** How many of a receipt's events are dead letters. @throws {SqliteError} */
  deadLettered(receipt: Receipt): number {
    return this.#deadLetters.countOf(receipt);
  }

  /** Dead letters, the oldest first. @throws {SqliteError} */
  deadLetters(page: DeadLetterPage): StoredDeadLetter[] {
    return this.#deadLetters.page(page);
  }

  /** Removes dead letters and gives their number. @throws {SqliteError} */
  removeDeadLetters(ids: IdRange): number {
    return this.#transaction(() => this.#deadLetters.remove(ids));
  }

  /**
   * Runs work of {@linkcode Database.upkeep} in one transaction, unless another run writes now.
   *
   * @throws {SqliteError} if it failed; nothing is then known to be changed.
   */
  change<T>(work: () => T): T {
    this.#checkpoints.makeRoom();
    const before = this.upkeep.room().freeBytes;
    const result = this.#transaction(() => {
      this.#newestRun();
      return work();
    });
    // Each page that gets free, or is given back after its content was moved, goes through the log.
    this.#checkpoints.committed(Math.abs(this.upkeep.room().freeBytes - before));
    return result;
  }

  /**
   * Writes a batch of this run in one transaction, unless it is there already, the one before it is
   * not, or another run writes now.
   *
   * @throws {SqliteError} if it failed; nothing is then known to be stored.
   * @throws {DatabaseMoved} if it was written into a file that is no longer at the path.
   */
  write(batch: Batch): WriteOutcome {
    this.#checkpoints.makeRoom();
    try {
      this.#begin.run([]);
      const run = this.#newestRun();
      if (batch.number > run.lastBatch + 1) {
        this.#rollBack();
        return {
          kind: "failed",
          reason: `batch ${run.lastBatch + 1} comes before ${batch.number}`,
        };
      }
      if (batch.number > run.lastBatch) this.#insert(batch, run);
      this.#commit.run([]);
    } catch (error) {
      this.#rollBack();
      if (!isPermanent(error)) throw error;
      const rows = this.#isolate(batch);
      if (rows.length === 0) throw error; // not the fault of any one row
      return { kind: "rejected", rows };
    }
    this.#checkpoints.committed(batch.rows.length);
    this.#mustBeInPlace();
    return { kind: "committed" };
  }

  /**
   * Applies records of the journal in one transaction, those that are there already left out, and
   * gives how many events became dead letters.
   *
   * @throws {SqliteError} if it failed; permanent if one of several records holds a row that can
   * never be stored: apply them one by one then, and such rows become dead letters.
   * @throws {DatabaseMoved} as for {@linkcode Database.write}.
   */
  apply(records: readonly JournalRecord[]): number {
    this.#checkpoints.makeRoom();
    let deadLetters: number;
    try {
      deadLetters = this.#applyOnce(records, []);
    } catch (error) {
      const [record] = records;
      if (!isPermanent(error) || record === undefined || records.length > 1) throw error;
      const rejected = this.#isolate({ rows: record.rows, skip: [] });
      if (rejected.length === 0) throw error;
      deadLetters = this.#applyOnce(records, rebuildRaw(record.rows, rejected));
    }
    this.#checkpoints.committed(records.reduce((sum, { rows }) => sum + rows.length, 0));
    this.#mustBeInPlace();
    return deadLetters;
  }

  /**
   * Copies what was committed from the log into the database file, if so many bytes have gathered.
   * Called after a batch was answered, so that no commit waits for it.
   */
  checkpointIfDue(afterBytes?: number): void {
    this.#checkpoints.ifDue(afterBytes);
  }

  /** Copies all of the log into the database file and empties it. @throws {SqliteError} */
  checkpointAll(): void {
    this.#checkpoints.all();
  }

  /** Whether a reader keeps the log from being emptied, at this part of its limit. @throws {SqliteError} */
  isLogHeld(part: number): boolean {
    return this.#checkpoints.isHeldAt(this.#options.walBytesMax * part);
  }

  /** Size of the log that a reader keeps from being emptied, as of the last checkpoint, in bytes. */
  get walBytesHeld(): number {
    return this.#checkpoints.heldBytes;
  }

  /**
   * To be called before what the log says is believed, after an error of the disk or a crash: what
   * the kernel still shows of the log may never have reached the disk, and flushing it again would
   * not say so. All of it is written again, into the database file.
   *
   * @throws {SqliteError} if that can not be done now.
   */
  rewriteLog(): void {
    if (!this.#checkpoints.all()) throw heldUp("a reader keeps the log from being written again");
  }

  /**
   * To be called when the file is no longer at its path: writes the log into it, so that it is whole
   * wherever it is now. If a reader holds that up the log is set aside, so that it is not taken for
   * that of another database at the path, and its new name is given.
   */
  leave(): string | null {
    try {
      this.rewriteLog();
      return null;
    } catch {
      return setLogAside(this.#options.path);
    }
  }

  /** Like {@linkcode Database.rewriteLog}, and looks for damage in a database that is not too large. @throws {SqliteError} */
  recheck(): void {
    const bytes = Number(pragma(this.#connection, "page_count")) * PAGE_BYTES;
    if (bytes <= QUICK_CHECK_BYTES_MAX) {
      const found = pragma(this.#connection, "quick_check");
      if (found !== "ok") throw damaged(String(found));
    }
    this.rewriteLog();
  }

  /** Notes that this run ends by itself. @throws {SqliteError} */
  endRun(): void {
    this.#runs.end(this.#options.run.id);
  }

  /** Closes the connection; a transaction that is open is undone. */
  close(): void {
    this.#connection.close();
  }

  #applyOnce(records: readonly JournalRecord[], deadLetters: readonly DeadLetter[]): number {
    return this.#transaction(() => {
      let letters = 0;
      this.#newestRun();
      for (const { run: id, number, events, rows } of records) {
        const run = this.#runs.readOrAdd(id);
        if (number <= run.lastBatch) continue;
        const skip = deadLetters.map(({ index }) => index);
        letters += this.#insert({ number, events, rows, skip, deadLetters }, run);
      }
      return letters;
    });
  }

  #insert(batch: Inserted, run: RunRow): number {
    const groups = decodeGroups(batch.rows);
    const stored = this.#rows.insert({ groups, skip: batch.skip });
    const aside = lettersOf(groups), letters = [...aside, ...batch.deadLetters];
    const expected = batch.events - batch.skip.length - aside.length;
    if (stored !== expected) throw new Error(`the batch has ${stored} rows instead of ${expected}`);
    this.#deadLetters.insert(letters, { run: run.id, sequence: run.settled });
    this.#remembered.append(groups);
    this.#runs.advance(run.id, batch.number, stored, letters.length);
    return letters.length;
  }

  #isolate({ rows, skip }: Pick<Batch, "rows" | "skip">): RejectedRow[] {
    try {
      const groups = decodeGroups(rows);
      return this.#rows.isolate({ groups, skip }, () => {
        if (!this.#connection.inTransaction) this.#begin.run([]);
      });
    } finally {
      this.#rollBack();
    }
  }

  #newestRun(): RunRow {
    const run = this.#runs.read(this.#options.run.id);
    // Without this nothing would be written, and every batch be taken for one that was.
    if (run === null) throw new SqliteError("the database does not know this run", 1, null);
    if (!run.isNewest) throw new SqliteError("another collector writes to this database", 1, null);
    return run;
  }

  #transaction<T>(work: () => T): T {
    try {
      this.#begin.run([]);
      const result = work();
      this.#commit.run([]);
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    if (this.#connection.inTransaction) this.#rollback.run([]);
  }

  #mustBeInPlace(): void {
    if (!this.isInPlace) throw new DatabaseMoved(`${this.#options.path} was moved or deleted`);
  }
}
