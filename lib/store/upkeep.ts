/**
 * What is done to a database beside batches: the oldest events are removed, and pages that hold
 * nothing are given back to the disk, each in steps of a few milliseconds.
 */

import type { ExportPoint, PointOutcome } from "../export_point.ts";
import type { OldestEvent } from "../retention.ts";
import type { Connection, Statement } from "../sqlite/driver.ts";
import { pragma } from "./connection.ts";
import { exportPoints, removeExportPoint, setExportPoint } from "./export_points_table.ts";

/** Which events may be removed: those that are old, and, as long as there are too many, any. */
export interface RemovalLimits {
  /** Received before this, Unix epoch in ms; null: none for its age. */
  readonly receivedBefore: number | null;
  /** Any while more bytes of the file than so many are in use; null: no limit. */
  readonly usedBytesMax: number | null;
  /** None after this id. */
  readonly throughId: number;
}

/** What a step of removal came to. */
export interface Removal {
  /** Events removed. */
  readonly removed: number;
  /**
   * Why it ended: the time was up, nothing more is to be removed, or something is, but it is after
   * `throughId`, or it is the newest event, which stays.
   */
  readonly endedBy: "time" | "nothing" | "limit" | "newest";
}

/** Room in the database file, in bytes. */
export interface Room {
  /** The file, once its log is copied into it. */
  readonly fileBytes: number;
  /** What of it holds nothing. */
  readonly freeBytes: number;
}

/** So few at a time that their removal takes some ms also if each has 256 KiB and none is cached. */
const ROWS = 32;
const PAGES = 8;

/** See the head of this file. What changes something works within a transaction of its caller's. */
export class Upkeep {
  readonly #connection: Connection;
  readonly #oldest: Statement;
  readonly #newest: Statement;
  readonly #firstYoung: Statement;
  readonly #delete: Statement;
  readonly #changes: Statement;
  readonly #count: Statement;
  readonly #removed: Statement;
  readonly #pages: Statement;
  readonly #freePages: Statement;
  readonly #vacuum: Statement;
  readonly #pageBytes: number;
  /** Whether pages can be given back; not in a database that was made without that. */
  readonly canShrink: boolean;

  /** The tables must be there. @throws {SqliteError} */
  constructor(connection: Connection) {
    this.#connection = connection;
    const prepare = (sql: string) => connection.prepare(sql);
    this.#oldest = prepare("SELECT id, received_at FROM events ORDER BY id LIMIT 1");
    this.#newest = prepare("SELECT max(id) AS id FROM events");
    this.#firstYoung = prepare(
      "SELECT min(id) AS id FROM events WHERE id BETWEEN ? AND ? AND received_at >= ?",
    );
    this.#delete = prepare("DELETE FROM events WHERE id BETWEEN ? AND ?");
    this.#changes = prepare("SELECT changes() AS n");
    this.#count = prepare("UPDATE events_removed SET count = count + ?");
    this.#removed = prepare("SELECT count FROM events_removed");
    this.#pages = prepare("PRAGMA page_count");
    this.#freePages = prepare("PRAGMA freelist_count");
    this.#vacuum = prepare(`PRAGMA incremental_vacuum(${PAGES})`);
    this.#pageBytes = Number(pragma(connection, "page_size"));
    this.canShrink = Number(pragma(connection, "auto_vacuum")) !== 0;
  }

  /** The oldest event; null if there is none. @throws {SqliteError} */
  oldest(): OldestEvent | null {
    const row = this.#oldest.get([]);
    return row === undefined ? null : { id: Number(row.id), receivedAt: Number(row.received_at) };
  }

  /** How many events were removed since the database was made. @throws {SqliteError} */
  removed(): number {
    return Number(this.#removed.get([])?.count);
  }

  /** How much room there is. @throws {SqliteError} */
  room(): Room {
    const bytes = (pages: Statement) =>
      Number(Object.values(pages.get([]) ?? {})[0]) * this.#pageBytes;
    return { fileBytes: bytes(this.#pages), freeBytes: bytes(this.#freePages) };
  }

  /**
   * Removes the oldest events, in the order of their ids, until the time is up or none is left that
   * may go. The newest stays: without it ids would be given a second time.
   *
   * @throws {SqliteError}
   */
  removeOldest(limits: RemovalLimits, budgetMs: number): Removal {
    const endMs = performance.now() + budgetMs;
    const newestId = Number(this.#newest.get([])?.id ?? 0);
    const lastId = Math.min(limits.throughId, newestId - 1);
    let first = this.oldest()?.id ?? 0, removed = 0;
    const ended = (endedBy: Removal["endedBy"]): Removal => {
      if (removed > 0) this.#count.run([removed]);
      return { removed, endedBy };
    };
    if (newestId === 0) return ended("nothing");
    do {
      const due = this.#dueThrough(first, limits);
      if (due < first) return ended("nothing");
      if (lastId < first) return ended(lastId < newestId - 1 ? "limit" : "newest");
      const last = Math.min(due, lastId);
      this.#delete.run([first, last]);
      removed += Number(this.#changes.get([])?.n);
      first = last + 1;
    } while (performance.now() < endMs);
    return ended("time");
  }

  /** Gives free pages back until so many bytes are, or the time is up. @throws {SqliteError} */
  shrink(bytes: number, budgetMs: number): void {
    const endMs = performance.now() + budgetMs;
    const goal = this.room().freeBytes - bytes;
    do {
      this.#vacuum.all([]); // one row a page: the driver's `run` stops at the first
    } while (this.room().freeBytes > goal && performance.now() < endMs);
  }

  /** See {@linkcode exportPoints}. @throws {SqliteError} */
  exportPoints(): ExportPoint[] {
    return exportPoints(this.#connection);
  }

  /** See {@linkcode setExportPoint}. @throws {SqliteError} */
  setExportPoint(point: ExportPoint): PointOutcome {
    return setExportPoint(this.#connection, point);
  }

  /** See {@linkcode removeExportPoint}. @throws {SqliteError} */
  removeExportPoint(name: string): boolean {
    return removeExportPoint(this.#connection, name);
  }

  /** Of the next rows from this id on: the last that is to be removed, before `first` if none is. */
  #dueThrough(first: number, { receivedBefore, usedBytesMax }: RemovalLimits): number {
    const last = first + ROWS - 1;
    if (usedBytesMax !== null) {
      const { fileBytes, freeBytes } = this.room();
      if (fileBytes - freeBytes > usedBytesMax) return last;
    }
    if (receivedBefore === null) return first - 1;
    const young = this.#firstYoung.get([first, last, receivedBefore])?.id ?? null;
    return young === null ? last : Number(young) - 1;
  }
}
