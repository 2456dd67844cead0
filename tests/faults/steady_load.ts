/**
 * Clients that send without a pause while something is done to the collector. Each request is sent
 * once; it is noted how it was answered, and how fast.
 */

import { post } from "./answer.ts";
import { makeEvent } from "./events.ts";
import type { EventLog } from "./oracle.ts";

/** What is sent, and where. */
export interface SteadyLoadOptions {
  /** Where the collector listens now; asked before each request. */
  readonly url: () => string;
  readonly log: EventLog;
  readonly clients: number;
  /** Number of the first client; no two loads of a log may share one. */
  readonly firstClient: number;
}

/** How one request was answered. */
export interface Answered {
  /** 0 if it was not. */
  readonly status: number;
  /** Since it was sent. */
  readonly ms: number;
}

const BATCH_EVERY = 5, BATCH_EVENTS = 20;
const ATTEMPT_TIMEOUT_MS = 20_000;
const PAUSE_MS = 2, PAUSE_AFTER_REFUSAL_MS = 25;

/** A load that runs; disposing of it ends it. */
export class SteadyLoad implements AsyncDisposable {
  /** Every answer so far. */
  readonly answers: Answered[] = [];
  readonly #options: SteadyLoadOptions;
  readonly #running: Promise<unknown>;
  #isEnding = false;

  constructor(options: SteadyLoadOptions) {
    this.#options = options;
    const { clients, firstClient } = options;
    this.#running = Promise.all(
      Array.from({ length: clients }, (_, i) => this.#client(firstClient + i)),
    );
  }

  /** How many answers there were of each status. */
  get statuses(): Record<number, number> {
    const counts: Record<number, number> = {};
    for (const { status } of this.answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** Has each client end after the request it is at, and waits for that. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }

  /** Waits until there are so many more answers of that status; throws after `timeoutMs`. */
  async more(count: number, status: number, timeoutMs = 20_000): Promise<void> {
    const wished = (this.statuses[status] ?? 0) + count, endMs = performance.now() + timeoutMs;
    while ((this.statuses[status] ?? 0) < wished) {
      if (performance.now() > endMs) {
        throw new Error(`not ${count} more ${status} in time: ${JSON.stringify(this.statuses)}`);
      }
      await sleep(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #client(client: number): Promise<void> {
    const { url, log } = this.#options;
    for (let request = 0, sequence = 0; !this.#isEnding; request++) {
      const count = request % BATCH_EVERY === 2 ? BATCH_EVENTS : 1;
      const events = Array.from(
        { length: count },
        () => makeEvent(client, sequence++, request % 2 === 0),
      );
      log.sending(events);
      const startMs = performance.now();
      const { outcome, status, complaint } = await post(url(), events, {
        timeoutMs: ATTEMPT_TIMEOUT_MS,
      });
      log.ended(events, outcome);
      if (complaint !== null) log.complaints.push(complaint);
      this.answers.push({ status, ms: performance.now() - startMs });
      await sleep(outcome === "durable" ? PAUSE_MS : PAUSE_AFTER_REFUSAL_MS);
    }
  }
}

/** Resolves after so many ms. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
