/** A database that has grown to a size, written through the store's own code. */

import { CONTEXT, submissionOf } from "../decoded.ts";
import { DatabaseSync } from "node:sqlite";
import { encodeBatch } from "../../lib/event.ts";
import { FINGERPRINT_WORDS } from "../../lib/event_ids.ts";
import { REQUEST_WORDS } from "../../lib/idempotency.ts";
import { decodeLines } from "../../lib/protocols/native_body.ts";
import { Database } from "../../lib/store/database.ts";
import { sampleLines } from "../sample.ts";

/** How many ids, and how many keys, are remembered by default. */
export const WINDOW = 1_000_000;
const TRANSACTION_EVENTS = 10_000;
const RECORDS_PER_ROW = 256; // as recent_table.ts has them

/** See the head of this file. */
export class Grown {
  readonly #database: Database;
  readonly #rows: string;
  #number = 0;

  /** `receivedAt` is when all its events were received. */
  constructor(path: string, millions: number, receivedAt: number = CONTEXT.receivedAt) {
    this.#database = benchDatabase(path, "full");
    const limits = { maxRequestEvents: TRANSACTION_EVENTS, maxEventBytes: 1 << 20 };
    const body = new TextEncoder().encode(sampleLines(TRANSACTION_EVENTS));
    const context = { ...CONTEXT, receivedAt };
    this.#rows = encodeBatch([submissionOf(decodeLines(body, context, limits))]);
    this.write(millions * 1e6 / TRANSACTION_EVENTS);
  }

  /** Commits so many transactions and gives the rows a second, checkpoints included. */
  write(transactions: number): number {
    const startMs = performance.now();
    for (let i = 0; i < transactions; i++) {
      const number = ++this.#number;
      const batch = { number, events: TRANSACTION_EVENTS, rows: this.#rows };
      this.#database.write({ ...batch, aside: 0, skip: [], deadLetters: [] });
      this.#database.checkpointIfDue();
    }
    return transactions * TRANSACTION_EVENTS / (performance.now() - startMs) * 1000;
  }

  close(): void {
    this.#database.close();
  }
}

/** An open database as the collector has it, its run begun. */
export function benchDatabase(path: string, synchronous: "full" | "normal"): Database {
  const run = { id: "bench", durability: "memory", queueCapacity: 0, startedAt: Date.now() };
  const database = new Database({
    path,
    synchronous,
    openTimeoutMs: 1000,
    busyTimeoutMs: 100,
    run,
    walBytesMax: 1 << 30,
    recentEventIds: WINDOW,
    recentRequests: WINDOW,
  });
  database.takeOver({ lastBatch: 0, settled: 0, deadLettered: 0 });
  return database;
}

/** Fills the windows of ids and keys of a closed database; to it they look like any others. */
export function fillWindows(path: string): void {
  const database = new DatabaseSync(path);
  const windows = { recent_event_ids: FINGERPRINT_WORDS, recent_requests: REQUEST_WORDS };
  for (const [table, words] of Object.entries(windows)) {
    database.exec(`BEGIN; DELETE FROM ${table}`);
    const insert = database.prepare(`INSERT INTO ${table} (total, records) VALUES (?, ?)`);
    const records = new Uint8Array(RECORDS_PER_ROW * words * 4);
    for (let total = 0; total < WINDOW;) {
      total += RECORDS_PER_ROW;
      insert.run(total, crypto.getRandomValues(records));
    }
    database.exec("COMMIT");
  }
  database.close();
}
