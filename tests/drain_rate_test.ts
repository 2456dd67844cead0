import { ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { DrainRate, retryAfterSeconds } from "../lib/drain_rate.ts";

function near(actual: number, expected: number): void {
  ok(Math.abs(actual - expected) <= expected * 1e-6, `${actual}, expected ${expected}`);
}

/** A rate after a long time of 500 events every 100 ms. */
function steady(): DrainRate {
  const rate = new DrainRate();
  for (let i = 0; i < 10_000; i++) rate.record(500, 100);
  return rate;
}

Deno.test("before the first batch a rate is assumed, and falls while that batch is stuck", () => {
  const rate = new DrainRate();
  ok(rate.perSecond(0) >= 1000 && Number.isFinite(rate.perSecond(0)), String(rate.perSecond(0)));
  ok(rate.perSecond(60_000) < 1);
  for (let i = 0; i < 1000; i++) rate.record(1, 1000);
  near(rate.perSecond(0), 1);
});

Deno.test("the drain rate is the events a second of the time the writer was busy", () => {
  near(steady().perSecond(0), 5000);
});

Deno.test("the drain rate forgets what is long ago", () => {
  const rate = new DrainRate();
  for (let i = 0; i < 100; i++) rate.record(10_000, 100);
  for (let i = 0; i < 1000; i++) rate.record(10, 100);
  ok(rate.perSecond(0) < 101 && rate.perSecond(0) > 99, String(rate.perSecond(0)));
});

Deno.test("a batch that is stuck makes the drain rate fall as long as it lasts", () => {
  const rate = steady();
  let last = rate.perSecond(0);
  for (const ageMs of [1000, 5000, 10_000, 60_000]) {
    const now = rate.perSecond(ageMs);
    ok(now < last, `${now} after ${ageMs} ms, ${last} before`);
    last = now;
  }
  ok(last < 1);
  near(rate.perSecond(0), 5000); // asking has no effect
});

Deno.test("a refused client is told to come back when the queue is drained", () => {
  equal(retryAfterSeconds(10_000, 1000, 0), 10);
  equal(retryAfterSeconds(10_001, 1000, 0), 11);
  equal(retryAfterSeconds(10_000, 1000, 1), 15);
  equal(retryAfterSeconds(10_000, 1000, 0.5), 13);
  equal(retryAfterSeconds(1, 1e6, 0), 1);
  equal(retryAfterSeconds(0, 1e6, 0), 1);
  equal(retryAfterSeconds(1e9, 1, 0), 60);
  equal(retryAfterSeconds(1e9, 1, 1), 60);
});

Deno.test("a refused client is told a minute when nothing drains", () => {
  equal(retryAfterSeconds(1, 0, 0), 60);
  equal(retryAfterSeconds(30_000, 0, 1), 60);
});

Deno.test("Retry-After is always a whole number of seconds from 1 to 60", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1 }), // what is empty refuses no one
    fc.double({ min: 0, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (depth, perSecond, random) => {
      const seconds = retryAfterSeconds(depth, perSecond, random);
      ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, String(seconds));
    },
  ));
});
