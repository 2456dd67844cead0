/** Metrics as text in Prometheus' format, by `prom-client`. */

import type { Metric } from "./metric.ts";

/** What a scrape is answered. */
export interface Exposition {
  /** Its media type. */
  readonly type: string;
  /** The metrics. */
  readonly text: string;
}

/** What is used of prom-client's registry. */
interface Registry {
  readonly contentType: string;
  registerMetric(metric: { readonly name: string; get(): Metric }): void;
  metrics(): Promise<string>;
}

/**
 * Writes metrics out.
 *
 * @throws {Error} if two have the same name.
 */
export async function writeMetrics(metrics: readonly Metric[]): Promise<Exposition> {
  // Loaded by the first scrape: it takes some 20 ms and 10 MiB, which not everyone wants. The
  // registry alone, since the whole package loads a cluster and a push client too, for twice that.
  const { default: Registry }: { default: new () => Registry } = await import(
    "prom-client/registry"
  );
  const registry = new Registry();
  for (const metric of metrics) registry.registerMetric({ name: metric.name, get: () => metric });
  return { type: registry.contentType, text: await registry.metrics() };
}
