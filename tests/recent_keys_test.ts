import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { RecentKeys, type RecentKeysOptions } from "../lib/recent_keys.ts";

/** A key that differs from other such keys in one word only, of each of the four in turn. */
function key(id: number): Uint32Array {
  const words = new Uint32Array(4);
  words[id % 4] = id + 1;
  return words;
}

function recentOf(ids: readonly number[], options: RecentKeysOptions): RecentKeys {
  const recent = new RecentKeys(options);
  for (const id of ids) recent.add(key(id));
  return recent;
}

/** Which of the ids from 0 to 9 are there. */
function found(recent: RecentKeys): number[] {
  return Array.from({ length: 10 }, (_, id) => id).filter((id) => recent.find(key(id)) >= 0);
}

Deno.test("a memory is not made with a capacity or a value out of range", () => {
  const wrong: [string, unknown[]][] = [
    ["capacity", [0, -1, 1.5, NaN, Infinity, 2 ** 24 + 1, "1"]],
    ["valueWords", [-1, 0.5, NaN, 13, "1"]],
  ];
  for (const [name, values] of wrong) {
    for (const value of values) {
      throws(
        () => new RecentKeys({ capacity: 1, [name]: value }),
        (error: unknown) =>
          error instanceof RangeError && error.message.includes(`${name} `) &&
          error.message.includes(String(value)),
        `${name} = ${value}`,
      );
    }
  }
  equal(new RecentKeys({ capacity: 2 ** 24, valueWords: 12 }).capacity, 2 ** 24);
});

Deno.test("an empty memory finds nothing, not even the key of zeros", () => {
  const recent = new RecentKeys({ capacity: 4 });
  equal(recent.size, 0);
  equal(recent.find(new Uint32Array(4)), -1);
  equal(recent.add(new Uint32Array(4)), recent.find(new Uint32Array(4)));
  equal(recent.size, 1);
});

Deno.test("a key is found when all of its four words are the same", () => {
  const recent = new RecentKeys({ capacity: 1 }); // one bucket, so that words alone decide
  const words = [1, 2 ** 31, 2 ** 32 - 1, 4];
  equal(recent.find(Uint32Array.from(words)), -1);
  recent.add(Uint32Array.from(words));
  equal(recent.find(Uint32Array.from(words)), 0);
  for (let i = 0; i < 4; i++) {
    equal(recent.find(Uint32Array.from(words.with(i, 5))), -1, `word ${i}`);
  }
});

Deno.test("a key is read from where told, and kept when its array changes", () => {
  const recent = new RecentKeys({ capacity: 4 });
  const words = Uint32Array.from([9, 1, 2, 3, 4, 9]);
  const slot = recent.add(words, 1);
  equal(recent.find(Uint32Array.from([1, 2, 3, 4])), slot);
  equal(recent.find(words, 1), slot);
  equal(recent.find(words), -1);
  words.fill(0);
  equal(recent.find(Uint32Array.from([1, 2, 3, 4])), slot);
});

Deno.test("a full memory forgets the oldest, whether it was found since or not", () => {
  const recent = recentOf([0, 1, 2], { capacity: 3 });
  deepEqual(found(recent), [0, 1, 2]);
  recent.add(key(3));
  deepEqual(found(recent), [1, 2, 3]);
  equal(recent.size, 3);
});

Deno.test("a memory for one key remembers the last one", () => {
  const recent = recentOf([0], { capacity: 1, valueWords: 1 });
  recent.value(0)[0] = 7;
  equal(recent.add(key(1)), 0);
  deepEqual([found(recent), [...recent.value(0)]], [[1], [0]]);
});

Deno.test("a ring that wraps many times remembers exactly the most recent keys", () => {
  for (const capacity of [3, 8, 100]) {
    const recent = new RecentKeys({ capacity });
    for (let id = 0; id < 50 * capacity; id++) {
      equal(recent.find(key(id)), -1);
      recent.add(key(id));
      const oldest = Math.max(0, id + 1 - capacity);
      ok(recent.find(key(oldest)) >= 0, `${capacity}: ${oldest} is forgotten at ${id}`);
      equal(recent.find(key(oldest - 1)), -1, `${capacity}: ${oldest - 1} is there at ${id}`);
    }
  }
});

Deno.test("a key added twice is there twice, and the newest is found", () => {
  const recent = new RecentKeys({ capacity: 3 });
  recent.add(key(0));
  const second = recent.add(key(0));
  deepEqual([recent.size, recent.find(key(0))], [2, second]);
  recent.add(key(1));
  recent.add(key(2)); // forgets the first of the two
  equal(recent.find(key(0)), second);
  recent.add(key(3));
  deepEqual(found(recent), [1, 2, 3]);
});

Deno.test("a value belongs to its key, and is 0 when the key is added", () => {
  const recent = recentOf([0, 1], { capacity: 2, valueWords: 2 });
  recent.value(recent.find(key(0))).set([1, 2]);
  recent.value(recent.find(key(1))).set([3, 2 ** 32 - 1]);
  deepEqual([...recent.value(recent.find(key(0)))], [1, 2]);
  deepEqual([...recent.value(recent.find(key(1)))], [3, 2 ** 32 - 1]);
  const slot = recent.add(key(2));
  deepEqual([...recent.value(slot)], [0, 0]);
  deepEqual([...recent.value(recent.find(key(1)))], [3, 2 ** 32 - 1]);
  deepEqual(found(recent), [1, 2], "a value was written into a key");
});

Deno.test("a memory without values gives empty ones", () => {
  equal(recentOf([0], { capacity: 1 }).value(0).length, 0);
});

Deno.test("there is no value where no key is", () => {
  const recent = recentOf([0, 1], { capacity: 4, valueWords: 1 });
  for (const slot of [-1, 2, 3, 4, NaN]) throws(() => recent.value(slot), RangeError, `${slot}`);
  for (const slot of [0, 1]) equal(recent.value(slot).length, 1);
  for (const id of [2, 3, 4]) recent.add(key(id));
  for (const slot of [0, 1, 2, 3]) equal(recent.value(slot).length, 1);
  for (const slot of [-1, 4]) throws(() => recent.value(slot), RangeError, `${slot}`);
});

Deno.test("a key takes 24 bytes and 4 for each word of value, and up to 4 more", () => {
  const perKey = (capacity: number, valueWords: number) =>
    new RecentKeys({ capacity, valueWords }).bytes / capacity;
  equal(perKey(1024, 0), 24);
  equal(perKey(1024, 3), 36);
  ok(perKey(1025, 0) < 28 && perKey(1025, 0) > 27.9);
  equal(perKey(1, 0), 24);
});

Deno.test("keys that differ in a few bits are found as fast as random ones", () => {
  const COUNT = 1 << 16;
  const shapes: Record<string, (i: number) => number[]> = {
    "low bits": (i) => [i, 0, 0, 0],
    "high bits": (i) => [0, 0, 0, i << 16],
    "two words": (i) => [0, i & 0xff, i >> 8, 0],
    "words that cancel out": (i) => [i, i, i, i],
  };
  for (const [shape, wordsOf] of Object.entries(shapes)) {
    const recent = new RecentKeys({ capacity: COUNT });
    const startedAt = performance.now();
    for (let i = 0; i < COUNT; i++) {
      const words = Uint32Array.from(wordsOf(i));
      equal(recent.find(words), -1, shape);
      recent.add(words);
    }
    // In one bucket these are 2 thousand million steps, many seconds; spread, some hundredths.
    const tookMs = performance.now() - startedAt;
    ok(tookMs < 1500, `${shape}: ${tookMs} ms`);
  }
});

interface Operation {
  readonly kind: "add" | "addIfNew";
  readonly id: number;
  readonly value: number;
}

const IDS = 12;
const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom("add", "addIfNew", "addIfNew", "addIfNew"),
  id: fc.nat(IDS - 1),
  value: fc.nat(2 ** 32 - 1),
});

interface Entry {
  readonly id: number;
  readonly value: readonly number[];
}

/** Does the operation to both; the model is the plain list of what is remembered, oldest first. */
function apply(operation: Operation, recent: RecentKeys, model: Entry[]): void {
  const { kind, id, value } = operation;
  if (kind === "addIfNew" && recent.find(key(id)) >= 0) return;
  const view = recent.value(recent.add(key(id)));
  ok(view.every((word) => word === 0), "the value of another key is left");
  view.fill(value);
  model.push({ id, value: [...view] });
  if (model.length > recent.capacity) model.shift();
}

Deno.test("a memory does what its model does, whatever the order of calls", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, 5, 8, 11),
      fc.constantFrom(0, 1, 3),
      fc.array(operation, { maxLength: 120, size: "max" }),
      (capacity, valueWords, operations) => {
        const recent = new RecentKeys({ capacity, valueWords });
        const model: Entry[] = [];
        for (const each of operations) {
          apply(each, recent, model);
          equal(recent.size, model.length);
          for (let id = 0; id < IDS; id++) {
            const slot = recent.find(key(id));
            const value = slot < 0 ? undefined : [...recent.value(slot)];
            deepEqual(value, model.findLast((entry) => entry.id === id)?.value, `key ${id}`);
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
});
