import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { Histogram } from "../lib/histogram.ts";

function near(actual: number, expected: number, what: string): void {
  ok(Math.abs(actual - expected) <= expected / 1000 + 1e-9, `${what}: ${actual}, not ${expected}`);
}

Deno.test("a histogram of nothing has quantiles of 0", () => {
  deepEqual(new Histogram(1).quantiles(), { count: 0, p50: 0, p90: 0, p99: 0, max: 0 });
});

Deno.test("quantiles of 1 to 1000 are 500, 900, 990 and 1000, in the unit recorded", () => {
  for (const resolution of [1, 0.001]) {
    const histogram = new Histogram(resolution);
    for (let i = 1; i <= 1000; i++) histogram.record(i);
    const { count, p50, p90, p99, max } = histogram.quantiles();
    equal(count, 1000);
    near(p50, 500, "p50");
    near(p90, 900, "p90");
    near(p99, 990, "p99");
    near(max, 1000, "max");
  }
});

Deno.test("a histogram tells values that differ by its resolution, and takes 0", () => {
  const histogram = new Histogram(0.001);
  histogram.record(0);
  equal(histogram.quantiles().max, 0);
  histogram.record(0.25);
  near(histogram.quantiles().max, 0.25, "max");
  near(histogram.quantiles().p50, 0.001, "p50");
});

Deno.test("quantiles keep 3 digits of whatever was recorded", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1 }), (values) => {
      const histogram = new Histogram(1);
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      const { count, p50, max } = histogram.quantiles();
      equal(count, values.length);
      near(max, sorted.at(-1) ?? 0, "max");
      near(p50, sorted[Math.ceil(values.length / 2) - 1] ?? 0, "p50");
    }),
  );
});
