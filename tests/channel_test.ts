import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { Channel, type ChannelOptions } from "../lib/channel.ts";
import { FakeTime, turn } from "./fakes/fake_time.ts";

interface Value {
  readonly id: number;
  readonly events: number;
  readonly bytes: number;
  readonly isJoined?: boolean;
}

function value(id: number, events = 1, bytes = 1): Value {
  return { id, events, bytes };
}

function channelOf(values: readonly Value[], options: Partial<ChannelOptions> = {}) {
  const channel = new Channel<Value>({ capacity: 1000, capacityBytes: 1000, ...options });
  for (const each of values) equal(channel.trySend(each), "sent");
  return channel;
}

function ids(received: { readonly values: readonly Value[] } | null): number[] | null {
  return received && received.values.map(({ id }) => id);
}

/** A signal that counts its listeners. */
function countedSignal() {
  const controller = new AbortController(), { signal } = controller;
  const counted = { controller, signal, listeners: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (
    ...args: Parameters<typeof add>
  ) => (counted.listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    counted.listeners--, remove(...args)
  );
  return counted;
}

Deno.test("a channel is not made with a capacity that is not an integer of at least 1", () => {
  for (const wrong of [0, -1, 1.5, NaN, Infinity, 2 ** 53, "1" as unknown as number]) {
    for (const name of ["capacity", "capacityBytes"]) {
      throws(
        () => new Channel({ capacity: 1, capacityBytes: 1, [name]: wrong }),
        (error: unknown) =>
          error instanceof RangeError && error.message.includes(`${name} `) &&
          error.message.includes(String(wrong)),
        `${name} = ${wrong}`,
      );
    }
  }
  const channel = new Channel({ capacity: 1, capacityBytes: 2 ** 53 - 1 });
  deepEqual([channel.capacity, channel.capacityBytes], [1, 2 ** 53 - 1]);
});

Deno.test("a channel takes events up to its capacity and not one more", () => {
  const channel = channelOf([value(1, 3)], { capacity: 4 });
  equal(channel.trySend(value(2, 2)), "full");
  equal(channel.trySend(value(3, 1)), "sent");
  equal(channel.trySend(value(4, 1)), "full");
  deepEqual([channel.queuedEvents, channel.queuedBytes], [4, 2]);
});

Deno.test("a channel takes bytes up to its capacity and not one more", () => {
  const channel = channelOf([value(1, 1, 7)], { capacityBytes: 10 });
  equal(channel.trySend(value(2, 1, 4)), "full");
  equal(channel.trySend(value(3, 1, 3)), "sent");
  equal(channel.trySend(value(4, 1, 0)), "sent");
  equal(channel.trySend(value(5, 1, 1)), "full");
  deepEqual([channel.queuedEvents, channel.queuedBytes], [3, 10]);
});

Deno.test("what is in flight counts against both capacities until it is released", async () => {
  const channel = channelOf([value(1, 2, 20), value(2, 2, 20)], {
    capacity: 5,
    capacityBytes: 50,
  });
  const received = await channel.receive();
  ok(received);
  deepEqual([channel.queuedEvents, channel.queuedBytes], [0, 0]);
  deepEqual([channel.inFlightEvents, channel.inFlightBytes], [4, 40]);
  equal(channel.trySend(value(3, 2, 1)), "full", "events in flight are forgotten");
  equal(channel.trySend(value(4, 1, 11)), "full", "bytes in flight are forgotten");
  equal(channel.trySend(value(5, 1, 10)), "sent");
  channel.release(received);
  deepEqual([channel.inFlightEvents, channel.inFlightBytes], [0, 0]);
  equal(channel.trySend(value(6, 4, 40)), "sent");
});

Deno.test("a closed channel refuses values and hands out the rest, then null for ever", async () => {
  const channel = channelOf([value(1), value(2), value(3)]);
  equal(channel.closed, false);
  channel.close();
  equal(channel.closed, true);
  equal(channel.trySend(value(4)), "closed");
  deepEqual(ids(await channel.receive({ eventsMax: 2 })), [1, 2]);
  deepEqual(ids(await channel.receive({ eventsMin: 100, lingerMs: 1e9 })), [3]);
  equal(await channel.receive(), null);
  equal(await channel.receive(), null);
});

Deno.test("a full and closed channel says closed", () => {
  const channel = channelOf([value(1, 5)], { capacity: 5 });
  channel.close();
  equal(channel.trySend(value(2)), "closed");
});

Deno.test("a receive that waits is woken by the first value", async () => {
  const channel = channelOf([]);
  const receiving = channel.receive();
  channel.trySend(value(1));
  channel.trySend(value(2));
  deepEqual(ids(await receiving), [1, 2]);
});

Deno.test("a receive that waits is woken by close and gives null", async () => {
  const channel = channelOf([]);
  const receiving = channel.receive({ eventsMin: 3, lingerMs: 1e9 });
  channel.close();
  equal(await receiving, null);
});

Deno.test("a receive lingers from the first event on, and no longer than told", async () => {
  using time = new FakeTime();
  const channel = channelOf([]);
  let taken: number[] | null | undefined;
  const receiving = channel.receive({ eventsMin: 10, lingerMs: 50 })
    .then((received) => taken = ids(received));
  await time.tick(1000);
  equal(taken, undefined, "took nothing there was");
  channel.trySend(value(1, 2));
  await time.tick(30);
  channel.trySend(value(2, 2)); // must not start the linger anew
  await time.tick(19);
  equal(taken, undefined, "did not linger for all of lingerMs");
  await time.tick(1);
  await receiving;
  deepEqual(taken, [1, 2]);
  equal(time.timers, 0);
});

Deno.test("a receive lingers for events that are queued already", async () => {
  using time = new FakeTime();
  const channel = channelOf([value(1)]);
  let taken: number[] | null | undefined;
  channel.receive({ eventsMin: 2, lingerMs: 50 }).then((received) => taken = ids(received));
  await time.tick(49);
  equal(taken, undefined);
  await time.tick(1);
  deepEqual(taken, [1]);
});

Deno.test("eventsMin events end the linger at once and leave no timer behind", async () => {
  using time = new FakeTime();
  const channel = channelOf([]);
  const receiving = channel.receive({ eventsMin: 5, lingerMs: 50 });
  channel.trySend(value(1, 4));
  equal(time.timers, 1);
  channel.trySend(value(2, 1));
  deepEqual(ids(await receiving), [1, 2]);
  equal(time.timers, 0);
});

Deno.test("close ends the linger and leaves no timer behind", async () => {
  using time = new FakeTime();
  const channel = channelOf([value(1)]);
  const receiving = channel.receive({ eventsMin: 5, lingerMs: 50 });
  equal(time.timers, 1);
  channel.close();
  deepEqual(ids(await receiving), [1]);
  equal(time.timers, 0);
});

Deno.test("an eventsMin above the capacity is met by a full channel", async () => {
  const channel = channelOf([value(1, 3)], { capacity: 5 });
  const receiving = channel.receive({ eventsMin: 100, lingerMs: 1e9 });
  channel.trySend(value(2, 2));
  deepEqual(ids(await receiving), [1, 2]);
});

Deno.test("an aborted receive rejects with the reason, takes nothing and forgets the signal", async () => {
  using time = new FakeTime();
  const channel = channelOf([value(1)]);
  const counted = countedSignal();
  const receiving = channel.receive({ eventsMin: 5, lingerMs: 50, signal: counted.signal });
  deepEqual([counted.listeners, time.timers], [1, 1]);
  const reason = new Error("enough");
  counted.controller.abort(reason);
  await rejects(receiving, (error) => error === reason);
  deepEqual([counted.listeners, time.timers], [0, 0]);
  deepEqual([channel.queuedEvents, channel.inFlightEvents], [1, 0]);
  deepEqual(ids(await channel.receive()), [1], "the channel can not be received from again");
});

Deno.test("a receive with an aborted signal takes nothing, though something is queued", async () => {
  const channel = channelOf([value(1)]);
  const reason = new Error("enough");
  await rejects(
    channel.receive({ signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
  deepEqual([channel.queuedEvents, channel.inFlightEvents], [1, 0]);
  deepEqual(ids(await channel.receive()), [1]);
});

Deno.test("a receive that was answered leaves no listener on the signal", async () => {
  const channel = channelOf([]);
  const counted = countedSignal();
  for (let id = 0; id < 3; id++) {
    const receiving = channel.receive({ signal: counted.signal });
    channel.trySend(value(id));
    deepEqual(ids(await receiving), [id]);
  }
  equal(counted.listeners, 0);
});

Deno.test("a second receive is refused while one waits, and does not disturb it", async () => {
  const channel = channelOf([]);
  const first = channel.receive();
  await rejects(channel.receive(), TypeError);
  channel.trySend(value(1));
  deepEqual(ids(await first), [1]);
  channel.trySend(value(2));
  deepEqual(ids(await channel.receive()), [2]);
});

Deno.test("a receive takes whole values up to eventsMax, in order", async () => {
  const channel = channelOf([value(1, 2), value(2, 2), value(3, 3), value(4, 1)]);
  const first = await channel.receive({ eventsMax: 4 });
  deepEqual([ids(first), first?.events, first?.bytes], [[1, 2], 4, 2]);
  deepEqual(ids(await channel.receive({ eventsMax: 3 })), [3], "a value was split or reordered");
  deepEqual(ids(await channel.receive({ eventsMax: 3 })), [4]);
});

Deno.test("a receive takes whole values up to bytesMax, in order", async () => {
  const channel = channelOf([value(1, 1, 20), value(2, 1, 20), value(3, 1, 30), value(4, 1, 1)]);
  const first = await channel.receive({ bytesMax: 40 });
  deepEqual([ids(first), first?.events, first?.bytes], [[1, 2], 2, 40]);
  deepEqual(ids(await channel.receive({ bytesMax: 30 })), [3]);
  deepEqual(ids(await channel.receive({ bytesMax: 30 })), [4]);
});

Deno.test("a value joined to the one before it is taken with that, whatever the limits", async () => {
  const joined = (id: number, events = 1) => ({ ...value(id, events, events), isJoined: true });
  const channel = channelOf([value(1), value(2), joined(3, 9), joined(4), value(5), joined(6)]);
  deepEqual(ids(await channel.receive({ eventsMax: 1 })), [1], "it takes more than it must");
  deepEqual(ids(await channel.receive({ bytesMax: 1 })), [2, 3, 4]);
  deepEqual([channel.queuedEvents, channel.inFlightEvents], [2, 12]);
  deepEqual(ids(await channel.receive({ eventsMax: 5 })), [5, 6]);
});

Deno.test("a value heavier than the limits of a receive is taken alone", async () => {
  const channel = channelOf([value(1, 9, 1), value(2, 1, 90), value(3)]);
  const limits = { eventsMax: 5, bytesMax: 50 };
  deepEqual(ids(await channel.receive(limits)), [1]);
  deepEqual(ids(await channel.receive(limits)), [2]);
  deepEqual(ids(await channel.receive(limits)), [3]);
});

Deno.test("oldest is the value that has waited longest, after any receive", async () => {
  const channel = channelOf([]);
  const oldest = () => channel.oldest?.id;
  equal(oldest(), undefined);
  for (let id = 0; id < 10; id++) channel.trySend(value(id));
  for (let id = 0; id < 10; id++) {
    equal(oldest(), id);
    await channel.receive({ eventsMax: 1 });
  }
  equal(oldest(), undefined);
});

Deno.test("a receive that waits takes nothing before it is woken", async () => {
  const channel = channelOf([]);
  let settled = false;
  const receiving = channel.receive().finally(() => settled = true);
  await turn();
  equal(settled, false);
  channel.close();
  await receiving;
});

Deno.test("a probe says what a send would be answered, and sends nothing", () => {
  const channel = channelOf([value(1, 3, 30)], { capacity: 5, capacityBytes: 50 });
  equal(channel.probe({ events: 2, bytes: 20 }), "sent");
  equal(channel.probe({ events: 3, bytes: 0 }), "full");
  equal(channel.probe({ events: 1, bytes: 21 }), "full");
  deepEqual([channel.queuedEvents, channel.queuedBytes], [3, 30]);
  equal(channel.trySend(value(2, 2, 20)), "sent", "a probe took room");
  channel.close();
  equal(channel.probe({ events: 9, bytes: 99 }), "closed");
});
