/** What the document says of `GET /stats`: the members of `lib/stats.ts` and of the server. */

import { count, instant, objectOf, orNull, type Schema, schemaRef, text } from "./spec.ts";

const QUANTILES = objectOf({
  count: count("How many were measured."),
  p50: { type: "number" },
  p90: { type: "number" },
  p99: { type: "number" },
  max: { type: "number" },
});

const ACCOUNT: Readonly<Record<string, Schema>> = {
  received: count("Events that came in requests that could be decoded."),
  accepted: count("Admitted."),
  rejected: count("Refused; nothing of them is stored."),
  duplicates: count("Known already, not stored again."),
  recovered: count("Found in the journal at the start."),
  committed: count("In the database, flushed."),
  dead_lettered: count("Kept aside, with a reason."),
  dropped: count("Accepted and given up; must stay 0."),
  queued: count("Waiting."),
  in_flight: count("Being written."),
  journaled: count("In the journal, flushed, not in the database yet."),
  residual: count("What the account is off by; must be 0."),
};

const QUEUE = objectOf({
  events: count("Queued and in flight."),
  capacity_events: count("Most of them."),
  bytes: count("Memory they take."),
  capacity_bytes: count("Most of it."),
  oldest_age_ms: { type: "number", description: "How long the oldest has waited." },
});

const DAMAGED = objectOf({
  journal_files: count("Segments of the journal."),
  journal_bytes: count("Bytes in them that could not be read."),
  databases: count("Databases moved aside."),
  transactions: count("Transactions whose counters do not agree with their rows."),
}, { description: "What was found damaged at the start." });

const REFUSED: Schema = {
  type: "object",
  propertyNames: schemaRef("RefusalCode"),
  additionalProperties: { type: "integer", minimum: 1 },
  description: "Refused requests by code.",
};

const RETENTION = {
  ...objectOf({
    oldest_id: orNull(count("Id of the oldest event; null if there is none.")),
    oldest_received_at: orNull(instant("When it came.")),
    removed: count("Events removed in all."),
    removed_this_run: count("Of them, since the start."),
    held_by: orNull(text("The export point that keeps events from being removed.")),
    held_up: orNull(text("What else does.")),
    free_bytes: count("Room in the database file that later events will take."),
    longest_step_ms: { type: "number", description: "Longest time it held the database." },
  }),
  type: ["object", "null"],
  description: "The removal of old events; null before its first turn.",
};

const READER: Schema = {
  ...objectOf({
    last_id: count("Id of the newest event that it has seen."),
    indexed_blocks: count("Blocks of 65,536 events that are in the index."),
    index_error: orNull(text("Why there is no index; null if there is one.")),
  }),
  type: ["object", "null"],
  description: "The read side; null before it was asked.",
};

const MEMBERS: Readonly<Record<string, Schema>> = {
  ...ACCOUNT,
  durability: { enum: ["memory", "disk"], description: "When events are acknowledged." },
  queue: QUEUE,
  ack_ms: { ...QUANTILES, description: "From admission to acknowledgement." },
  commit_ms: { ...QUANTILES, description: "From taking a batch to its commit." },
  batch_events: { ...QUANTILES, description: "Events a batch." },
  drain_events_per_second: { type: "number", description: "How fast the queue drains when busy." },
  commit_retries: count("Failed attempts to store a batch."),
  last_commit_at: orNull(instant("When the last batch was committed.")),
  last_commit_error: orNull(text("Why the last attempt failed; null once one succeeded.")),
  refused_requests: REFUSED,
  database_bytes: count("Size of the database file."),
  wal_bytes: count("Size of its write-ahead log."),
  journal_bytes: count("Size of the journal; 0 while the database takes every batch."),
  disk_free_bytes: orNull(count("Room on the disk; null if that is not known.")),
  replays: count("Requests answered as a repeat by their key."),
  recent_event_ids: count("Event ids remembered."),
  unclean_runs: count("Earlier runs that did not end by themselves."),
  lost_at_most: count("Events that these may have lost, with durability memory."),
  damaged: DAMAGED,
  started_at: instant("When it was started."),
  uptime_seconds: count("Since then."),
  bodies_in_flight: count("Bodies being received."),
  requests_in_flight: count("Requests without an answer yet."),
  event_loop_lag_ms: { ...QUANTILES, description: "How late the event loop was." },
  relistens: count("How often it had to listen again."),
  tails: objectOf({
    open: count("Live tails."),
    dropped: count("Tails that were ended since their client did not read."),
  }),
  retention: RETENTION,
  reader: READER,
};

/** The schemas for `GET /stats`. */
export const STATS_SCHEMAS: Readonly<Record<string, Schema>> = { Stats: objectOf(MEMBERS) };
