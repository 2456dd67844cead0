/** `GET /metrics`, read by the rules of Prometheus' text format, and nothing that they do not allow. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";

/** A line of it. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with what was said about it. */
export interface ScrapedMetric {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ScrapedSample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `(${NAME})="((?:[^"\\\\\n]|\\\\[\\\\"n])*)"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL},?)*)\\})? (\\S+)$`);
const HEAD = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);
const ENDS: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  counter: [""],
  gauge: [""],
};

/** All metrics by their names; throws if a line is none, or stands where it must not. */
export function parseMetrics(text: string): Map<string, ScrapedMetric> {
  ok(text.endsWith("\n"), "the last line has no end");
  const metrics = new Map<string, { help: string; type: string; samples: ScrapedSample[] }>();
  let current = "";
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [, keyword, name = "", rest = ""] = HEAD.exec(line) ?? [];
    if (keyword === "HELP") {
      ok(!metrics.has(name), `${name} comes twice`);
      metrics.set(current = name, { help: rest, type: "", samples: [] });
    }
    const metric = metrics.get(current);
    if (metric === undefined) throw new Error(`before any HELP: ${line}`);
    if (keyword === "TYPE") {
      equal(name, current, line);
      metric.type = rest;
    }
    if (keyword !== undefined) continue;
    const sample = parseSample(line);
    const ends = ENDS[metric.type] ?? [];
    ok(ends.some((end) => current + end === sample.name), `${line} is under ${current}`);
    metric.samples.push(sample);
  }
  return metrics;
}

function parseSample(line: string): ScrapedSample {
  const [, name, all = "", ...rest] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const labels = [...all.matchAll(new RegExp(LABEL, "g"))].map((
    [, label = "", text = ""],
  ) => [label, text.replaceAll(/\\(.)/g, (_, escaped) => escaped === "n" ? "\n" : escaped)]);
  const value = Number(rest.at(-1)?.replace(/^\+Inf$/, "Infinity"));
  ok(Number.isFinite(value), line);
  return { name, labels: Object.fromEntries(labels), value };
}

/** What a collector tells at one moment. */
export class Scrape {
  readonly text: string;
  readonly metrics: ReadonlyMap<string, ScrapedMetric>;

  constructor(text: string) {
    this.text = text;
    this.metrics = parseMetrics(text);
  }

  /** Asks for it. */
  static async of(url: string, headers: Record<string, string> = {}): Promise<Scrape> {
    const answer = await fetch(`${url}/metrics`, { headers });
    const text = await answer.text();
    equal(answer.status, 200, text);
    equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    equal(answer.headers.get("cache-control"), "no-store");
    return new Scrape(text);
  }

  /** The samples of a metric that have these labels among theirs. */
  samples(name: string, labels: Readonly<Record<string, string>> = {}): readonly ScrapedSample[] {
    const metric = this.metrics.get(name);
    if (metric === undefined) throw new Error(`no metric ${name}`);
    const wanted = Object.entries(labels);
    return metric.samples.filter((each) =>
      wanted.every(([key, text]) => each.labels[key] === text)
    );
  }

  /** The sum of the samples of a counter or gauge that have these labels. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.samples(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  /** The value of each label, of those above 0. */
  by(name: string, label: string): Record<string, number> {
    const above = this.samples(name).filter(({ value }) => value > 0);
    return Object.fromEntries(above.map(({ labels, value }) => [labels[label], value]));
  }

  /** How many values a histogram has. */
  count(name: string): number {
    const [sample] = this.samples(name).filter((each) => each.name === `${name}_count`);
    return sample?.value ?? NaN;
  }
}

/** Asserts that the identities hold, as the collector says and as what it shows says. */
export function assertBalanced(scrape: Scrape): void {
  const samples = scrape.samples("firehouse_accounting_residual_events");
  const said = samples.map(({ labels, value }) => [labels["identity"], value]);
  deepEqual(Object.fromEntries(said), { A: 0, B: 0, F: 0 });
  deepEqual(computed(scrape), { A: 0, B: 0, F: 0 });
}

/** What they are off by if they are computed from what it shows. */
function computed(scrape: Scrape): Record<string, number> {
  const events = (name: string) => scrape.sum(`firehouse_events_${name}_total`);
  const gauge = (name: string) => scrape.sum(`firehouse_${name}`);
  const stored = events("committed") + events("dead_lettered") + events("dropped");
  const held = gauge("queue_events") + gauge("batch_inflight_events") + gauge("journal_events");
  return {
    A: events("received") - events("accepted") - events("rejected") - events("duplicate"),
    B: events("accepted") + events("recovered") - stored - held,
    F: gauge("http_requests_received_total") - gauge("http_requests_total") -
      gauge("http_requests_in_flight"),
  };
}
