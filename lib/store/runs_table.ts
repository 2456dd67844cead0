/** The table of runs: one row a start of the collector, with how far it has got. */

import type { StoreOpened } from "../store.ts";
import type { Connection, Statement } from "../sqlite/driver.ts";

/** A start of the collector. */
export interface Run {
  /** Its name in receipts and in the journal: 16 hexadecimal digits, random. */
  readonly id: string;
  /** When it acknowledges events. */
  readonly durability: string;
  /** Most events it holds in memory. */
  readonly queueCapacity: number;
  /** Collector's clock at its start, Unix epoch in ms. */
  readonly startedAt: number;
}

/** How far a run has got. */
export interface RunRow {
  /** See {@linkcode Run.id}. */
  readonly id: string;
  /** Number of its last batch in the database, 0 if there is none. */
  readonly lastBatch: number;
  /** How many of its events, in the order of admission, are rows, dead letters or lost. */
  readonly settled: number;
  /** How many of them are dead letters in this database. */
  readonly deadLettered: number;
  /** Whether no other run started after it. */
  readonly isNewest: boolean;
}

/** See the head of this file. Works within a transaction of its caller's. */
export class RunsTable {
  readonly #read: Statement;
  readonly #advance: Statement;
  readonly #connection: Connection;

  /** The table must be there. @throws {SqliteError} */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#read = connection.prepare(
      `SELECT last_batch, settled, dead_lettered, number = (SELECT max(number) FROM runs) AS is_newest
         FROM runs WHERE id = ?`,
    );
    this.#advance = connection.prepare(
      `UPDATE runs SET last_batch = ?, committed = committed + ?, dead_lettered = dead_lettered + ?,
              settled = settled + ? WHERE id = ?`,
    );
  }

  /** A run; null if it is not there. @throws {SqliteError} */
  read(id: string): RunRow | null {
    const row = this.#read.get([id]);
    return row === undefined ? null : {
      id,
      lastBatch: Number(row.last_batch),
      settled: Number(row.settled),
      deadLettered: Number(row.dead_lettered),
      isNewest: row.is_newest === 1,
    };
  }

  /**
   * A run that is found in the journal. One that this database has not seen is added before all
   * others, so that the newest stays the newest. @throws {SqliteError}
   */
  readOrAdd(id: string): RunRow {
    const known = this.read(id);
    if (known !== null) return known;
    this.#connection.prepare(
      `INSERT INTO runs (number, id, durability, queue_capacity, started_at, ended_at)
         SELECT min(number) - 1, ?, 'disk', 0, 0, 0 FROM runs`,
    ).run([id]);
    return { id, lastBatch: 0, settled: 0, deadLettered: 0, isNewest: false };
  }

  /** Notes a batch of a run. @throws {SqliteError} */
  advance(id: string, lastBatch: number, committed: number, deadLettered: number): void {
    this.#advance.run([lastBatch, committed, deadLettered, committed + deadLettered, id]);
  }

  /**
   * Adds a run as the newest, or notes how far one that is there is known to have got at least.
   *
   * @throws {SqliteError}
   */
  takeOver(run: Run, known: Pick<RunRow, "lastBatch" | "settled">): RunRow {
    const { id, durability, queueCapacity, startedAt } = run;
    this.#connection.prepare(
      `INSERT INTO runs (number, id, durability, queue_capacity, started_at)
         SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM runs
         WHERE true ON CONFLICT (id) DO UPDATE SET ended_at = NULL`,
    ).run([id, durability, queueCapacity, startedAt]);
    this.#connection.prepare(
      "UPDATE runs SET last_batch = max(last_batch, ?), settled = max(settled, ?) WHERE id = ?",
    ).run([known.lastBatch, known.settled, id]);
    return this.read(id) as RunRow;
  }

  /** What is known of the runs before this one. @throws {SqliteError} */
  before(id: string): Pick<StoreOpened, "lastRunEnded" | "uncleanRuns" | "lostAtMost"> {
    const row = this.#connection.prepare(
      `SELECT count(*) AS runs, total(iif(durability = 'memory', queue_capacity, 0)) AS lost
         FROM runs WHERE ended_at IS NULL AND id <> ?`,
    ).get([id]);
    const last = this.#connection.prepare(
      "SELECT ended_at FROM runs WHERE id <> ? ORDER BY number DESC LIMIT 1",
    ).get([id]);
    return {
      lastRunEnded: last === undefined || last.ended_at !== null,
      uncleanRuns: Number(row?.runs),
      lostAtMost: Number(row?.lost),
    };
  }

  /** Notes that a run ended by itself. @throws {SqliteError} */
  end(id: string): void {
    this.#connection.prepare("UPDATE runs SET ended_at = ? WHERE id = ?").run([Date.now(), id]);
  }
}
