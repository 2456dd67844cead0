/** Metrics of events: the account, the queue, and the identities that show that nothing is lost. */

import type { Stats } from "../stats.ts";
import { by, counter, gauge, histogram, type Metric } from "./metric.ts";
import type { MetricsSources } from "./sources.ts";

const MS_PER_SECOND = 1000;

/** See the head of this file. */
export function eventMetrics(sources: MetricsSources, stats: Stats): readonly Metric[] {
  return [
    ...accountMetrics(sources, stats),
    residuals(sources, stats),
    ...queueMetrics(stats),
    ...batchMetrics(sources, stats),
  ];
}

function accountMetrics(
  { collector: { measured } }: MetricsSources,
  { accepted, rejected, duplicates, recovered, committed, dead_lettered, dropped, lost_at_most }:
    Stats,
): readonly Metric[] {
  const reasons = Object.entries(measured.letterReasons.of(dead_lettered));
  return [
    counter(
      "firehouse_events_received_total",
      "Events that came, in requests that could be decoded.",
      by("protocol", measured.received.events),
    ),
    counter("firehouse_events_accepted_total", "Events admitted to the queue.", accepted),
    counter("firehouse_events_rejected_total", "Events refused; none is stored.", rejected),
    counter(
      "firehouse_events_duplicate_total",
      "Events that were known by their id or key and are not stored again.",
      duplicates,
    ),
    counter(
      "firehouse_events_recovered_total",
      "Events found in the journal at the start, of earlier runs.",
      recovered,
    ),
    counter("firehouse_events_committed_total", "Events flushed in the database.", committed),
    counter(
      "firehouse_events_dead_lettered_total",
      "Events kept aside: the decoder or the database refused them, or they were recovered.",
      by("reason", reasons),
    ),
    counter("firehouse_events_dropped_total", "Events accepted and given up.", dropped),
    counter(
      "firehouse_events_lost_upper_bound_total",
      "Most events that earlier runs which crashed may have lost, with durability memory.",
      lost_at_most,
    ),
  ];
}

/** What should be equal and is not: of the terms that are shown, and of nothing else. */
function residuals({ collector, requests }: MetricsSources, stats: Stats): Metric {
  const { accepted, rejected, duplicates, recovered, committed, dead_lettered, dropped } = stats;
  const received = sum(collector.measured.received.events.values());
  const answers = sum(requests.routes.flatMap(({ answers }) => answers));
  const held = stats.queued + stats.in_flight + stats.journaled;
  return gauge(
    "firehouse_accounting_residual_events",
    "What the identities are off by; anything but 0 is a bug. " +
      "A: received = accepted + rejected + duplicate. " +
      "B: accepted + recovered = committed + dead-lettered + dropped + queued + in flight + " +
      "journaled. F, of requests: received = answered + in flight.",
    by("identity", [
      ["A", received - accepted - rejected - duplicates],
      ["B", accepted + recovered - committed - dead_lettered - dropped - held],
      ["F", requests.begun - answers - requests.inFlight],
    ]),
  );
}

function queueMetrics({ queued, in_flight, queue }: Stats): readonly Metric[] {
  return [
    gauge("firehouse_queue_events", "Events waiting for a batch.", queued),
    gauge("firehouse_batch_inflight_events", "Events in batches being written.", in_flight),
    gauge("firehouse_queue_bytes", "Memory of the events waiting and being written.", queue.bytes),
    gauge(
      "firehouse_queue_capacity_events",
      "Most events waiting and being written.",
      queue.capacity_events,
    ),
    gauge("firehouse_queue_capacity_bytes", "Most memory for them.", queue.capacity_bytes),
    gauge(
      "firehouse_queue_oldest_age_seconds",
      "How long the oldest of them has waited.",
      queue.oldest_age_ms / MS_PER_SECOND,
    ),
  ];
}

function batchMetrics(
  { collector: { measured } }: MetricsSources,
  { commit_retries, replays, recent_event_ids, last_commit_at }: Stats,
): readonly Metric[] {
  return [
    histogram("firehouse_batch_events", "Events a batch.", measured.batchEvents.buckets()),
    histogram(
      "firehouse_commit_duration_seconds",
      "Time from taking a batch to its commit, retries included.",
      measured.commitMs.buckets(),
      MS_PER_SECOND,
    ),
    histogram(
      "firehouse_ack_duration_seconds",
      "Time from admission to acknowledgement, of requests that waited for flush or commit.",
      measured.ackMs.buckets(),
      MS_PER_SECOND,
    ),
    counter("firehouse_commit_failures_total", "Failed attempts to store a batch.", commit_retries),
    gauge(
      "firehouse_last_commit_timestamp_seconds",
      "When the last batch was committed; missing before the first.",
      last_commit_at === null ? [] : Date.parse(last_commit_at) / MS_PER_SECOND,
    ),
    counter(
      "firehouse_idempotency_replays_total",
      "Requests answered as a repeat by their Idempotency-Key.",
      replays,
    ),
    gauge("firehouse_remembered_event_ids", "Event ids remembered.", recent_event_ids),
  ];
}

function sum(values: Iterable<number>): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}
