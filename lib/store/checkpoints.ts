/**
 * Keeps the database's log short: copies what was committed from it into the database file, now and
 * then, and holds commits up while a reader keeps it from being emptied.
 */

import { heldUp, PAGE_BYTES } from "./connection.ts";
import type { Connection } from "../sqlite/driver.ts";

const AFTER_BYTES = 32 * 1024 * 1024;
/** What a transaction writes to the log beside its rows: pages that are not full, the run's row. */
const TRANSACTION_BYTES = 3 * PAGE_BYTES;
const FRAME_BYTES = PAGE_BYTES + 24; // sqlite.org/fileformat.html §4.1

/** See the head of this file. */
export class Checkpoints {
  readonly #connection: Connection;
  readonly #logBytesMax: number;
  #bytesSince = 0;
  #heldBytes = 0;

  /** `logBytesMax` is how far the log may grow while a reader keeps it from being emptied. */
  constructor(connection: Connection, logBytesMax: number) {
    this.#connection = connection;
    this.#logBytesMax = logBytesMax;
  }

  /** Size of the log that a reader keeps from being emptied, as of the last time, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Notes a transaction of so many bytes of rows. */
  committed(bytes: number): void {
    this.#bytesSince += bytes + TRANSACTION_BYTES;
  }

  /** Copies if so much has gathered. @throws {SqliteError} */
  ifDue(afterBytes: number = AFTER_BYTES): void {
    if (this.#bytesSince >= afterBytes) this.#run("PASSIVE");
  }

  /** Copies all of the log and empties it; gives whether that was possible. @throws {SqliteError} */
  all(): boolean {
    const { log, checkpointed } = this.#run("TRUNCATE");
    return checkpointed >= log;
  }

  /** Holds a commit up while the log is at its limit. @throws {SqliteError} */
  makeRoom(): void {
    if (!this.isHeldAt(this.#logBytesMax)) return;
    throw heldUp(
      `a reader keeps the database's log from being emptied; it has reached --wal-bytes`,
    );
  }

  /** Whether the log has so many bytes and a reader keeps it from being emptied. @throws {SqliteError} */
  isHeldAt(bytes: number): boolean {
    if (this.#heldBytes + this.#bytesSince < bytes) return false;
    this.#run("PASSIVE");
    return this.#heldBytes >= bytes;
  }

  #run(mode: "PASSIVE" | "TRUNCATE"): { log: number; checkpointed: number } {
    this.#bytesSince = 0;
    const row = this.#connection.prepare(`PRAGMA wal_checkpoint(${mode})`).get([]);
    const log = Number(row?.log), checkpointed = Number(row?.checkpointed);
    this.#heldBytes = checkpointed < log ? log * FRAME_BYTES : 0;
    return { log, checkpointed };
  }
}
