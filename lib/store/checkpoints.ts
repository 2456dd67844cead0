/**
 * Keeps the database's log short: copies what was committed from it into the database file, now and
 * then, and holds commits up while a reader keeps it from being emptied.
 */

import { type GateMemory, LogGate } from "../log_gate.ts";
import { heldUp, PAGE_BYTES } from "./connection.ts";
import type { Connection } from "../sqlite/driver.ts";

const AFTER_BYTES = 32 * 1024 * 1024;
/** A log of so many bytes is to be begun anew, though all of it is copied. */
const ANEW_BYTES = 3 * AFTER_BYTES;
/** How long readers are kept off for that, how often it is tried then, and how long not after it failed. */
const ANEW_MS = { closed: 500, tries: 50, pauseMin: 100, pauseMax: 10_000 };
/** What a transaction writes to the log beside its rows: pages that are not full, the run's row. */
const TRANSACTION_BYTES = 3 * PAGE_BYTES;
const FRAME_BYTES = PAGE_BYTES + 24; // sqlite.org/fileformat.html §4.1

/** See the head of this file. */
export class Checkpoints {
  readonly #connection: Connection;
  readonly #logBytesMax: number;
  readonly #gate: LogGate | null;
  #bytesSince = 0;
  #heldBytes = 0;
  #logBytes = 0;
  /** When readers are next kept off, when that began, and when the log is next tried. */
  #anew = { dueMs: 0, closedMs: NaN, tryMs: 0, pauseMs: ANEW_MS.pauseMin };

  /**
   * `logBytesMax` is how far the log may grow while a reader keeps it from being emptied, `gate` keeps
   * the readers of this process off.
   */
  constructor(connection: Connection, logBytesMax: number, gate: GateMemory | null = null) {
    this.#connection = connection;
    this.#logBytesMax = logBytesMax;
    this.#gate = gate === null ? null : new LogGate(gate);
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
    if (this.#gate !== null && this.#logBytes >= ANEW_BYTES) this.#beginAnew(this.#gate);
  }

  /** Keeps readers off for a moment, and has SQLite write over the log from its beginning. */
  #beginAnew(gate: LogGate): void {
    const nowMs = performance.now(), anew = this.#anew;
    if (!gate.isClosed) {
      if (nowMs < anew.dueMs) return;
      gate.close();
      anew.closedMs = anew.tryMs = nowMs;
    }
    if (nowMs < anew.tryMs) return;
    anew.tryMs = nowMs + ANEW_MS.tries;
    const isDone = !this.#run("RESTART").isBusy;
    if (isDone) anew.pauseMs = ANEW_MS.pauseMin;
    else if (nowMs - anew.closedMs < ANEW_MS.closed) return;
    else anew.pauseMs = Math.min(ANEW_MS.pauseMax, anew.pauseMs * 2);
    gate.open();
    anew.dueMs = nowMs + anew.pauseMs;
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

  #run(
    mode: "PASSIVE" | "RESTART" | "TRUNCATE",
  ): { readonly log: number; readonly checkpointed: number; readonly isBusy: boolean } {
    this.#bytesSince = 0;
    const row = this.#connection.prepare(`PRAGMA wal_checkpoint(${mode})`).get([]);
    const log = Number(row?.log), checkpointed = Number(row?.checkpointed);
    const isBusy = row?.busy !== 0;
    this.#heldBytes = checkpointed < log ? log * FRAME_BYTES : 0;
    this.#logBytes = mode !== "PASSIVE" && !isBusy ? 0 : log * FRAME_BYTES;
    return { log, checkpointed, isBusy };
  }
}
