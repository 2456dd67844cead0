/** The table of dead letters, for whoever looks at them, sends them again or throws them away. */

import type { DeadLetterPage, IdRange, StoredDeadLetter } from "../store.ts";
import type { Connection } from "../sqlite/driver.ts";

/** Most bytes of raw text a page, unless its first letter has more. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** A page of them, the oldest first. @throws {SqliteError} */
export function deadLetters(
  connection: Connection,
  { after, limit }: DeadLetterPage,
): StoredDeadLetter[] {
  const sizes = connection.prepare(
    "SELECT id, octet_length(raw) AS bytes FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?",
  ).all([after, limit]);
  let bytes = 0, last = after;
  for (const [index, row] of sizes.entries()) {
    bytes += Number(row.bytes);
    if (bytes > PAGE_BYTES_MAX && index > 0) break;
    last = Number(row.id);
  }
  return connection.prepare(
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

/**
 * Removes those from one id to another and gives their number. In a transaction of the caller's.
 *
 * @throws {SqliteError}
 */
export function removeDeadLetters(connection: Connection, { first, last }: IdRange): number {
  connection.prepare("DELETE FROM dead_letters WHERE id BETWEEN ? AND ?").run([first, last]);
  const removed = Number(connection.prepare("SELECT changes() AS n").get([])?.n);
  connection.prepare("UPDATE dead_letters_removed SET count = count + ?").run([removed]);
  return removed;
}
