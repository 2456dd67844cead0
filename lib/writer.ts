/**
 * The writer: one loop that takes what the channel holds and has the store commit it.
 *
 * Batches form by themselves: what arrives while two are under way becomes the next. On a quiet
 * queue a short linger lets a batch fill; on a long one a transaction carries many batches, up to a
 * limit.
 * A batch leaves the loop in one way only: stored, that is committed (each of its events a row or a
 * dead letter) or flushed to the journal, from where it goes on into the database by itself.
 */

import { Buffer } from "node:buffer";
import type { Channel, Received } from "./channel.ts";
import {
  encodeBatch,
  fieldsPerRow,
  LETTER_FIELDS,
  METADATA_FIELD,
  type Submission,
} from "./event.ts";
import type { Batch, DeadLetter, RejectedRow, Store } from "./store.ts";

/** How batches are formed and retried. */
export interface WriterOptions {
  /** Events that end the linger; `load`: as many as {@linkcode eventsWorthWaiting} says. */
  readonly batchSize: number | "load";
  /** Longest wait for a batch to fill, in ms. */
  readonly lingerMs: number;
  /** Most events a transaction. */
  readonly transactionEvents: number;
  /** Most bytes a transaction, as the channel counts them. */
  readonly transactionBytes: number;
  /** First and longest pause before a failed batch is written again, in ms. */
  readonly retryMs: { readonly min: number; readonly max: number };
}

const NEARLY_ALL = 0.9;
const EVENTS_WORTH_A_FLUSH = 32;

/** What the writer tells of its work. */
export interface WriterEvents {
  /** A batch is in the database or in the journal. */
  stored(done: StoredBatch): void;
  /** An attempt failed; the next comes in `retryInMs`. */
  failed(failure: { reason: string; attempt: number; retryInMs: number }): void;
}

/** A batch that was stored. */
export interface StoredBatch {
  /** Where it is. */
  readonly level: "committed" | "journaled";
  /** How many events it held. */
  readonly events: number;
  /** Time since the first attempt, failed ones included, in ms. */
  readonly ms: number;
  /** The part of it that no batch before took, in ms. */
  readonly busyMs: number;
}

/** See the head of this file. */
export class Writer {
  readonly #channel: Channel<Submission>;
  readonly #store: Store;
  readonly #options: WriterOptions;
  readonly #events: WriterEvents;
  /** When each batch under way was taken, the oldest first. */
  readonly #startedMs: number[] = [];
  #storedMs = -Infinity;
  /** Events that were admitted and not stored when the last batch was. */
  #waiting = 0;

  /** The writer is the channel's one receiver. */
  constructor(
    channel: Channel<Submission>,
    store: Store,
    options: WriterOptions & { readonly events: WriterEvents },
  ) {
    this.#channel = channel;
    this.#store = store;
    this.#options = options;
    this.#events = options.events;
  }

  /** How long nothing was stored though a batch is under way, in ms; 0 if none is. */
  get batchAgeMs(): number {
    const [oldest] = this.#startedMs;
    return oldest === undefined ? 0 : performance.now() - Math.max(oldest, this.#storedMs);
  }

  /**
   * Runs until the channel is closed and empty.
   *
   * While a batch is being written the next one is sent after it already, so that the store does
   * not wait for this thread, which may be busy with requests.
   *
   * @throws the signal's reason when it is aborted; the batches under way are then in doubt.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { batchSize, lingerMs, transactionEvents, transactionBytes } = this.#options;
    const options = {
      lingerMs,
      eventsMax: transactionEvents,
      bytesMax: transactionBytes,
      signal,
    };
    let [before, last] = [Promise.resolve(), Promise.resolve()];
    for (let number = 1;; number++) {
      await before;
      const eventsMin = batchSize === "load" ? eventsWorthWaiting(this.#waiting) : batchSize;
      const received = await this.#channel.receive({ ...options, eventsMin });
      if (received === null) return await last;
      [before, last] = [last, this.#commit(received, number, last, signal)];
      last.catch(() => {}); // it is awaited above, but maybe later than it fails
    }
  }

  /** Has a batch stored, after the one before it. */
  async #commit(
    received: Received<Submission>,
    number: number,
    before: Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const isAhead = this.#startedMs.length > 0;
    const startedMs = performance.now();
    this.#startedMs.push(startedMs);
    const { events } = received;
    const rows = encodeBatch(received.values), aside = asideEvents(received.values);
    let batch: Batch = { number, events, rows, aside, skip: [], deadLetters: [] };
    let outcome = await this.#store.write(batch);
    await before;
    if (isAhead && outcome.kind === "failed") outcome = await this.#store.write(batch);
    for (let attempt = 1; outcome.kind !== "committed" && outcome.kind !== "journaled";) {
      if (outcome.kind === "rejected") batch = setAside(batch, outcome.rows, received.values);
      else await this.#pause(outcome.reason, attempt++, signal);
      signal.throwIfAborted();
      outcome = await this.#store.write(batch);
    }
    this.#channel.release(received);
    this.#waiting = events + this.#channel.queuedEvents + this.#channel.inFlightEvents;
    this.#startedMs.shift();
    const level = outcome.kind;
    const nowMs = performance.now();
    const busyMs = nowMs - Math.max(startedMs, this.#storedMs);
    this.#storedMs = nowMs;
    this.#events.stored({ level, events, ms: nowMs - startedMs, busyMs });
  }

  /** Waits before the next attempt: doubling, jittered, cut short by the signal. */
  #pause(reason: string, attempt: number, signal: AbortSignal): Promise<void> {
    const { min, max } = this.#options.retryMs;
    const ceiling = Math.min(max, min * 2 ** Math.min(attempt - 1, 30));
    const retryInMs = ceiling * (0.5 + Math.random() / 2);
    this.#events.failed({ reason, attempt, retryInMs });
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, retryInMs);
      signal.addEventListener("abort", end);
    });
  }
}

/**
 * How many events a batch waits for, if so many were waiting when the last one was stored.
 *
 * Clients that wait for a flush come back when it is done. If each batch took what is there, a large
 * one would be followed by one of the few who came meanwhile, and both cost a flush: so it waits for
 * nearly all of them, or for half of many, since two batches at a time keep both threads busy.
 */
export function eventsWorthWaiting(waiting: number): number {
  return Math.ceil(Math.max(waiting / 2, Math.min(waiting * NEARLY_ALL, EVENTS_WORTH_A_FLUSH)));
}

/** How many events were found bad when they were decoded. */
function asideEvents(submissions: readonly Submission[]): number {
  let events = 0;
  for (const each of submissions) if (fieldsPerRow(each) === LETTER_FIELDS) events += each.events;
  return events;
}

/** The batch with more of its rows made dead letters. */
function setAside(
  batch: Batch,
  rejected: readonly RejectedRow[],
  submissions: readonly Submission[],
): Batch {
  const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
  const deadLetters: DeadLetter[] = [...batch.deadLetters];
  let first = 0;
  for (const submission of submissions) {
    const { events, receivedAt, source, protocol, fields, body, splitBody } = submission;
    let texts: readonly string[] | null = null;
    for (let index = first; index < first + events; index++) {
      const reason = reasons.get(index);
      if (reason === undefined) continue;
      texts ??= splitBody(Buffer.from(body, "latin1"));
      const metadata = fields[(index - first) * fieldsPerRow(submission) + METADATA_FIELD];
      const raw = texts[index - first] ?? metadata ?? body;
      deadLetters.push({ receivedAt, source, protocol, reason, raw, isDecoded: true, index });
    }
    first += events;
  }
  const skip = [...batch.skip, ...reasons.keys()].sort((a, b) => a - b);
  return { ...batch, skip, deadLetters };
}
