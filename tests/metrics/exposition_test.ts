import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { Buckets } from "../../lib/buckets.ts";
import { writeMetrics } from "../../lib/metrics/exposition.ts";
import { by, counter, gauge, histogram } from "../../lib/metrics/metric.ts";
import { parseMetrics } from "../e2e/scraped.ts";

Deno.test("a label comes back as it was, whatever is in it: quotes, backslashes, line breaks", async () => {
  const texts = fc.uniqueArray(fc.string({ unit: fc.constantFrom(...'ab"\\\n{},= #\u00e9') }));
  await fc.assert(fc.asyncProperty(texts, async (texts) => {
    const entries = texts.map((text, i) => [text, i] as const);
    const { text, type } = await writeMetrics([counter("a_total", "Some.", by("x", entries))]);
    equal(type, "text/plain; version=0.0.4; charset=utf-8");
    const samples = parseMetrics(text).get("a_total")?.samples ?? [];
    deepEqual(samples.map(({ labels, value }) => [labels["x"], value]), entries);
  }));
});

Deno.test("a histogram has rising buckets, the last of them all, in the unit of its name", async () => {
  const buckets = new Buckets([1, 10, 100]);
  for (const ms of [0.5, 5, 5, 50, 500]) buckets.record(ms);
  const metric = histogram("wait_seconds", "Waits.", buckets.counts(), 1000);
  const { text } = await writeMetrics([metric, gauge("b", "None.", [])]);
  deepEqual(text.trim().split("\n"), [
    "# HELP wait_seconds Waits.",
    "# TYPE wait_seconds histogram",
    'wait_seconds_bucket{le="0.001"} 1',
    'wait_seconds_bucket{le="0.01"} 3',
    'wait_seconds_bucket{le="0.1"} 4',
    'wait_seconds_bucket{le="+Inf"} 5',
    "wait_seconds_sum 0.5605",
    "wait_seconds_count 5",
    "",
    "# HELP b None.",
    "# TYPE b gauge",
  ]);
});

Deno.test("two metrics of one name are a mistake of ours, and told", async () => {
  await rejects(writeMetrics([gauge("a", "One.", 1), gauge("a", "Two.", 2)]), /a has already/);
});
