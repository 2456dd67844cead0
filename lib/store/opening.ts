/** Opening database and journal, at a start and when a Worker takes over from one that is gone. */

import { FINGERPRINT_WORDS } from "../event_ids.ts";
import { REQUEST_WORDS } from "../idempotency.ts";
import type { StoreOpened } from "../store.ts";
import { isBusy, isCorrupt } from "./connection.ts";
import { Database, type Progress } from "./database.ts";
import { copyLog, isOrphan, journalPath, moveAside } from "./files.ts";
import type { Journal } from "./journal.ts";
import type { KeepOptions } from "./keep_options.ts";
import { Keeper } from "./keeper.ts";
import type { Before } from "./messages.ts";
import { recover, type Recovery } from "./recovery.ts";
import { joined } from "./remembered.ts";
import { unreadableTransactions } from "./wal_file.ts";

/** A store that is open. */
export interface OpenStore {
  /** Where batches go. */
  readonly keeper: Keeper<Database>;
  /** The journal, which is to be closed after the keeper. */
  readonly journal: Journal;
  /** What the collector wants to know; null unless it is the run's first opening. */
  readonly opened: StoreOpened | null;
}

const REOPEN_TIMEOUT_MS = 100;
const NO_PROGRESS: Progress = { lastBatch: 0, settled: 0, deadLettered: 0 };

/**
 * Opens all for a run that starts.
 *
 * @throws {CollectorError} if the database can not be used. {SqliteError} or {JournalError} too.
 */
export function openStore(options: KeepOptions, notice: (text: string) => void): OpenStore {
  const opener = new Opener(options, notice);
  const database = opener.openFirst();
  const progress = database.takeOver(NO_PROGRESS);
  const remembered = database.remembered();
  opener.seed = remembered.seed;
  const { recentEventIds, recentRequests } = options;
  const recovery = opener.recover(database, {
    seed: remembered.seed,
    eventIds: recentEventIds,
    requests: recentRequests,
  });
  const keeper = opener.keeper({
    ...recovery,
    database,
    progress,
    lastNumber: Math.max(progress.lastBatch, recovery.lastNumber),
    before: { deadLettered: 0, lost: 0 },
  });
  const { files, bytes } = recovery.journal.damage;
  const eventIds = joined(
    [remembered.eventIds, recovery.eventIds],
    recentEventIds * FINGERPRINT_WORDS,
  );
  const requests = joined([remembered.requests, recovery.requests], recentRequests * REQUEST_WORDS);
  const damage = {
    journalFiles: files,
    journalBytes: bytes,
    databases: opener.databasesAside,
    transactions: opener.unreadableTransactions,
  };
  const opened = {
    ...remembered,
    run: options.run.id,
    eventIds,
    requests,
    state: keeper.state,
    damage,
  };
  return { keeper, journal: recovery.journal, opened };
}

/** Opens all for another Worker of the run: without the database, if that can not be opened now. */
export function reopenStore(
  options: KeepOptions,
  { known, seed }: Before,
  notice: (text: string) => void,
): OpenStore {
  const opener = new Opener(options, notice);
  opener.seed = seed;
  let database: Database | null = null;
  let progress: Progress = { ...known.progress, settled: known.state.settled };
  try {
    database = opener.open(REOPEN_TIMEOUT_MS);
    progress = database.takeOver(progress, seed);
  } catch {
    database?.close();
    database = null; // the keeper opens it when it can
  }
  const recovery = opener.recover(database, null);
  const lastNumber = Math.max(progress.lastBatch, recovery.lastNumber, known.lastNumber);
  const more = progress.deadLettered - known.progress.deadLettered; // committed and not told
  const deadLettered = known.state.deadLettered + Math.max(0, more);
  const before = { deadLettered, lost: known.state.lost };
  const start = { ...recovery, database, progress, lastNumber, before };
  return { keeper: opener.keeper(start), journal: recovery.journal, opened: null };
}

class Opener {
  readonly #options: KeepOptions;
  readonly #notice: (text: string) => void;
  /** Of the fingerprints of the run, as soon as it has one. */
  seed: Uint32Array | undefined;
  databasesAside = 0;
  unreadableTransactions = 0;

  constructor(options: KeepOptions, notice: (text: string) => void) {
    this.#options = options;
    this.#notice = notice;
  }

  /** Opens it for a run that starts; a damaged one is moved aside if that is wanted. */
  openFirst(): Database {
    const { openTimeoutMs, onCorrupt } = this.#options;
    try {
      return this.open(openTimeoutMs);
    } catch (error) {
      if (onCorrupt !== "rotate" || !isCorrupt(error)) throw error;
      this.aside();
      return this.open(openTimeoutMs);
    }
  }

  /**
   * Opens it. A log that SQLite would delete or not read to its end is kept first, and what can be
   * read of it is written again before it is believed.
   */
  open(openTimeoutMs: number): Database {
    const { path } = this.#options;
    if (isOrphan(path)) this.aside();
    this.#keepDamagedLog();
    const database = new Database({ ...this.#options, openTimeoutMs });
    try {
      database.rewriteLog();
    } catch (error) {
      if (isBusy(error)) return database; // a reader holds it up: a crash and a power cut too many
      database.close();
      throw error;
    }
    return database;
  }

  aside(): void {
    const name = moveAside(this.#options.path);
    this.databasesAside++;
    this.#notice(`a damaged database, or a log without one, is kept as ${name}`);
  }

  recover(
    database: Database | null,
    remember: Parameters<typeof recover>[0]["remember"],
  ): Recovery {
    const { path, journalBytes, run } = this.#options;
    return recover({
      path: journalPath(path),
      bytesMax: journalBytes,
      run: run.id,
      database,
      remember,
    });
  }

  keeper(start: ConstructorParameters<typeof Keeper<Database>>[0] & Recovery): Keeper<Database> {
    const { run, mayJournal, onCorrupt } = this.#options;
    return new Keeper(start, {
      run: run.id,
      seed: this.seed,
      mayJournal,
      journal: start.journal,
      open: () => this.open(REOPEN_TIMEOUT_MS),
      moveAside: onCorrupt === "rotate" ? () => this.aside() : null,
      notice: this.#notice,
    });
  }

  #keepDamagedLog(): void {
    const { path } = this.#options;
    const unreadable = unreadableTransactions(`${path}-wal`);
    if (unreadable === 0) return;
    const copy = copyLog(path);
    this.unreadableTransactions += unreadable;
    this.#notice(
      `the database's log is damaged: up to ${unreadable} of its last transactions can not be ` +
        `read; a copy of it is kept as ${copy}`,
    );
  }
}
