/**
 * The collector: admits submissions to the channel, has the writer store them, and keeps the
 * account of both. It knows nothing of HTTP or SQLite.
 */

import { type Account, balance } from "./account.ts";
import type { Admission, Durability, Level } from "./admission.ts";
import { DURATION_BOUNDS_MS } from "./buckets.ts";
import { Channel, type Weighted } from "./channel.ts";
import { DrainRate } from "./drain_rate.ts";
import type { Refusal, RefusalCode } from "./errors.ts";
import { fieldsPerRow, LETTER_FIELDS, type Submission } from "./event.ts";
import { EventIds } from "./event_ids.ts";
import { Histogram } from "./histogram.ts";
import { type KeyedRequest, type KnownRequest, Requests } from "./idempotency.ts";
import { LetterReasons } from "./letter_reasons.ts";
import { ReceivedCounts } from "./received_counts.ts";
import { parseReceipt, pending, type ReceiptStatus, statusOf } from "./receipt.ts";
import {
  DRAINING,
  KEY_IN_FLIGHT,
  KEY_REUSED,
  queueFull,
  storeFailing,
} from "./admission_refusals.ts";
import type { Readiness, Stats } from "./stats.ts";
import type { Store, StoreOpened, StoreSize, StoreState } from "./store.ts";
import { StoredProgress } from "./stored_progress.ts";
import { type StoredBatch, Writer, type WriterEvents, type WriterOptions } from "./writer.ts";

/** How a collector is made. */
export interface CollectorOptions {
  /** When events are acknowledged. */
  readonly durability: Durability;
  /** Most events queued and in flight. */
  readonly queueCapacity: number;
  /** Most bytes queued and in flight. */
  readonly queueBytes: number;
  /** How many event ids are remembered; 0 for none. */
  readonly recentEventIds: number;
  /** How many requests with a key are remembered. */
  readonly recentRequests: number;
  /** How the writer forms batches. */
  readonly writer: WriterOptions;
  /** It is not ready when a batch has been under way for longer, in ms. */
  readonly readyStallMs: number;
  /** Where batches go. */
  readonly store: Store;
  /** Told of each failed attempt to store a batch. */
  readonly onFailed: WriterEvents["failed"];
  /** Told what the store says the operator must know. */
  readonly onNotice: (text: string) => void;
  /** Told if the writer itself ends though nobody asked it to: nothing is stored any more. */
  readonly onWriterEnded: (error: unknown) => void;
}

/** What a request brings beside its events. */
export interface Beside {
  /** The request, if it has a key. */
  readonly keyed?: KeyedRequest | null;
  /** Its events that can not be stored: they become dead letters. */
  readonly aside?: Submission | null;
  /** Whether the ids of its events are remembered from themselves: then no one is a duplicate. */
  readonly ownsIds?: boolean;
}

const ONE_EVENT: Weighted = { events: 1, bytes: 0 };

/** See the head of this file. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #channel: Channel<Submission>;
  readonly #writer: Writer;
  /** What it measures: see {@linkcode Stats} for the meaning of each. */
  readonly measured = {
    ackMs: new Histogram(0.001, DURATION_BOUNDS_MS),
    commitMs: new Histogram(0.001, DURATION_BOUNDS_MS),
    batchEvents: new Histogram(1, BATCH_BOUNDS),
    letterReasons: new LetterReasons(),
    received: new ReceivedCounts(),
  } as const;
  readonly #drainRate = new DrainRate();
  readonly #progress = new StoredProgress(this.measured.ackMs);
  readonly #refused: Partial<Record<RefusalCode, number>> = {};
  readonly #startedAtMs = Date.now();
  readonly #abort = new AbortController();
  #opened: StoreOpened | null = null;
  #eventIds: EventIds | null = null;
  #requests: Requests | null = null;
  #running: Promise<void> = Promise.resolve();
  #draining = false;
  readonly #counts = { received: 0, accepted: 0, rejected: 0, duplicates: 0 };
  #replays = 0;
  #retries = 0;
  #lastCommitError: string | null = null;

  /** Starts nothing: {@linkcode Collector.start} does. */
  constructor(options: CollectorOptions) {
    this.#options = options;
    const { queueCapacity, queueBytes, store, writer } = options;
    this.#channel = new Channel({ capacity: queueCapacity, capacityBytes: queueBytes });
    this.#writer = new Writer(this.#channel, store, {
      ...writer,
      events: {
        stored: (done) => this.#onStored(done),
        failed: (failure) => {
          this.#retries++;
          this.#lastCommitError = failure.reason;
          options.onFailed(failure);
        },
      },
    });
  }

  /**
   * Opens the store, starts the writer, and gives what was found there.
   *
   * @throws {CollectorError} if the store does not open.
   */
  async start(): Promise<StoreOpened> {
    const { store, onNotice, onWriterEnded, recentEventIds, recentRequests } = this.#options;
    const opened = await store.open({
      state: (state) => this.#onState(state),
      notice: onNotice,
    });
    this.#opened = opened;
    this.#progress.found(opened.state.journaled);
    if (!this.#progress.isKnown) this.#onState(opened.state); // else a later one was told
    this.#eventIds = new EventIds(recentEventIds, opened.seed, opened.eventIds);
    this.#requests = new Requests(recentRequests, opened.seed, opened.requests);
    this.#running = this.#writer.run(this.#abort.signal);
    this.#running.catch((error) => {
      if (!this.#abort.signal.aborted) onWriterEnded(error);
    });
    return opened;
  }

  /** Whether it was told to take no more. */
  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Admits a submission whole or says why not, and with it what was found bad in the same request.
   * What is recognised as the same request is answered like it.
   */
  submit(
    submission: Submission,
    { keyed = null, aside = null, ownsIds = false }: Beside = {},
  ): Admission | Refusal {
    const counts = this.#counts;
    const whole = aside === null ? submission : {
      events: submission.events + aside.events,
      bytes: submission.bytes + aside.bytes,
    };
    const { events } = whole;
    counts.received += events;
    this.measured.received.add(submission.protocol, events);
    const known = keyed === null ? null : this.#requests?.find(keyed) ?? null;
    if (known !== null) return this.#repeat(known, events);
    const refusal = this.#refuses(whole);
    if (refusal !== null) {
      counts.rejected += events;
      return refusal;
    }
    const first = counts.accepted;
    const unknown = this.#eventIds === null ? submission : this.#eventIds.keepNew(submission);
    const fresh = ownsIds ? submission : unknown;
    const accepted = (fresh?.events ?? 0) + (aside?.events ?? 0);
    const duplicates = events - accepted;
    const sequence = first + accepted;
    const request = keyed === null
      ? undefined
      : this.#requests?.remember(keyed, { accepted, duplicates, sequence });
    const [head, tail] = fresh === null ? [aside, null] : [fresh, aside];
    if (head !== null) this.#channel.trySend(request === undefined ? head : { ...head, request });
    // A crash between two transactions would keep a part of the request, and its key.
    if (tail !== null) this.#channel.trySend({ ...tail, isJoined: true });
    const letters = fieldsPerRow(submission) === LETTER_FIELDS ? submission : aside;
    if (letters !== null) this.measured.letterReasons.admitted(sequence, letters.events);
    counts.accepted = sequence;
    counts.duplicates += duplicates;
    return { events, accepted, duplicates, first, sequence, isReplay: false };
  }

  /** Why not even one event would be admitted now; null if it would. */
  refusal(): Refusal | null {
    return this.#draining ? DRAINING : this.#refuses(ONE_EVENT);
  }

  /**
   * Counts a refused request and the events it is known to have held, which came by this protocol;
   * `submit` counts its own.
   */
  countRefused(code: RefusalCode, events: number, protocol: string | null = null): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
    if (events > 0) this.measured.received.add(protocol, events);
    this.#counts.received += events;
    this.#counts.rejected += events;
  }

  /** Resolves to whether an admission is on the disk, false if it is not in time. */
  flushed({ sequence }: Admission, timeoutMs: number): Promise<boolean> {
    return this.#progress.flushed.reach(sequence, timeoutMs);
  }

  /** Resolves to whether an admission is in the database, false if it is not in time. */
  committed({ sequence }: Admission, timeoutMs: number): Promise<boolean> {
    return this.#progress.committed.reach(sequence, timeoutMs);
  }

  /** Whether so many events of this run are committed. */
  isCommitted(sequence: number): boolean {
    return this.#progress.level(sequence) === "committed";
  }

  /** How far an admission has got by now. */
  level({ sequence }: Admission): Level {
    return this.#progress.level(sequence);
  }

  /** The name under which an admission can be asked for, in this run and after it. */
  receiptId({ first, sequence }: Admission): string {
    return `${this.#opened?.run}-${first}-${sequence - first}`;
  }

  /** How far the events of a receipt have got; null if there is no such receipt. */
  async receipt(id: string): Promise<ReceiptStatus | null> {
    const receipt = parseReceipt(id);
    if (receipt === null) return null;
    const isOwn = receipt.run === this.#opened?.run;
    if (isOwn && receipt.first + receipt.events > this.#counts.accepted) return null;
    const state = await this.#options.store.receipt(receipt);
    // Of this run more is known here: what earlier runs left in the journal comes before its events.
    return isOwn && !this.isCommitted(receipt.first + receipt.events)
      ? pending(receipt)
      : statusOf(receipt, state);
  }

  /** The account now. */
  account(): Account {
    const { queuedEvents: queued, inFlightEvents: in_flight } = this.#channel;
    const { recovered } = this.#progress;
    return balance({ ...this.#counts, recovered, ...this.#progress.terms(), queued, in_flight });
  }

  /** How much room the store takes on the disk, and how much is left. */
  size(): Promise<StoreSize> {
    return this.#options.store.size();
  }

  /** The account with gauges and quantiles; the sizes are read from the disk. */
  async stats(): Promise<Stats> {
    return this.statsNow(await this.size());
  }

  /** The same at once, with sizes that were read before. */
  statsNow({ databaseBytes, walBytes, journalBytes, freeBytes }: StoreSize): Stats {
    const channel = this.#channel, damage = this.#opened?.damage;
    const { lastCommitAtMs } = this.#progress;
    return {
      ...this.account(),
      durability: this.#options.durability,
      queue: {
        events: channel.queuedEvents + channel.inFlightEvents,
        capacity_events: channel.capacity,
        bytes: channel.queuedBytes + channel.inFlightBytes,
        capacity_bytes: channel.capacityBytes,
        oldest_age_ms: this.#oldestAgeMs(),
      },
      ack_ms: this.measured.ackMs.quantiles(),
      commit_ms: this.measured.commitMs.quantiles(),
      batch_events: this.measured.batchEvents.quantiles(),
      drain_events_per_second: Math.round(this.#drainRate.perSecond(this.#writer.batchAgeMs)),
      commit_retries: this.#retries,
      last_commit_at: lastCommitAtMs === 0 ? null : new Date(lastCommitAtMs).toISOString(),
      last_commit_error: this.#lastCommitError,
      refused_requests: this.#refused,
      database_bytes: databaseBytes,
      wal_bytes: walBytes,
      journal_bytes: journalBytes,
      disk_free_bytes: freeBytes,
      replays: this.#replays,
      recent_event_ids: this.#eventIds?.size ?? 0,
      unclean_runs: this.#opened?.uncleanRuns ?? 0,
      lost_at_most: this.#opened?.lostAtMost ?? 0,
      damaged: {
        journal_files: damage?.journalFiles ?? 0,
        journal_bytes: damage?.journalBytes ?? 0,
        databases: damage?.databases ?? 0,
        transactions: damage?.transactions ?? 0,
      },
      started_at: new Date(this.#startedAtMs).toISOString(),
      uptime_seconds: Math.floor((Date.now() - this.#startedAtMs) / 1000),
    };
  }

  /** Ready unless it is draining or a batch is stuck. */
  readiness(): Readiness {
    if (this.#draining) return { ready: false, reason: "draining" };
    if (this.#options.durability === "disk" && this.#lastCommitError !== null) {
      return { ready: false, reason: `nothing can be stored: ${this.#lastCommitError}` };
    }
    const ageMs = this.#writer.batchAgeMs;
    if (ageMs <= this.#options.readyStallMs) return { ready: true, reason: "ok" };
    const error = this.#lastCommitError ?? "the store has not answered";
    return {
      ready: false,
      reason: `nothing was stored for ${Math.round(ageMs / 1000)} s: ${error}`,
    };
  }

  /** From now on new requests are to be refused; bodies in flight are still admitted. */
  startDraining(): void {
    this.#draining = true;
  }

  /** Admits nothing more, stores what is queued, and closes the store. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#channel.close();
    await this.#running;
    await this.#options.store.close();
    this.#progress[Symbol.dispose]();
  }

  /** Stops the writer where it is. What it had not stored is told by the account. */
  abandon(): void {
    this.#channel.close();
    this.#abort.abort();
    this.#progress[Symbol.dispose]();
  }

  #oldestAgeMs(): number {
    const oldest = this.#channel.oldest;
    const queuedMs = oldest === undefined ? 0 : Date.now() - oldest.receivedAt;
    return Math.round(Math.max(0, queuedMs, this.#writer.batchAgeMs));
  }

  /** The answer to a request whose key is known. */
  #repeat(known: KnownRequest, events: number): Admission | Refusal {
    const counts = this.#counts;
    const isInFlight = this.#options.durability === "disk" &&
      this.#progress.level(known.sequence) === "queued";
    if (!known.isSameBody || isInFlight) {
      counts.rejected += events;
      return known.isSameBody ? KEY_IN_FLIGHT : KEY_REUSED;
    }
    counts.duplicates += events;
    this.#replays++;
    const { accepted, duplicates, sequence } = known;
    const first = Math.max(0, sequence - accepted); // 0 to 0, no events, if it was an earlier run
    return { events, accepted, duplicates, first, sequence, isReplay: true };
  }

  #refuses(weight: Weighted): Refusal | null {
    const result = this.#channel.probe(weight);
    if (result === "closed") return DRAINING;
    if (result === "full") {
      return queueFull(
        this.#channel,
        weight,
        this.#drainRate.perSecond(this.#writer.batchAgeMs),
      );
    }
    return this.#options.durability === "disk" && this.#lastCommitError !== null
      ? storeFailing(this.#lastCommitError)
      : null;
  }

  #onStored({ level, events, ms, busyMs }: StoredBatch): void {
    this.measured.batchEvents.record(events);
    this.#drainRate.record(events, busyMs);
    this.#lastCommitError = null;
    if (level === "committed") this.measured.commitMs.record(ms);
    this.#progress.stored(events);
  }

  #onState(state: StoreState): void {
    this.#progress.told(state);
    this.measured.letterReasons.reached(state);
  }
}

/** Bounds for the events of a batch. */
const BATCH_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
