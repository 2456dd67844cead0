import { ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { TokenBucket } from "../lib/token_bucket.ts";

/** A bucket, and a clock to move. */
function start(perSecond: number): { bucket: TokenBucket; clock: { nowMs: number } } {
  const clock = { nowMs: 1000 };
  return { bucket: new TokenBucket(perSecond, () => clock.nowMs), clock };
}

Deno.test("two seconds' worth may be taken at once, and no more", () => {
  const { bucket } = start(100);
  equal(bucket.take(150), 0);
  equal(bucket.take(50), 0);
  equal(bucket.take(1), 1);
});

Deno.test("a bucket fills at its rate, and not above two seconds' worth", () => {
  const { bucket, clock } = start(100);
  bucket.take(200);
  clock.nowMs += 500;
  equal(bucket.take(51), 1);
  equal(bucket.take(50), 0);
  clock.nowMs += 3_600_000;
  equal(bucket.take(200), 0);
  equal(bucket.take(1), 1);
});

Deno.test("what is refused takes nothing", () => {
  const { bucket, clock } = start(100);
  bucket.take(200);
  for (let i = 0; i < 100; i++) ok(bucket.take(10) > 0);
  clock.nowMs += 100;
  equal(bucket.take(10), 0);
});

Deno.test("more than a bucket holds is taken from a full one, which owes it then", () => {
  const { bucket, clock } = start(10);
  equal(bucket.take(100), 0);
  clock.nowMs += 8_000;
  equal(bucket.take(1), 1, "it owed 100 - 20 of which 80 are back");
  clock.nowMs += 100;
  equal(bucket.take(1), 0);
  ok(bucket.take(100) > 0, "a bucket that is not full served more than it holds");
});

Deno.test("the wait is rounded up, from 1 to 60 seconds", () => {
  const { bucket } = start(10);
  bucket.take(20);
  equal(bucket.take(1), 1);
  equal(bucket.take(10), 1);
  equal(bucket.take(11), 2);
  equal(bucket.take(20), 2);
  equal(bucket.take(1_000_000), 2, "a full bucket is enough");
  const owing = start(1).bucket;
  owing.take(1_000_000);
  equal(owing.take(1), 60);
});

Deno.test("taking nothing is always possible, also from a bucket that owes", () => {
  const { bucket } = start(1);
  bucket.take(100);
  equal(bucket.take(0), 0);
  equal(bucket.take(1), 60);
});

Deno.test("a rate must be above 0", () => {
  for (const rate of [0, -1, NaN, Infinity]) throws(() => start(rate), RangeError);
});

Deno.test("whatever is asked for, the rate is kept, and the wait is neither short nor too long", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1e9 }),
    fc.array(
      fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.double({ min: 0, max: 4, noNaN: true })),
      { maxLength: 50 },
    ),
    (perSecond, steps) => {
      const { bucket, clock } = start(perSecond);
      const startMs = clock.nowMs;
      let taken = 0, largest = 0;
      for (const [waitMs, part] of steps) {
        clock.nowMs += waitMs;
        const amount = Math.ceil(part * perSecond);
        const seconds = bucket.take(amount);
        ok(Number.isInteger(seconds) && seconds >= 0 && seconds <= 60, String(seconds));
        if (seconds > 0 && seconds < 60) {
          clock.nowMs += (seconds - 1) * 1000;
          if (seconds > 1) ok(bucket.take(amount) > 0, "it could have come back earlier");
          clock.nowMs += 1000;
          equal(bucket.take(amount), 0, "it came back when it was told and was refused");
        } else if (seconds === 60) continue;
        taken += amount;
        largest = Math.max(largest, amount);
        const allowed = perSecond * (2 + (clock.nowMs - startMs) / 1000) + largest;
        ok(taken <= allowed * (1 + 1e-6), `${taken} taken, ${allowed} allowed`);
      }
    },
  ));
});
