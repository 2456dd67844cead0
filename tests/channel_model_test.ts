/** The channel against a model: any order of sends, receives, releases and a close. */

import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { Channel, type Received } from "../lib/channel.ts";
import { turn } from "./fakes/fake_time.ts";

interface Value {
  readonly id: number;
  readonly events: number;
  readonly bytes: number;
}

/** Nothing here waits that long: what is not woken by events is aborted in the end. */
const FOREVER_MS = 1e6;

type Operation =
  | { readonly kind: "send"; readonly events: number; readonly bytes: number }
  | {
    readonly kind: "receive";
    readonly eventsMin: number;
    readonly eventsMax: number;
    readonly bytesMax: number;
    readonly lingerMs: number;
  }
  | { readonly kind: "release"; readonly which: number }
  | { readonly kind: "abort" }
  | { readonly kind: "close" };

const weight = fc.record({
  events: fc.integer({ min: 1, max: 6 }),
  bytes: fc.integer({ min: 0, max: 60 }),
});
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: weight.map((of) => ({ kind: "send" as const, ...of })) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("receive" as const),
      eventsMin: fc.integer({ min: 1, max: 20 }),
      eventsMax: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Infinity)),
      bytesMax: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constant(Infinity)),
      lingerMs: fc.constantFrom(0, FOREVER_MS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.nat(3).map((which) => ({ kind: "release" as const, which })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "abort" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "close" as const }) },
);

/** What a channel is, said as simply as possible. */
class Model {
  readonly queue: Value[] = [];
  readonly inFlight: Received<Value>[] = [];
  closed = false;
  pending: Extract<Operation, { kind: "receive" }> | null = null;
  constructor(readonly capacity: number, readonly capacityBytes: number) {}

  queued = (of: "events" | "bytes") => this.queue.reduce((sum, value) => sum + value[of], 0);
  flying = (of: "events" | "bytes") => this.inFlight.reduce((sum, value) => sum + value[of], 0);

  sendResult(value: Value): string {
    if (this.closed) return "closed";
    const events = this.queued("events") + this.flying("events") + value.events;
    const bytes = this.queued("bytes") + this.flying("bytes") + value.bytes;
    return events > this.capacity || bytes > this.capacityBytes ? "full" : "sent";
  }

  /** Whether the pending receive must be answered now. */
  mustAnswer(): boolean {
    if (this.pending === null) return false;
    const queued = this.queued("events");
    return this.closed || queued >= Math.min(this.pending.eventsMin, this.capacity) ||
      (queued > 0 && this.pending.lingerMs === 0);
  }

  /** The values that the pending receive must be answered with, taken from the queue. */
  take(): Value[] {
    const { eventsMax, bytesMax } = this.pending ?? { eventsMax: 0, bytesMax: 0 };
    let events = 0, bytes = 0, count = 0;
    for (const value of this.queue) {
      events += value.events;
      bytes += value.bytes;
      if (count > 0 && (events > eventsMax || bytes > bytesMax)) break;
      count++;
    }
    return this.queue.splice(0, count);
  }
}

class Run {
  readonly channel: Channel<Value>;
  readonly model: Model;
  readonly #sent: number[] = [];
  readonly #received: number[] = [];
  #receiving: Promise<Received<Value> | null> | null = null;
  #settled = false;
  #abort = new AbortController();
  #lastId = 0;

  constructor(capacity: number, capacityBytes: number) {
    this.channel = new Channel({ capacity, capacityBytes });
    this.model = new Model(capacity, capacityBytes);
  }

  async do(operation: Operation): Promise<void> {
    const { channel, model } = this;
    switch (operation.kind) {
      case "send": {
        const value = { id: ++this.#lastId, events: operation.events, bytes: operation.bytes };
        const expected = model.sendResult(value);
        equal(channel.probe(value), expected, "the probe");
        equal(channel.trySend(value), expected);
        if (expected !== "sent") break;
        model.queue.push(value);
        this.#sent.push(value.id);
        break;
      }
      case "receive":
        if (this.#receiving !== null) return await rejects(channel.receive(), TypeError);
        model.pending = operation;
        this.#settled = false;
        this.#abort = new AbortController();
        this.#receiving = channel.receive({ ...operation, signal: this.#abort.signal });
        this.#receiving.then(() => this.#settled = true, () => this.#settled = true);
        break;
      case "release": {
        const [received] = model.inFlight.splice(operation.which % (model.inFlight.length || 1), 1);
        if (received) channel.release(received);
        break;
      }
      case "abort":
        await this.#abortPending();
        break;
      case "close":
        channel.close();
        model.closed = true;
    }
    await this.#answerPending();
    this.#compareGauges();
  }

  /** Receives and releases all that is left, and sees that nothing was lost, doubled or reordered. */
  async finish(): Promise<void> {
    await this.#abortPending();
    await this.do({ kind: "close" });
    const rest = {
      kind: "receive",
      eventsMin: 1,
      eventsMax: 3,
      bytesMax: Infinity,
      lingerMs: 0,
    } as const;
    while (this.model.queue.length > 0) await this.do(rest);
    while (this.model.inFlight.length > 0) await this.do({ kind: "release", which: 0 });
    equal(await this.channel.receive(), null);
    deepEqual(this.#received, this.#sent);
  }

  async #abortPending(): Promise<void> {
    if (this.#receiving === null) return;
    this.#abort.abort(new Error("enough"));
    await rejects(this.#receiving, /enough/);
    this.#receiving = this.model.pending = null;
  }

  async #answerPending(): Promise<void> {
    if (this.#receiving === null) return;
    if (!this.model.mustAnswer()) {
      for (let i = 0; i < 5; i++) await Promise.resolve();
      return equal(this.#settled, false, "a receive was answered too early");
    }
    const expected = this.model.take();
    const received = await this.#receiving;
    this.#receiving = this.model.pending = null;
    if (expected.length === 0) return equal(received, null);
    ok(received);
    deepEqual(received.values, expected);
    equal(received.events, expected.reduce((sum, { events }) => sum + events, 0));
    equal(received.bytes, expected.reduce((sum, { bytes }) => sum + bytes, 0));
    this.model.inFlight.push(received);
    this.#received.push(...received.values.map(({ id }) => id));
  }

  #compareGauges(): void {
    const { channel, model } = this;
    deepEqual(
      [
        channel.queuedEvents,
        channel.queuedBytes,
        channel.inFlightEvents,
        channel.inFlightBytes,
        channel.oldest,
        channel.closed,
      ],
      [
        model.queued("events"),
        model.queued("bytes"),
        model.flying("events"),
        model.flying("bytes"),
        model.queue[0],
        model.closed,
      ],
    );
    ok(channel.queuedEvents + channel.inFlightEvents <= channel.capacity, "over the capacity");
    ok(channel.queuedBytes + channel.inFlightBytes <= channel.capacityBytes, "over the bytes");
  }
}

Deno.test("a channel does what its model does, whatever the order of calls", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 25 }),
      fc.integer({ min: 1, max: 300 }),
      fc.array(operation, { maxLength: 80, size: "max" }),
      async (capacity, capacityBytes, operations) => {
        const run = new Run(capacity, capacityBytes);
        for (const each of operations) await run.do(each);
        await run.finish();
      },
    ),
    { numRuns: 400 },
  );
  await turn(); // lets timers that were left behind be seen by the sanitizer
});
