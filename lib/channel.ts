/**
 * A typed channel, bounded in events and in bytes, for several senders and one receiver.
 *
 * ```text
 *  trySend ─► [ queued … ] ─► receive ─► ( in flight ) ─► release
 *             └─────────── capacity covers both ───────┘
 * ```
 *
 * What was received still counts against the capacity until it is released, so the bound holds for
 * everything the process keeps, not only for what waits. A send never waits: it is answered at once.
 */

/** What a value must tell about itself to be counted. */
export interface Weighted {
  /** How many events it holds, at least 1. */
  readonly events: number;
  /** Memory it keeps alive, in bytes, at least 0. */
  readonly bytes: number;
  /** Whether it belongs to the value sent before it: it is taken with that, whatever the limits. */
  readonly isJoined?: boolean;
}

/** The answer to a send. `full` and `closed` leave the value with the sender. */
export type SendResult = "sent" | "full" | "closed";

/** How much a channel may hold, queued and in flight together. */
export interface ChannelOptions {
  /** Most events, an integer of at least 1. */
  readonly capacity: number;
  /** Most bytes, an integer of at least 1. */
  readonly capacityBytes: number;
}

/** What one receive waits for and takes. */
export interface ReceiveOptions {
  /** Take at once when this many events are queued; until then linger. Default 1. */
  readonly eventsMin?: number;
  /** How long to wait for `eventsMin` after a first event is there, in ms. Default 0. */
  readonly lingerMs?: number;
  /** Most events to take; one heavier value is taken alone. Default: all. */
  readonly eventsMax?: number;
  /** Most bytes to take; one heavier value is taken alone. Default: all. */
  readonly bytesMax?: number;
  /** Ends the wait: the receive rejects with the signal's reason and takes nothing. */
  readonly signal?: AbortSignal;
}

/** Whole values taken by one receive, in the order they were sent. */
export interface Received<T> extends Weighted {
  /** The values. */
  readonly values: readonly T[];
}

interface Waiter {
  /** How many queued events end the wait. */
  events: number;
  readonly lingerMs: number;
  linger: ReturnType<typeof setTimeout> | undefined;
  readonly wake: () => void;
}

/** See the head of this file. */
export class Channel<T extends Weighted> {
  /** Most events it may hold. */
  readonly capacity: number;
  /** Most bytes it may hold. */
  readonly capacityBytes: number;
  #values: T[] = [];
  #head = 0;
  #queuedEvents = 0;
  #queuedBytes = 0;
  #inFlightEvents = 0;
  #inFlightBytes = 0;
  #closed = false;
  #receiving = false;
  #waiter: Waiter | null = null;

  /**
   * Makes an empty channel.
   *
   * @throws {RangeError} if a capacity is not an integer of at least 1.
   */
  constructor(options: ChannelOptions) {
    for (const name of ["capacity", "capacityBytes"] as const) {
      const value = options[name];
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(
          `Cannot make a channel: ${name} must be an integer >= 1, got ${value}`,
        );
      }
    }
    this.capacity = options.capacity;
    this.capacityBytes = options.capacityBytes;
  }

  /** Events waiting to be received. */
  get queuedEvents(): number {
    return this.#queuedEvents;
  }
  /** Bytes waiting to be received. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }
  /** Events received and not yet released. */
  get inFlightEvents(): number {
    return this.#inFlightEvents;
  }
  /** Bytes received and not yet released. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }
  /** Whether {@linkcode Channel.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }
  /** The value that has waited longest, if one waits. */
  get oldest(): T | undefined {
    return this.#values[this.#head];
  }

  /** What {@linkcode Channel.trySend} would answer now. */
  probe(value: Weighted): SendResult {
    if (this.#closed) return "closed";
    const events = this.#queuedEvents + this.#inFlightEvents + value.events;
    const bytes = this.#queuedBytes + this.#inFlightBytes + value.bytes;
    return events > this.capacity || bytes > this.capacityBytes ? "full" : "sent";
  }

  /**
   * Queues the value whole, or says why not. Never waits. A value heavier than the whole capacity is
   * `full` for ever.
   */
  trySend(value: T): SendResult {
    const result = this.probe(value);
    if (result !== "sent") return result;
    this.#values.push(value);
    this.#queuedEvents += value.events;
    this.#queuedBytes += value.bytes;
    if (this.#waiter !== null) this.#notify(this.#waiter);
    return "sent";
  }

  /**
   * Waits for events and takes whole values, oldest first, up to the limits. Null once the channel
   * is closed and everything was received. What was taken must be given to
   * {@linkcode Channel.release}.
   *
   * @throws {TypeError} if another receive is waiting: a channel has one receiver.
   */
  async receive(options: ReceiveOptions = {}): Promise<Received<T> | null> {
    if (this.#receiving) throw new TypeError("Cannot receive: another receive is waiting");
    options.signal?.throwIfAborted();
    this.#receiving = true;
    try {
      const eventsMin = Math.max(1, Math.min(options.eventsMin ?? 1, this.capacity));
      if (this.#queuedEvents < eventsMin && !this.#closed) await this.#wait(eventsMin, options);
    } finally {
      this.#receiving = false;
    }
    return this.#queuedEvents === 0 ? null : this.#take(options);
  }

  /** Gives back the capacity that received values held; call it once for each receive. */
  release(received: Weighted): void {
    this.#inFlightEvents -= received.events;
    this.#inFlightBytes -= received.bytes;
  }

  /** Refuses further sends. What is queued can still be received. */
  close(): void {
    this.#closed = true;
    this.#waiter?.wake();
  }

  #wait(eventsMin: number, options: ReceiveOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal, lingerMs = 0 } = options;
      const end = () => {
        clearTimeout(waiter.linger);
        signal?.removeEventListener("abort", abort);
        this.#waiter = null;
      };
      const abort = () => (end(), reject(signal?.reason));
      const waiter: Waiter = {
        events: eventsMin,
        lingerMs,
        linger: undefined,
        wake: () => (end(), resolve()),
      };
      this.#waiter = waiter;
      signal?.addEventListener("abort", abort);
      if (this.#queuedEvents > 0) this.#notify(waiter);
    });
  }

  /** Something is queued: the waiter takes it now, or starts to linger for more. */
  #notify(waiter: Waiter): void {
    if (this.#queuedEvents >= waiter.events) waiter.wake();
    else if (waiter.linger === undefined) {
      if (waiter.lingerMs > 0) waiter.linger = setTimeout(waiter.wake, waiter.lingerMs);
      else waiter.wake();
    }
  }

  #take(options: ReceiveOptions): Received<T> {
    const { eventsMax = Infinity, bytesMax = Infinity } = options;
    let events = 0, bytes = 0, end = this.#head;
    for (; end < this.#values.length; end++) {
      const value = this.#values[end] as T;
      const over = events + value.events > eventsMax || bytes + value.bytes > bytesMax;
      if (over && end > this.#head && value.isJoined !== true) break;
      events += value.events;
      bytes += value.bytes;
    }
    const values = this.#remove(end);
    this.#queuedEvents -= events;
    this.#queuedBytes -= bytes;
    this.#inFlightEvents += events;
    this.#inFlightBytes += bytes;
    return { values, events, bytes };
  }

  /** Takes the values up to `end`, so that the rest stays cheap to reach and nothing is kept alive. */
  #remove(end: number): T[] {
    if (end === this.#values.length) {
      const values = this.#head === 0 ? this.#values : this.#values.slice(this.#head);
      this.#values = [];
      this.#head = 0;
      return values;
    }
    const values = this.#values.slice(this.#head, end);
    if (end * 2 > this.#values.length) {
      this.#values = this.#values.slice(end);
      this.#head = 0;
    } else {
      this.#values.fill(undefined as unknown as T, this.#head, end);
      this.#head = end;
    }
    return values;
  }
}
