/** A metric as data: what Prometheus is to be told, before it is text. */

import type { BucketCounts } from "../buckets.ts";

/** Names and values that tell the samples of a metric apart. Never text that a client chose. */
export type Labels = Readonly<Record<string, string>>;

/** One line of it. */
export interface Sample {
  /** Its value, a finite number. */
  readonly value: number;
  /** Its labels; default: none. */
  readonly labels?: Labels;
  /** Its name, if that is not the metric's: `…_bucket`. */
  readonly metricName?: string;
}

/** A metric and all its samples of one moment. */
export interface Metric {
  /** Its name: base units, a counter's ends in `_total`. */
  readonly name: string;
  /** What it is. */
  readonly type: "counter" | "gauge" | "histogram";
  /** One line that says what it means. */
  readonly help: string;
  /** The samples. */
  readonly values: readonly Sample[];
}

/** What only rises while the process runs. */
export function counter(name: string, help: string, values: number | readonly Sample[]): Metric {
  return { name, type: "counter", help, values: samples(values) };
}

/** What rises and falls. */
export function gauge(name: string, help: string, values: number | readonly Sample[]): Metric {
  return { name, type: "gauge", help, values: samples(values) };
}

/** Values by size; `perUnit` of the unit they were recorded in make one of the metric's. */
export function histogram(
  name: string,
  help: string,
  { bounds, counts, count, sum }: BucketCounts,
  perUnit = 1,
): Metric {
  let below = 0;
  const buckets = bounds.map((bound, i): Sample => {
    below += counts[i] ?? 0;
    return bucket(name, String(bound / perUnit), below);
  });
  const all = bucket(name, "+Inf", count);
  const [total, number] = [["_sum", sum / perUnit], ["_count", count]] as const;
  const values = [total, number].map(([end, value]) => ({ metricName: name + end, value }));
  return { name, type: "histogram", help, values: [...buckets, all, ...values] };
}

/** A sample for each entry; `label` is what the keys are. */
export function by(label: string, entries: Iterable<readonly [string, number]>): Sample[] {
  return [...entries].map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function bucket(name: string, le: string, value: number): Sample {
  return { metricName: `${name}_bucket`, labels: { le }, value };
}

function samples(values: number | readonly Sample[]): readonly Sample[] {
  return typeof values === "number" ? [{ value: values }] : values;
}
