/** Metrics of what is on the disk: database, log, journal, and what earlier runs left. */

import type { Stats } from "../stats.ts";
import { by, counter, gauge, type Metric } from "./metric.ts";
import type { MetricsSources } from "./sources.ts";

/** See the head of this file. */
export function storeMetrics(sources: MetricsSources, stats: Stats): readonly Metric[] {
  const { config, workerRestarts } = sources;
  const { database_bytes, wal_bytes, journal_bytes, disk_free_bytes, journaled } = stats;
  return [
    gauge("firehouse_database_bytes", "Size of the database file.", database_bytes),
    gauge("firehouse_wal_bytes", "Size of its write-ahead log.", wal_bytes),
    gauge("firehouse_wal_capacity_bytes", "Most bytes of the log.", config.walBytes),
    gauge("firehouse_journal_events", "Events in the journal, not yet in the database.", journaled),
    gauge("firehouse_journal_bytes", "Size of the journal.", journal_bytes),
    gauge("firehouse_journal_capacity_bytes", "Most bytes of the journal.", config.journalBytes),
    gauge(
      "firehouse_disk_free_bytes",
      "What is left on the disk for all three; missing without --allow-sys=statfs.",
      disk_free_bytes === null ? [] : disk_free_bytes,
    ),
    counter(
      "firehouse_worker_restarts_total",
      "Workers that ended unasked and were started again.",
      by("worker", Object.entries(workerRestarts())),
    ),
    ...foundMetrics(stats),
  ];
}

/** What was found at the start. */
function foundMetrics({ unclean_runs, damaged }: Stats): readonly Metric[] {
  return [
    counter(
      "firehouse_unclean_starts_total",
      "Earlier runs on this database that did not end by themselves.",
      unclean_runs,
    ),
    gauge(
      "firehouse_damaged_journal_segments",
      "Segments of the journal found damaged at the start, and kept aside.",
      damaged.journal_files,
    ),
    gauge(
      "firehouse_damaged_journal_bytes",
      "Bytes in them that could not be read.",
      damaged.journal_bytes,
    ),
    gauge(
      "firehouse_damaged_databases",
      "Databases found damaged at the start, and moved aside.",
      damaged.databases,
    ),
    gauge(
      "firehouse_damaged_transactions",
      "Transactions in the log found damaged at the start; a copy of the log is kept.",
      damaged.transactions,
    ),
  ];
}
