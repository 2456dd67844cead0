/** The table of dead letters: written with the batch, looked at, sent again or thrown away. */

import type { DeadLetter, DeadLetterPage, IdRange, Receipt, StoredDeadLetter } from "../store.ts";
import type { Connection, Statement } from "../sqlite/driver.ts";

/** Most bytes of raw text a page, unless its first letter has more. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** See the head of this file. What changes something works within a transaction of its caller's. */
export class DeadLettersTable {
  readonly #connection: Connection;
  readonly #insert: Statement;

  /** The table must be there. @throws {SqliteError} */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.prepare(
      `INSERT INTO dead_letters
         (received_at, source, protocol, reason, raw, decoded, run, sequence)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  /** Adds those of a batch, whose first event has this number in its run. @throws {SqliteError} */
  insert(
    letters: readonly DeadLetter[],
    { run, sequence }: { readonly run: string; readonly sequence: number },
  ): void {
    for (const { receivedAt, source, protocol, reason, raw, isDecoded, index } of letters) {
      const where = [Number(isDecoded), run, sequence + index];
      this.#insert.run([receivedAt, source, protocol, reason, raw, ...where]);
    }
  }

  /** How many of a receipt's events are among them. @throws {SqliteError} */
  countOf({ run, first, events }: Receipt): number {
    const row = this.#connection.prepare(
      "SELECT count(*) AS n FROM dead_letters WHERE run = ? AND sequence >= ? AND sequence < ?",
    ).get([run, first, first + events]);
    return Number(row?.n);
  }

  /** A page of them, the oldest first. @throws {SqliteError} */
  page({ after, limit }: DeadLetterPage): StoredDeadLetter[] {
    const sizes = this.#connection.prepare(
      "SELECT id, octet_length(raw) AS bytes FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?",
    ).all([after, limit]);
    let bytes = 0, last = after;
    for (const [index, row] of sizes.entries()) {
      bytes += Number(row.bytes);
      if (bytes > PAGE_BYTES_MAX && index > 0) break;
      last = Number(row.id);
    }
    return this.#connection.prepare(
      `SELECT id, received_at, source, protocol, reason, CAST(raw AS BLOB) AS raw, decoded, run,
              sequence
         FROM dead_letters WHERE id > ? AND id <= ? ORDER BY id`,
    ).all([after, last]).map((row) => ({
      id: Number(row.id),
      receivedAt: Number(row.received_at),
      source: String(row.source),
      protocol: String(row.protocol),
      reason: String(row.reason),
      // As bytes, since the driver ends text at its first NUL.
      raw: new TextDecoder("utf-8", { ignoreBOM: true }).decode(row.raw as Uint8Array),
      isDecoded: row.decoded === 1,
      event: `${row.run ?? ""}/${row.sequence ?? row.id}`,
    }));
  }

  /** Removes those from one id to another and gives their number. @throws {SqliteError} */
  remove({ first, last }: IdRange): number {
    const connection = this.#connection;
    connection.prepare("DELETE FROM dead_letters WHERE id BETWEEN ? AND ?").run([first, last]);
    const removed = Number(connection.prepare("SELECT changes() AS n").get([])?.n);
    connection.prepare("UPDATE dead_letters_removed SET count = count + ?").run([removed]);
    return removed;
  }
}
