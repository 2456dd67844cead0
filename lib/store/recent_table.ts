/**
 * A table of the most recent records of a fixed size, the oldest first: some hundreds a row, so that
 * appending costs next to nothing and a million are read back in a moment.
 */

import type { Connection, Statement } from "../sqlite/driver.ts";

/** What such a table holds. */
export interface RecentTableOptions {
  /** Its name: a table with the columns `id`, `total` and `records`. */
  readonly table: "recent_event_ids" | "recent_requests";
  /** 32-bit words a record. */
  readonly words: number;
  /** How many records are kept, at least; 0: none. */
  readonly capacity: number;
}

/** A row that is shorter is written again with what is appended. */
const ROW_BYTES = 4096;
const ROWS_A_TIME = 256;

/** See the head of this file. Works within a transaction of its caller's. */
export class RecentTable {
  readonly #options: RecentTableOptions;
  readonly #newest: Statement;
  readonly #oldest: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #delete: Statement;
  readonly #clear: Statement;
  readonly #length: Statement;
  readonly #after: Statement;

  /** The table must be there. @throws {SqliteError} */
  constructor(connection: Connection, options: RecentTableOptions) {
    const { table } = this.#options = options;
    const prepare = (sql: string) => connection.prepare(sql);
    this.#newest = prepare(`SELECT id, total, records FROM ${table} ORDER BY id DESC LIMIT 1`);
    this.#oldest = prepare(`SELECT id, total FROM ${table} ORDER BY id LIMIT 1`);
    this.#insert = prepare(`INSERT INTO ${table} (total, records) VALUES (?, ?)`);
    this.#update = prepare(`UPDATE ${table} SET total = ?, records = ? WHERE id = ?`);
    this.#delete = prepare(`DELETE FROM ${table} WHERE id = ?`);
    this.#clear = prepare(`DELETE FROM ${table}`);
    this.#length = prepare(`SELECT total(length(records)) AS bytes FROM ${table}`);
    this.#after = prepare(
      `SELECT id, records FROM ${table} WHERE id > ? ORDER BY id LIMIT ${ROWS_A_TIME}`,
    );
  }

  /** Appends records; rows whose records are all too old go. @throws {SqliteError} */
  append(words: Uint32Array): void {
    const { words: recordWords, capacity } = this.#options;
    if (words.length === 0 || capacity === 0) return;
    const newest = this.#newest.get([]);
    const total = Number(newest?.total ?? 0) + words.length / recordWords;
    const before = newest?.records as Uint8Array | undefined;
    if (before !== undefined && before.length < ROW_BYTES) {
      const bytes = new Uint8Array(before.length + words.byteLength);
      bytes.set(before);
      bytes.set(bytesOf(words), before.length);
      this.#update.run([total, bytes, Number(newest?.id)]);
    } else this.#insert.run([total, bytesOf(words)]);
    for (;;) {
      const oldest = this.#oldest.get([]);
      if (oldest === undefined || Number(oldest.total) > total - capacity) return;
      this.#delete.run([Number(oldest.id)]);
    }
  }

  /** Forgets all. @throws {SqliteError} */
  clear(): void {
    this.#clear.run([]);
  }

  /** The records, the oldest first, at most as many as are to be kept. @throws {SqliteError} */
  all(): Uint32Array<ArrayBuffer> {
    const bytes = new Uint8Array(Number(this.#length.get([])?.bytes));
    let at = 0;
    for (let id = 0;;) {
      const rows = this.#after.all([id]);
      if (rows.length === 0) break;
      for (const row of rows) {
        bytes.set(row.records as Uint8Array, at);
        at += (row.records as Uint8Array).length;
        id = Number(row.id);
      }
    }
    const words = new Uint32Array(bytes.buffer), { capacity, words: recordWords } = this.#options;
    const tooMany = words.length - capacity * recordWords;
    return tooMany > 0 ? words.slice(tooMany) : words;
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
