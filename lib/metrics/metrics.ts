/** What `GET /metrics` tells. */

import type { StoreSize } from "../store.ts";
import { eventMetrics } from "./event_metrics.ts";
import { type Exposition, writeMetrics } from "./exposition.ts";
import { httpMetrics } from "./http_metrics.ts";
import type { Metric } from "./metric.ts";
import { processMetrics } from "./process_metrics.ts";
import { retentionMetrics } from "./retention_metrics.ts";
import type { MetricsSources } from "./sources.ts";
import { storeMetrics } from "./store_metrics.ts";

/** Reads the sizes from the disk, then all the rest in one moment, and writes it out. */
export async function scrape(sources: MetricsSources): Promise<Exposition> {
  return await writeMetrics(metricsNow(sources, await sources.collector.size()));
}

/** All metrics, of this moment but for the sizes: so their identities hold. */
export function metricsNow(sources: MetricsSources, size: StoreSize): readonly Metric[] {
  const stats = sources.collector.statsNow(size);
  return [
    ...eventMetrics(sources, stats),
    ...storeMetrics(sources, stats),
    ...retentionMetrics(sources.retention()),
    ...httpMetrics(sources, stats),
    ...processMetrics(sources, stats),
  ];
}
