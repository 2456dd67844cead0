/** Metrics of the process, under the names that every Prometheus client gives them, and of its build. */

import { cpuUsage } from "node:process";
import type { Stats } from "../stats.ts";
import { VERSION } from "../version.ts";
import { counter, gauge, histogram, type Metric } from "./metric.ts";
import type { MetricsSources } from "./sources.ts";

/** See the head of this file. */
export function processMetrics(sources: MetricsSources, stats: Stats): readonly Metric[] {
  const { loopLagMs, config: { synchronous } } = sources;
  const { user, system } = cpuUsage();
  const { durability: mode, started_at } = stats;
  return [
    histogram(
      "firehouse_event_loop_lag_seconds",
      "How late the event loop comes to what is due, looked at ten times a second.",
      loopLagMs.buckets(),
      1000,
    ),
    gauge("firehouse_durability_mode_info", "When requests are acknowledged.", [
      { labels: { mode, synchronous }, value: 1 },
    ]),
    gauge("firehouse_build_info", "What runs.", [
      { labels: { version: VERSION, deno: Deno.version.deno }, value: 1 },
    ]),
    counter("process_cpu_seconds_total", "CPU time of all threads.", (user + system) / 1e6),
    gauge("process_resident_memory_bytes", "Resident memory.", Deno.memoryUsage().rss),
    gauge("process_start_time_seconds", "When it was started.", Date.parse(started_at) / 1000),
  ];
}
