/** Troubles by the series that a collector in them shows, and the alerts that are to fire. */

const SAMPLES = 280;
const MIB = 1024 * 1024, GIB = 1024 * MIB;

/** What a healthy, busy collector shows; values as promtool writes series, 15 s apart. */
export const HEALTHY: Readonly<Record<string, string>> = {
  'up{job="firehouse"}': steady(1),
  'firehouse_accounting_residual_events{identity="A"}': steady(0),
  'firehouse_accounting_residual_events{identity="B"}': steady(0),
  "firehouse_events_dropped_total": steady(0),
  "firehouse_events_lost_upper_bound_total": steady(7),
  "firehouse_last_commit_timestamp_seconds": `0+15x${SAMPLES}`,
  "process_start_time_seconds": steady(0),
  "firehouse_queue_events": steady(100),
  "firehouse_batch_inflight_events": steady(20),
  "firehouse_journal_events": steady(0),
  "firehouse_queue_capacity_events": steady(1000),
  "firehouse_wal_bytes": steady(32 * MIB),
  "firehouse_disk_free_bytes": steady(10 * GIB),
  "firehouse_journal_capacity_bytes": steady(GIB),
  "firehouse_retention_held_up": steady(0),
  "firehouse_unclean_starts_total": steady(3),
  "firehouse_damaged_journal_segments": steady(0),
  "firehouse_damaged_databases": steady(0),
  "firehouse_damaged_transactions": steady(0),
  'firehouse_http_requests_refused_total{code="queue-full"}': `0+7x${SAMPLES}`, // 0.7 %
  'firehouse_http_requests_refused_total{code="invalid-event"}': `0+500x${SAMPLES}`,
  'firehouse_http_requests_refused_total{code="unconfirmed"}': steady(2),
  'firehouse_http_requests_refused_total{code="internal"}': steady(0),
  "firehouse_http_requests_received_total": `0+1000x${SAMPLES}`,
};

/** A trouble, and what is to be said of it. */
export interface Case {
  readonly alert: string;
  readonly when: string;
  /** What is other than healthy. */
  readonly series: Readonly<Record<string, string>>;
  /** When it must not fire yet, and when it must. */
  readonly quietAt?: string;
  readonly firesAt: string | null;
}

const LOCKED = { "firehouse_last_commit_timestamp_seconds": steady(0) };
const IDLE = { "firehouse_queue_events": steady(0), "firehouse_batch_inflight_events": steady(0) };
const REFUSED = "firehouse_http_requests_refused_total";

/** All of them: of each alert at least one. */
export const CASES: readonly Case[] = [
  fires("FirehouseDown", ["30s", "90s"], "it does not answer", {
    'up{job="firehouse"}': steady(0),
  }),
  fires("FirehouseResidual", ["30s", "90s"], "an identity is off, in either direction", {
    'firehouse_accounting_residual_events{identity="B"}': steady(-1),
  }),
  fires("FirehouseEventsLost", ["2m", "3m"], "accepted events are given up", {
    "firehouse_events_dropped_total": `0x8 5x${SAMPLES - 8}`,
  }),
  fires("FirehouseEventsLost", ["2m", "3m"], "a run in memory crashed", {
    "firehouse_events_lost_upper_bound_total": `7x8 30007x${SAMPLES - 8}`,
  }),
  fires("FirehouseNotCommitting", ["30s", "2m"], "events wait in the queue", LOCKED),
  fires("FirehouseNotCommitting", ["30s", "2m"], "they wait in the journal", {
    ...LOCKED,
    ...IDLE,
    "firehouse_journal_events": `0+10x${SAMPLES}`,
  }),
  fires("FirehouseNotCommitting", ["30s", "2m"], "nothing was ever committed", {
    "firehouse_last_commit_timestamp_seconds": `_x${SAMPLES}`,
  }),
  quiet("FirehouseNotCommitting", "nothing comes, so there is nothing to commit", {
    ...LOCKED,
    ...IDLE,
  }),
  fires("FirehouseQueueFilling", ["45s", "90s"], "the queue is 85 % full", {
    "firehouse_queue_events": steady(830),
  }),
  quiet("FirehouseQueueFilling", "it is only for a moment", {
    "firehouse_queue_events": `100x8 999 999 100x${SAMPLES - 10}`,
  }),
  fires("FirehouseLogGrows", ["4m", "6m"], "the log has 300 MiB", {
    "firehouse_wal_bytes": steady(300 * MIB),
  }),
  fires("FirehouseDiskFilling", ["4m", "6m"], "there is less than twice the journal's room", {
    "firehouse_disk_free_bytes": steady(2 * GIB - 1),
  }),
  quiet("FirehouseDiskFilling", "the room is not known", {
    "firehouse_disk_free_bytes": `_x${SAMPLES}`,
  }),
  fires("FirehouseRetentionHeldUp", ["59m", "61m"], "an export point holds it up for long", {
    "firehouse_retention_held_up": steady(1),
  }),
  fires("FirehouseUncleanStart", ["2m", "3m"], "the run before was killed", {
    "firehouse_unclean_starts_total": `3x8 4x${SAMPLES - 8}`,
  }),
  ...["journal_segments", "databases", "transactions"].map((what) =>
    fires("FirehouseDamageFound", ["2m", "3m"], `damaged ${what} were found`, {
      [`firehouse_damaged_${what}`]: `0x8 1x${SAMPLES - 8}`,
    })
  ),
  ...["queue-full", "store-failing", "too-many-bodies"].map((code) =>
    fires("FirehouseRefusing", ["45s", "3m"], `2 % are refused as ${code}`, {
      [`${REFUSED}{code="${code}"}`]: `0+20x${SAMPLES}`,
    })
  ),
  ...["unconfirmed", "internal"].map((code) =>
    fires("FirehouseUnconfirmed", ["2m", "3m"], `an answer was 500 ${code}`, {
      [`${REFUSED}{code="${code}"}`]: `2x8 3x${SAMPLES - 8}`,
    })
  ),
];

function fires(
  alert: string,
  [quietAt, firesAt]: readonly [string, string],
  when: string,
  series: Case["series"],
): Case {
  return { alert, when, series, quietAt, firesAt };
}

function quiet(alert: string, when: string, series: Case["series"]): Case {
  return { alert, when, series, quietAt: "10m", firesAt: null };
}

/** A value that stays. */
function steady(value: number): string {
  return `${value}x${SAMPLES}`;
}
