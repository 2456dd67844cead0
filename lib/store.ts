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
  /** Why it could not be stored. */
  readonly reason: string;
  /** The event as sent. */
  readonly raw: string;
}

/** What one transaction carries. */
export interface Batch {
  /** Rises by 1 with each batch of a database, over restarts; stored in the same transaction. */
  readonly number: number;
  /** How many rows {@linkcode Batch.rows} holds. */
  readonly events: number;
  /** The rows, encoded by `event.ts`. */
  readonly rows: string;
  /** Positions of rows to leave out, rising. */
  readonly skip: readonly number[];
  /** What to keep aside in the same transaction. */
  readonly deadLetters: readonly DeadLetter[];
}

/** A row that the database refuses, whenever and however often it is tried. */
export interface RejectedRow {
  /** Position in {@linkcode Batch.rows}. */
  readonly index: number;
  /** What the database said. */
  readonly reason: string;
}

/** What became of a batch. Only `committed` stored anything. */
export type WriteOutcome =
  /** In the database, now or by an earlier attempt whose answer got lost. */
  | { readonly kind: "committed" }
  /** Nothing was stored: write again without these rows. */
  | { readonly kind: "rejected"; readonly rows: readonly RejectedRow[] }
  /** Nothing is known to be stored: write the same batch again, later. */
  | { readonly kind: "failed"; readonly reason: string };

/** How much room the store takes. */
export interface StoreSize {
  /** The database file. */
  readonly databaseBytes: number;
  /** Its write-ahead log. */
  readonly walBytes: number;
}

/** What a store told when it was opened. */
export interface StoreOpened {
  /** Number of the last batch in the database, 0 if there is none. */
  readonly lastBatch: number;
}

/**
 * A durable home for batches. One writer uses it: it opens it first, and may write a batch before
 * the one before it was answered. Such a batch is `failed` if that one was.
 */
export interface Store {
  /** Opens the database, making it if it is not there. Call it once, before any write.
   *
   * @throws {CollectorError} if the database can not be used, with the way out.
   */
  open(): Promise<StoreOpened>;
  /** Writes a batch in one transaction. Never rejects: what goes wrong is an outcome. */
  write(batch: Batch): Promise<WriteOutcome>;
  /** How much room it takes on disk. */
  size(): Promise<StoreSize>;
  /** Checkpoints and closes. Resolves also if that fails: what was committed stays so. */
  close(): Promise<void>;
}
