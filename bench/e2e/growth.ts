/** (c) whether the commit rate stays flat while the database grows. */

import { encodeBatch, type Submission } from "../../lib/event.ts";
import { decodeLines } from "../../lib/protocols/native.ts";
import { Database } from "../../lib/store/database.ts";
import { sampleLines } from "../sample.ts";
import { median, spread, thousands } from "./numbers.ts";

const TRANSACTION_EVENTS = 10_000;
const ROUNDS = 15;
/** Transactions a turn: enough that each turn has checkpoints in it. */
const TURN_TRANSACTIONS = 20;

/**
 * Markdown lines: databases of these sizes, in millions of rows, take turns at being written to, so
 * that a change of the machine's speed meets them all. Writes through the store's own code.
 */
export function growth(millions: readonly number[]): string[] {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-growth-" });
  const grown = millions.map((size) => new Grown(`${folder}/${size}.db`, size));
  const rates = grown.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, one] of grown.entries()) rates[i]?.push(one.write(TURN_TRANSACTIONS));
  }
  for (const one of grown) one.close();
  Deno.removeSync(folder, { recursive: true });
  return [
    "| rows | rows/s | against the first, turn by turn |",
    "| --- | --- | --- |",
    ...rates.map((rate, i) => {
      const ratios = rate.map((perSecond, turn) => perSecond / (rates[0]?.[turn] ?? NaN));
      return `| ${millions[i]} M | ${thousands(median(rate))} | ${spread(ratios)} |`;
    }),
  ];
}

/** A database that has grown to a size. */
class Grown {
  readonly #database: Database;
  readonly #rows: string;
  #number = 0;

  constructor(path: string, millions: number) {
    this.#database = new Database({ path, synchronous: "full", openTimeoutMs: 1000, run: "" });
    const context = { receivedAt: 1_795_520_166_556, isAscii: true };
    const limits = { maxRequestEvents: TRANSACTION_EVENTS, maxEventBytes: 1 << 20 };
    const body = new TextEncoder().encode(sampleLines(TRANSACTION_EVENTS));
    this.#rows = encodeBatch([decodeLines(body, context, limits) as Submission]);
    this.write(millions * 1e6 / TRANSACTION_EVENTS);
  }

  /** Commits so many transactions and gives the rows a second, checkpoints included. */
  write(transactions: number): number {
    const startMs = performance.now();
    for (let i = 0; i < transactions; i++) {
      const number = ++this.#number;
      const batch = { number, events: TRANSACTION_EVENTS, rows: this.#rows };
      this.#database.write({ ...batch, skip: [], deadLetters: [] });
      this.#database.checkpointIfDue();
    }
    return transactions * TRANSACTION_EVENTS / (performance.now() - startMs) * 1000;
  }

  close(): void {
    this.#database.close();
  }
}
