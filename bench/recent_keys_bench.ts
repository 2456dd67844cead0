import { fingerprint, scopeSeed } from "../lib/fingerprint.ts";
import { RecentKeys } from "../lib/recent_keys.ts";

/** Operations of one iteration. */
const COUNT = 10_000;
const CAPACITY = 1_000_000;

const random = crypto.getRandomValues(new Uint32Array(4));
const seed = scopeSeed("bench", random);
const uuids = Array.from({ length: COUNT }, () => crypto.randomUUID());
const texts = {
  flat: uuids,
  // As ids are that were cut out of a batch.
  sliced: uuids.join("\x1f").split("\x1f"),
  "two-byte": uuids.map((uuid) => `${uuid.slice(1)}\u20ac`),
};
const key = new Uint32Array(4);

for (const [name, each] of Object.entries(texts)) {
  Deno.bench(`fingerprint: ${COUNT} UUIDs, ${name}`, () => {
    for (const text of each) fingerprint(text, seed, key, 0);
  });
}

/** The i-th of as many different keys as there are 32-bit numbers, looking like fingerprints. */
function setKey(i: number): void {
  for (let j = 0; j < 4; j++) key[j] = Math.imul(i ^ (random[j] as number), 0x9e3779b1);
}

function fullOf(): RecentKeys {
  const recent = new RecentKeys({ capacity: CAPACITY, valueWords: 2 });
  for (let i = 0; i < CAPACITY; i++) {
    setKey(i);
    recent.add(key);
  }
  return recent;
}

const still = fullOf();
let asked = 0;

Deno.bench(`recent keys: ${COUNT} times find a key of ${CAPACITY}, in no order`, () => {
  for (const end = asked + COUNT; asked < end; asked++) {
    setKey((Math.imul(asked, 0x85ebca6b) >>> 0) % CAPACITY);
    if (still.find(key) < 0) throw new Error("Cannot measure: a key is missing");
  }
});

const moving = fullOf();
let last = CAPACITY;

Deno.bench(`recent keys: ${COUNT} times find none and add, full with ${CAPACITY}`, () => {
  for (const end = last + COUNT; last < end; last++) {
    setKey(last);
    if (moving.find(key) >= 0) throw new Error("Cannot measure: a key is there already");
    moving.add(key);
  }
});
