/**
 * The collector: admits submissions to the channel, has the writer commit them, and keeps the
 * account of both. It knows nothing of HTTP or SQLite.
 */

import { Channel } from "./channel.ts";
import { DrainRate, retryAfterSeconds } from "./drain_rate.ts";
import type { Refusal, RefusalCode } from "./errors.ts";
import type { Submission } from "./event.ts";
import { Histogram, type Quantiles } from "./histogram.ts";
import type { Store } from "./store.ts";
import { Writer, type WriterEvents, type WriterOptions } from "./writer.ts";

/** How a collector is made. */
export interface CollectorOptions {
  /** Most events queued and in flight. */
  readonly queueCapacity: number;
  /** Most bytes queued and in flight. */
  readonly queueBytes: number;
  /** How the writer forms batches. */
  readonly writer: WriterOptions;
  /** It is not ready when a batch has been under way for longer, in ms. */
  readonly readyStallMs: number;
  /** Where batches go. */
  readonly store: Store;
  /** Told of each failed attempt to commit. */
  readonly onFailed: WriterEvents["failed"];
  /** Told if the writer itself ends though nobody asked it to: nothing is stored any more. */
  readonly onWriterEnded: (error: unknown) => void;
}

/**
 * The account in events. At every instant `received = accepted + rejected + duplicates` and
 * `accepted = committed + dead_lettered + dropped + queued + in_flight`.
 */
export interface Account {
  /** Events that came in requests that could be decoded. */
  readonly received: number;
  /** Admitted to the channel. */
  readonly accepted: number;
  /** Refused with a reason; nothing of them is stored. */
  readonly rejected: number;
  /** Known already and not stored again. */
  readonly duplicates: number;
  /** Durable in the database. */
  readonly committed: number;
  /** Kept aside with a reason, in the same transaction. */
  readonly dead_lettered: number;
  /** Accepted and given up; must stay 0. */
  readonly dropped: number;
  /** Waiting in the channel. */
  readonly queued: number;
  /** In the batches that are being written. */
  readonly in_flight: number;
  /** What the two identities are off by; anything but 0 is a bug. */
  readonly residual: number;
}

/** What `GET /stats` shows of the collector: the account, gauges and quantiles. */
export interface Stats extends Account {
  /** The channel; queued and in flight count together. */
  readonly queue: {
    readonly events: number;
    readonly capacity_events: number;
    readonly bytes: number;
    readonly capacity_bytes: number;
    readonly oldest_age_ms: number;
  };
  /** Time from taking a batch to its commit, retries included, in ms. */
  readonly commit_ms: Quantiles;
  /** Events a batch, that is a transaction. */
  readonly batch_events: Quantiles;
  /** How fast the writer drains the queue while it is busy. */
  readonly drain_events_per_second: number;
  /** Failed attempts to commit. */
  readonly commit_retries: number;
  /** Collector's clock at the last commit, null before the first. */
  readonly last_commit_at: string | null;
  /** Why the last attempt failed, null once one succeeded. */
  readonly last_commit_error: string | null;
  /** Refused requests by code. */
  readonly refused_requests: Readonly<Partial<Record<RefusalCode, number>>>;
  /** Size of the database file. */
  readonly database_bytes: number;
  /** Size of its write-ahead log. */
  readonly wal_bytes: number;
  /** Collector's clock at its start. */
  readonly started_at: string;
  /** Whole seconds since then. */
  readonly uptime_seconds: number;
}

/** Whether it can take events, and why not. */
export interface Readiness {
  /** Whether new events are likely to be taken and stored. */
  readonly ready: boolean;
  /** Why not; `ok` if it is. */
  readonly reason: string;
}

/** See the head of this file. */
export class Collector {
  readonly #channel: Channel<Submission>;
  readonly #writer: Writer;
  readonly #store: Store;
  readonly #readyStallMs: number;
  readonly #onWriterEnded: (error: unknown) => void;
  readonly #commitMs = new Histogram(0.001);
  readonly #batchEvents = new Histogram(1);
  readonly #drainRate = new DrainRate();
  readonly #refused: Partial<Record<RefusalCode, number>> = {};
  readonly #startedAtMs = Date.now();
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #draining = false;
  #accepted = 0;
  #rejected = 0;
  #committed = 0;
  #deadLettered = 0;
  #received = 0;
  #retries = 0;
  #lastCommitAtMs = 0;
  #lastCommitError: string | null = null;

  /** Starts nothing: {@linkcode Collector.start} does. */
  constructor(options: CollectorOptions) {
    const { queueCapacity, queueBytes, store, writer, onFailed } = options;
    this.#channel = new Channel({ capacity: queueCapacity, capacityBytes: queueBytes });
    this.#store = store;
    this.#readyStallMs = options.readyStallMs;
    this.#onWriterEnded = options.onWriterEnded;
    this.#writer = new Writer(this.#channel, store, {
      ...writer,
      events: {
        committed: (done) => this.#onCommitted(done),
        failed: (failure) => {
          this.#retries++;
          this.#lastCommitError = failure.reason;
          onFailed(failure);
        },
      },
    });
  }

  /** Opens the store and starts the writer. @throws {CollectorError} if the store does not open. */
  async start(): Promise<void> {
    const { lastBatch } = await this.#store.open();
    this.#running = this.#writer.run(lastBatch, this.#abort.signal);
    this.#running.catch((error) => {
      if (!this.#abort.signal.aborted) this.#onWriterEnded(error);
    });
  }

  /** Whether it was told to take no more. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Admits a submission whole, or says why not. Never waits. */
  submit(submission: Submission): Refusal | null {
    const { events } = submission;
    this.#received += events;
    if (this.#channel.trySend(submission) === "sent") {
      this.#accepted += events;
      return null;
    }
    this.#rejected += events;
    return this.#channel.closed ? DRAINING : this.#refuseFull(submission);
  }

  /** Counts a refused request and the events it is known to have held; `submit` counts its own. */
  countRefused(code: RefusalCode, events: number): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
    this.#received += events;
    this.#rejected += events;
  }

  /** The account now. */
  account(): Account {
    const queued = this.#channel.queuedEvents, in_flight = this.#channel.inFlightEvents;
    const [received, accepted, rejected] = [this.#received, this.#accepted, this.#rejected];
    const [committed, dead_lettered] = [this.#committed, this.#deadLettered];
    const duplicates = 0, dropped = 0; // nothing makes either yet
    const residual = Math.abs(received - accepted - rejected - duplicates) +
      Math.abs(accepted - committed - dead_lettered - dropped - queued - in_flight);
    return {
      received,
      accepted,
      rejected,
      duplicates,
      committed,
      dead_lettered,
      dropped,
      queued,
      in_flight,
      residual,
    };
  }

  /** The account with gauges and quantiles; the sizes are read from the disk. */
  async stats(): Promise<Stats> {
    const { databaseBytes, walBytes } = await this.#store.size();
    const channel = this.#channel;
    return {
      ...this.account(),
      queue: {
        events: channel.queuedEvents + channel.inFlightEvents,
        capacity_events: channel.capacity,
        bytes: channel.queuedBytes + channel.inFlightBytes,
        capacity_bytes: channel.capacityBytes,
        oldest_age_ms: this.#oldestAgeMs(),
      },
      commit_ms: this.#commitMs.quantiles(),
      batch_events: this.#batchEvents.quantiles(),
      drain_events_per_second: Math.round(this.#drainRate.perSecond(this.#writer.batchAgeMs)),
      commit_retries: this.#retries,
      last_commit_at: this.#lastCommitAtMs === 0
        ? null
        : new Date(this.#lastCommitAtMs).toISOString(),
      last_commit_error: this.#lastCommitError,
      refused_requests: this.#refused,
      database_bytes: databaseBytes,
      wal_bytes: walBytes,
      started_at: new Date(this.#startedAtMs).toISOString(),
      uptime_seconds: Math.floor((Date.now() - this.#startedAtMs) / 1000),
    };
  }

  /** Ready unless it is draining or a batch is stuck. */
  readiness(): Readiness {
    if (this.#draining) return { ready: false, reason: "draining" };
    const ageMs = this.#writer.batchAgeMs;
    if (ageMs <= this.#readyStallMs) return { ready: true, reason: "ok" };
    const error = this.#lastCommitError ?? "the store has not answered";
    return {
      ready: false,
      reason: `nothing was committed for ${Math.round(ageMs / 1000)} s: ${error}`,
    };
  }

  /** From now on new requests are to be refused; bodies in flight are still admitted. */
  startDraining(): void {
    this.#draining = true;
  }

  /** Admits nothing more, commits what is queued, and closes the store. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#channel.close();
    await this.#running;
    await this.#store.close();
  }

  /** Stops the writer where it is. What it had not committed is told by the account. */
  abandon(): void {
    this.#channel.close();
    this.#abort.abort();
  }

  #oldestAgeMs(): number {
    const oldest = this.#channel.oldest;
    const queuedMs = oldest === undefined ? 0 : Date.now() - oldest.receivedAt;
    return Math.round(Math.max(0, queuedMs, this.#writer.batchAgeMs));
  }

  #refuseFull(submission: Submission): Refusal {
    const channel = this.#channel;
    const { capacity, capacityBytes } = channel;
    if (submission.events > capacity) {
      const detail = `The whole queue has room for ${capacity} events (--queue-capacity), ` +
        `the request holds ${submission.events}. Send fewer a request.`;
      return { code: "too-many-events", detail };
    }
    if (submission.bytes > capacityBytes) {
      const detail = `The whole queue has room for ${capacityBytes} bytes (--queue-bytes), ` +
        `the request needs ${submission.bytes}. Send less a request.`;
      return { code: "body-too-large", detail };
    }
    const depth = channel.queuedEvents + channel.inFlightEvents;
    const bytes = channel.queuedBytes + channel.inFlightBytes;
    const perSecond = this.#drainRate.perSecond(this.#writer.batchAgeMs);
    const seconds = retryAfterSeconds(depth, perSecond, Math.random());
    const detail = `The queue holds ${depth} of ${capacity} events and ${bytes} of ` +
      `${capacityBytes} bytes. Send the request again later.`;
    return { code: "queue-full", detail, headers: { "retry-after": String(seconds) } };
  }

  #onCommitted(done: Parameters<WriterEvents["committed"]>[0]): void {
    const events = done.rows + done.deadLetters;
    this.#committed += done.rows;
    this.#deadLettered += done.deadLetters;
    this.#commitMs.record(done.ms);
    this.#batchEvents.record(events);
    this.#drainRate.record(events, done.busyMs);
    this.#lastCommitAtMs = Date.now();
    this.#lastCommitError = null;
  }
}

/** What a request is answered while the collector stops. */
export const DRAINING: Refusal = {
  code: "draining",
  detail: "The collector is stopping and takes no more events.",
  headers: { "connection": "close", "retry-after": "5" },
};
