import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { HecAcks, type HecAcksBounds } from "../../lib/protocols/hec_acks.ts";

const WIDE: HecAcksBounds = { channels: 100, pendingPerChannel: 100, pending: 1000 };

/** Acknowledgements of a collector where events up to `committed` are stored. */
function acksWith(bounds: HecAcksBounds = WIDE, firstId = 0) {
  const clock = { committed: 0 };
  const isCommitted = (sequence: number) => sequence <= clock.committed;
  return { clock, acks: new HecAcks({ firstId, isCommitted, bounds }) };
}

Deno.test("numbers count up from the first on each channel", () => {
  const { acks } = acksWith(WIDE, 1000);
  deepEqual([1, 2, 3].map((sequence) => acks.register("s", "a", { sequence })), [1000, 1001, 1002]);
  equal(acks.register("s", "b", { sequence: 4 }), 1000);
  equal(acks.register("t", "a", { sequence: 5 }), 1000);
  equal(acks.channels, 3);
  equal(acks.pending, 5);
});

Deno.test("a number reads true once, as soon as its events are committed", () => {
  const { acks, clock } = acksWith();
  for (const sequence of [10, 20]) acks.register("s", "a", { sequence });
  deepEqual(acks.query("s", "a", [0, 1]), { 0: false, 1: false });
  clock.committed = 19;
  deepEqual(acks.query("s", "a", [0, 1, 0]), { 0: true, 1: false });
  deepEqual(acks.query("s", "a", [0, 1]), { 0: false, 1: false });
  equal(acks.pending, 1);
  clock.committed = 20;
  deepEqual(acks.query("s", "a", [1]), { 1: true });
  equal(acks.pending, 0);
});

Deno.test("numbers that were never given read false, and asking makes no channel", () => {
  const { acks, clock } = acksWith(WIDE, 5);
  clock.committed = 100;
  deepEqual(acks.query("s", "a", [0, 5, 6]), { 0: false, 5: false, 6: false });
  equal(acks.channels, 0);
  acks.register("s", "a", { sequence: 1 });
  deepEqual(acks.query("s", "a", [0, 4, 6]), { 0: false, 4: false, 6: false });
});

Deno.test("a channel that is never asked about forgets its oldest numbers", () => {
  const { acks, clock } = acksWith({ ...WIDE, pendingPerChannel: 3 });
  for (let sequence = 1; sequence <= 5; sequence++) acks.register("s", "a", { sequence });
  equal(acks.pending, 3);
  clock.committed = 5;
  deepEqual(acks.query("s", "a", [0, 1, 2, 3, 4]), {
    0: false,
    1: false,
    2: true,
    3: true,
    4: true,
  });
  for (let sequence = 6; sequence <= 9; sequence++) acks.register("s", "a", { sequence });
  clock.committed = 9;
  deepEqual(acks.query("s", "a", [5, 6, 7, 8]), { 5: false, 6: true, 7: true, 8: true });
});

Deno.test("of too many channels the one goes that was not asked about for the longest time", () => {
  const { acks, clock } = acksWith({ ...WIDE, channels: 2 });
  acks.register("s", "asked", { sequence: 1 });
  acks.register("s", "idle", { sequence: 2 });
  acks.query("s", "asked", [0]);
  acks.register("s", "idle", { sequence: 3 }); // sending is not asking
  acks.register("s", "new", { sequence: 4 });
  equal(acks.channels, 2);
  clock.committed = 4;
  deepEqual(acks.query("s", "idle", [0, 1]), { 0: false, 1: false });
  deepEqual(acks.query("s", "asked", [0]), { 0: true });
});

Deno.test("no number of a channel that was dropped is given again", () => {
  const { acks } = acksWith({ ...WIDE, channels: 1 });
  for (const sequence of [1, 2, 3]) acks.register("s", "a", { sequence });
  equal(acks.register("s", "b", { sequence: 4 }), 3);
  equal(acks.register("s", "a", { sequence: 5 }), 4);
});

Deno.test("too many numbers in all drop a channel", () => {
  const { acks } = acksWith({ ...WIDE, pending: 4 });
  for (const sequence of [1, 2, 3]) acks.register("s", "a", { sequence });
  acks.register("s", "b", { sequence: 4 });
  equal(acks.pending, 4);
  acks.register("s", "b", { sequence: 5 });
  equal(acks.channels, 1);
  equal(acks.pending, 2);
});

Deno.test("whatever happens, the bounds hold and true means committed", () => {
  const bounds = { channels: 3, pendingPerChannel: 4, pending: 8 };
  const step = fc.tuple(
    fc.constantFrom("register", "query", "commit"),
    fc.constantFrom("a", "b", "c", "d", "e"),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const { acks, clock } = acksWith(bounds);
    const given = new Map<string, Map<number, number>>();
    let sequence = 0;
    for (const [action, name] of steps) {
      const numbers = given.get(name) ?? new Map<number, number>();
      given.set(name, numbers);
      if (action === "register") {
        const id = acks.register("s", name, { sequence: ++sequence });
        ok(!numbers.has(id), "given twice");
        numbers.set(id, sequence);
      } else if (action === "commit") clock.committed = sequence;
      else {
        const answer = acks.query("s", name, [...numbers.keys()]);
        for (const [id, isStored] of Object.entries(answer)) {
          if (isStored) ok((numbers.get(Number(id)) ?? Infinity) <= clock.committed);
        }
      }
      ok(acks.channels <= bounds.channels && acks.pending <= bounds.pending && acks.pending >= 0);
    }
  }));
});

Deno.test("a full channel takes the next request as fast as an empty one", () => {
  const { acks } = acksWith({ channels: 10, pendingPerChannel: 20_000, pending: 1_000_000 });
  const start = performance.now();
  for (let sequence = 1; sequence <= 200_000; sequence++) acks.register("s", "a", { sequence });
  ok(performance.now() - start < 2000);
  equal(acks.pending, 20_000);
});

Deno.test("a source that opens channels without end drives out its own, not those of others", () => {
  const { acks, clock } = acksWith({ channels: 4, pendingPerChannel: 10, pending: 100 });
  clock.committed = 1;
  const id = acks.register("quiet", "channel", { sequence: 1 });
  for (let i = 0; i < 50; i++) acks.register("greedy", `channel-${i}`, { sequence: 1 });
  equal(acks.channels, 4);
  deepEqual(acks.query("quiet", "channel", [id]), { [id]: true });
  deepEqual(acks.query("greedy", "channel-0", [0]), { 0: false });
});
