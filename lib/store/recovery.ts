/** Opening the journal at a start: what of it the database has not got yet. */

import { decodeGroups } from "../event.ts";
import { FINGERPRINT_WORDS, SourceSeeds } from "../event_ids.ts";
import { REQUEST_WORDS } from "../idempotency.ts";
import type { Database } from "./database.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { joined, rememberedOf } from "./remembered.ts";

/** How the journal is opened. */
export interface RecoveryOptions extends JournalOptions {
  /** The run that opens it. */
  readonly run: string;
  /** The database; null if it can not be read at present: then all of the journal may be new. */
  readonly database: Pick<Database, "progress"> | null;
  /** What is wanted of the ids and keys in the journal; null: nothing. */
  readonly remember: {
    /** Seed of the fingerprints. */
    readonly seed: Uint32Array;
    /** Most event ids. */
    readonly eventIds: number;
    /** Most requests. */
    readonly requests: number;
  } | null;
}

/** A journal and what is new in it. */
export interface Recovery {
  /** The journal; if the database could be asked, its first record is not in it. */
  readonly journal: Journal;
  /** Number of the run's last batch in it, 0 if there is none. */
  readonly lastNumber: number;
  /** Events in it that are not in the database, each counted once. */
  readonly journaled: number;
  /** Those of them that are of earlier runs. */
  readonly recovered: number;
  /** Fingerprints of their ids, the oldest first. */
  readonly eventIds: Uint32Array;
  /** Their requests with a key, the oldest first. */
  readonly requests: Uint32Array;
}

const PEEK_LIMIT = { eventsMax: 100_000, bytesMax: 8 * 1024 * 1024 };

/**
 * Opens the journal and removes what the database has already, from a crash between its commit and
 * the removal. @throws {SqliteError} or {JournalError} if either can not be read.
 */
export function recover(options: RecoveryOptions): Recovery {
  const { run, database, remember } = options;
  const applied = new Map<string, number>();
  const lastApplied = (id: string) => {
    let last = applied.get(id);
    if (last === undefined) applied.set(id, last = database?.progress(id)?.lastBatch ?? 0);
    return last;
  };
  const lastFound = new Map<string, number>();
  const seeds = remember && new SourceSeeds(remember.seed);
  const eventIds = new Newest((remember?.eventIds ?? 0) * FINGERPRINT_WORDS);
  const requests = new Newest((remember?.requests ?? 0) * REQUEST_WORDS);
  let journaled = 0, recovered = 0;
  const journal = new Journal({
    ...options,
    onFound: (record) => {
      const last = lastFound.get(record.run) ?? lastApplied(record.run);
      if (record.number <= last) return; // applied, or here twice
      lastFound.set(record.run, record.number);
      journaled += record.events;
      if (record.run !== run) recovered += record.events;
      if (seeds === null) return;
      const remembered = rememberedOf(decodeGroups(record.rows), seeds);
      eventIds.add(remembered.eventIds);
      requests.add(remembered.requests);
    },
  });
  for (;;) {
    const records = journal.peek(PEEK_LIMIT);
    const firstNew = records.findIndex((record) => record.number > lastApplied(record.run));
    try {
      journal.removeFirst(firstNew < 0 ? records.length : firstNew);
    } catch { /* a file that can not be removed: it is tried again with the next */ }
    if (firstNew >= 0 || records.length === 0) break;
  }
  return {
    journal,
    lastNumber: lastFound.get(run) ?? 0,
    journaled,
    recovered,
    eventIds: eventIds.words(),
    requests: requests.words(),
  };
}

/** The newest words of many pieces; never keeps more than twice as many. */
class Newest {
  readonly #wordsMax: number;
  #pieces: Uint32Array[] = [];
  #words = 0;

  constructor(wordsMax: number) {
    this.#wordsMax = wordsMax;
  }

  add(pieces: readonly Uint32Array[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#words += piece.length;
    }
    if (this.#words > 2 * this.#wordsMax) this.#pieces = [this.words()];
  }

  words(): Uint32Array {
    const words = joined(this.#pieces, this.#wordsMax);
    this.#words = words.length;
    return words;
  }
}
