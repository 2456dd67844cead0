import { deepStrictEqual as deepEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { Buckets } from "../lib/buckets.ts";
import { Histogram } from "../lib/histogram.ts";

Deno.test("a value is counted in the first bucket whose bound it does not exceed", () => {
  const buckets = new Buckets([1, 10]);
  for (const value of [0, 1, 1.1, 10, 10.1, 1e9]) buckets.record(value);
  deepEqual(buckets.counts(), { bounds: [1, 10], counts: [2, 2, 2], count: 6, sum: 1e9 + 22.2 });
});

Deno.test("what was counted does not change afterwards", () => {
  const buckets = new Buckets([1]);
  const before = buckets.counts();
  buckets.record(1);
  deepEqual(before, { bounds: [1], counts: [0, 0], count: 0, sum: 0 });
});

Deno.test("bounds that do not rise are misuse", () => {
  for (const bounds of [[1, 1], [2, 1], [NaN], [1, NaN]]) {
    throws(() => new Buckets(bounds), RangeError);
  }
});

Deno.test("the buckets of a histogram hold every value it recorded, whatever the values", () => {
  const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }));
  const bounds = fc.uniqueArray(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(values, bounds, (values, unsorted) => {
    const bounds = unsorted.map((bound) => bound + 0).sort((a, b) => a - b);
    const histogram = new Histogram(0.001, bounds);
    for (const value of values) histogram.record(value);
    const { counts, count, sum } = histogram.buckets();
    let below = 0;
    bounds.forEach((bound, i) => {
      below += counts[i] ?? NaN;
      deepEqual(below, values.filter((value) => value <= bound).length, `at most ${bound}`);
    });
    deepEqual([count, histogram.quantiles().count], [values.length, values.length]);
    const expected = values.reduce((all, value) => all + value, 0);
    ok(Math.abs(sum - expected) <= expected * 1e-9);
  }));
});
