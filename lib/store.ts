/**
 * What the writer asks of a store. The one implementation is `store/worker_store.ts`; the tests
 * have another in memory.
 */

/** An event kept aside because it can never be stored, with the reason. */
export interface DeadLetter {
  /** Collector's clock at admission, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Token or protocol it came through. */
  readonly source: string;
  /** Protocol that decodes its raw text, see `Submission.protocol`. */
  readonly protocol: string;
  /** Why it could not be stored. */
  readonly reason: string;
  /** The event as sent. */
  readonly raw: string;
  /** Whether it could be decoded and the database refused it: its id, if any, is remembered. */
  readonly isDecoded: boolean;
  /** Its position in the batch. */
  readonly index: number;
}

/** A dead letter in the database. */
export interface StoredDeadLetter extends Omit<DeadLetter, "index"> {
  /** Its number, rising. */
  readonly id: number;
  /** Which event of which run it was: never that of another letter. */
  readonly event: string;
}

/** Which dead letters to read. */
export interface DeadLetterPage {
  /** Those with a greater id. */
  readonly after: number;
  /** Most of them; fewer come if they are large. */
  readonly limit: number;
}

/** What one transaction carries. */
export interface Batch {
  /** 1 for the first of a run, then rising by 1; stored in the same transaction. */
  readonly number: number;
  /** How many rows {@linkcode Batch.rows} holds. */
  readonly events: number;
  /** The rows, encoded by `event.ts`. */
  readonly rows: string;
  /** How many of them are dead letters already. */
  readonly aside: number;
  /** Positions of rows to leave out, rising. */
  readonly skip: readonly number[];
  /** What else to keep aside in the same transaction. */
  readonly deadLetters: readonly DeadLetter[];
}

/** A row that the database refuses, whenever and however often it is tried. */
export interface RejectedRow {
  /** Position in {@linkcode Batch.rows}. */
  readonly index: number;
  /** What the database said. */
  readonly reason: string;
}

/** What became of a batch. Only the first two stored anything. */
export type WriteOutcome =
  /** In the database and flushed, now or by an earlier attempt whose answer got lost. */
  | { readonly kind: "committed" }
  /** Flushed to the journal: it will be applied to the database, after all that is there already. */
  | { readonly kind: "journaled" }
  /** Nothing was stored: write again without these rows. */
  | { readonly kind: "rejected"; readonly rows: readonly RejectedRow[] }
  /** Nothing is known to be stored: write the same batch again, later. */
  | { readonly kind: "failed"; readonly reason: string };

/**
 * Where the events are that the store was given, as of one moment. Absolute, so that nothing is
 * missed or counted twice when the store's thread ends between doing and telling.
 */
export interface StoreState {
  /** Events of this run that left the store's care, in the order of admission: stored for good or lost. */
  readonly settled: number;
  /** Events that became dead letters since the start, those of earlier runs included. */
  readonly deadLettered: number;
  /** Events in the journal. */
  readonly journaled: number;
  /** Those of them that were admitted by earlier runs. */
  readonly recoveredLeft: number;
  /** Events that the journal no longer holds though nobody applied them: somebody destroyed it. */
  readonly lost: number;
}

/** How much room the store takes, in bytes. */
export interface StoreSize {
  /** The database file. */
  readonly databaseBytes: number;
  /** Its write-ahead log. */
  readonly walBytes: number;
  /** The segments of the journal. */
  readonly journalBytes: number;
  /** What is left on the disk for all three; null if that is not known. */
  readonly freeBytes: number | null;
}

/** What a store tells when it is opened. */
export interface StoreOpened {
  /** Name of this run in receipts. */
  readonly run: string;
  /** Seed of the fingerprints that this database remembers, 4 words. */
  readonly seed: Uint32Array;
  /** Fingerprints of the event ids it remembers, the oldest first, 4 words each. */
  readonly eventIds: Uint32Array;
  /** What it remembers of requests with a key, the oldest first, as `idempotency.ts` lays it out. */
  readonly requests: Uint32Array;
  /** Where the events are that the journal holds. */
  readonly state: StoreState;
  /** Whether the run before this one ended by itself; true if there was none. */
  readonly lastRunEnded: boolean;
  /** Earlier runs that did not end by themselves. */
  readonly uncleanRuns: number;
  /** Most events that these runs had acknowledged as queued and may have lost. */
  readonly lostAtMost: number;
  /** What was found damaged and moved aside. */
  readonly damage: StoreDamage;
}

/** What was found damaged and moved aside, all bytes of it. */
export interface StoreDamage {
  /** Journal segments. */
  readonly journalFiles: number;
  /** Bytes in them that could not be read as records. */
  readonly journalBytes: number;
  /** Databases. */
  readonly databases: number;
  /** Transactions in a database's log that can not be read; a copy of the log is kept. */
  readonly transactions: number;
}

/** What a store tells without being asked. */
export interface StoreEvents {
  /** Where the events are now. Told before the write that changed it is answered. */
  state(state: StoreState): void;
  /** Something the operator must know, in one or two sentences. */
  notice(text: string): void;
}

/** Ids from the first to the last, both included. */
export interface IdRange {
  /** The first. */
  readonly first: number;
  /** The last. */
  readonly last: number;
}

/** How far the events of a receipt have got. */
export interface ReceiptState {
  /** Events of the receipt's run that are settled, counted from its first; null: no such run. */
  readonly settled: number | null;
  /** Events of the receipt that became dead letters. */
  readonly deadLettered: number;
  /** Whether the journal still holds events of that run. */
  readonly isJournaled: boolean;
}

/** Which events a receipt is for: those of one request, counted from the first of its run. */
export interface Receipt {
  /** The run they were admitted in. */
  readonly run: string;
  /** How many events the run had admitted before. */
  readonly first: number;
  /** How many it is for. */
  readonly events: number;
}

/**
 * A durable home for batches. One writer uses it: it opens it first, and may write a batch before
 * the one before it was answered. Such a batch is `failed` if that one was.
 */
export interface Store {
  /**
   * Opens the database, making it if it is not there, and the journal. Call it once, before any
   * write.
   *
   * @throws {CollectorError} if the database can not be used, with the way out.
   */
  open(events: StoreEvents): Promise<StoreOpened>;
  /** Writes a batch in one transaction. Never rejects: what goes wrong is an outcome. */
  write(batch: Batch): Promise<WriteOutcome>;
  /** How far the events of a receipt have got; null if the database could not be asked. */
  receipt(receipt: Receipt): Promise<ReceiptState | null>;
  /** How much room it takes on disk. */
  size(): Promise<StoreSize>;
  /**
   * Applies what the journal holds if that is quickly done, checkpoints and closes. Resolves also if
   * that fails: what was committed or journaled stays so.
   */
  close(): Promise<void>;
}

/** Where dead letters are looked at and removed. */
export interface DeadLetterStore {
  /** Dead letters, the oldest first; null if the database could not be asked. */
  deadLetters(page: DeadLetterPage): Promise<readonly StoredDeadLetter[] | null>;
  /** Removes dead letters by their ids and gives their number; null if that could not be done. */
  removeDeadLetters(ids: IdRange): Promise<number | null>;
}
