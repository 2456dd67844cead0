/** A keeper with a real database and journal in a folder of its own. */

import { DatabaseSync } from "node:sqlite";
import type { StoreState, WriteOutcome } from "../../lib/store.ts";
import type { Database } from "../../lib/store/database.ts";
import { journalPath, moveAside } from "../../lib/store/files.ts";
import { Journal } from "../../lib/store/journal.ts";
import { Keeper, type KeeperOptions, type KeeperStart } from "../../lib/store/keeper.ts";
import { batchOf, newFolder, NO_PROGRESS, openDatabase, RUN_ID, storedMarks } from "./batches.ts";

/** How it is made. */
export interface KeptOptions extends Partial<KeeperOptions<Database>> {
  readonly journalBytes?: number;
  readonly rotate?: boolean;
  readonly walBytesMax?: number;
  /** Stands in for a database that was opened. */
  readonly wrap?: (database: Database) => Database;
}

/** See the head of this file. */
export class Kept implements Disposable {
  readonly #folder = newFolder();
  readonly folder = this.#folder.path;
  readonly path = this.#folder.database;
  readonly notices: string[] = [];
  readonly asides: string[] = [];
  /** Events that {@linkcode Kept.write} was told to be stored. */
  acknowledged = 0;
  readonly journal: Journal;
  readonly options: KeeperOptions<Database>;
  readonly keeper: Keeper<Database>;

  constructor(options: KeptOptions = {}) {
    const { journalBytes = 1 << 30, rotate = false, wrap = (database) => database } = options;
    this.journal = new Journal({ path: journalPath(this.path), bytesMax: journalBytes });
    const { walBytesMax = 1e9 } = options;
    const open = () => wrap(openDatabase(this.path, { walBytesMax }));
    this.options = {
      run: RUN_ID,
      mayJournal: true,
      journal: this.journal,
      open,
      moveAside: rotate ? () => void this.asides.push(moveAside(this.path)) : null,
      notice: (text) => this.notices.push(text),
      ...options,
    };
    this.keeper = new Keeper(startOf({ database: open() }), this.options);
  }

  /** Writes a batch and gives where it is, or why it is nowhere. */
  write(number: number, marks: readonly unknown[]): string {
    const outcome: WriteOutcome = this.keeper.write(batchOf(number, marks));
    if (outcome.kind === "committed" || outcome.kind === "journaled") {
      this.acknowledged += marks.length;
    }
    return outcome.kind === "failed" ? outcome.reason : outcome.kind;
  }

  /** Drains until all is applied and gives where it is then. @throws what stands in the way. */
  drainAll(): StoreState {
    while (this.keeper.isJournaling) this.keeper.drain();
    return this.keeper.state;
  }

  /** The marks of the events in the database at its path. */
  get marks(): unknown[] {
    return storedMarks(this.path);
  }

  [Symbol.dispose](): void {
    this.keeper.close();
    this.journal.close();
    this.#folder[Symbol.dispose]();
  }
}

/** Where a keeper begins whose run has written nothing and whose journal is empty. */
export function startOf(more: Partial<KeeperStart<Database>> = {}): KeeperStart<Database> {
  return {
    database: null,
    progress: NO_PROGRESS,
    lastNumber: 0,
    journaled: 0,
    recovered: 0,
    before: { deadLettered: 0, lost: 0 },
    ...more,
  };
}

/** Where so many events of the run are, if nothing is in the journal; the rest of it as told. */
export function stateOf(settled: number, more: Partial<StoreState> = {}): StoreState {
  return { settled, deadLettered: 0, journaled: 0, recoveredLeft: 0, lost: 0, ...more };
}

/** A connection of another program that holds the write lock. */
export function lock(path: string): DatabaseSync {
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  return other;
}

/** A database of which some calls do something else. */
export function patched(database: Database, calls: Partial<Database>): Database {
  return new Proxy(database, {
    get: (target, name) => {
      if (Object.hasOwn(calls, name)) return calls[name as keyof Database];
      const value = target[name as keyof Database] as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
