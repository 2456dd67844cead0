/** How the store Worker keeps batches, from the settings. */

import type { RetentionPolicy } from "../retention.ts";
import type { DatabaseOptions } from "./database.ts";
import type { OnCorrupt } from "./files.ts";

/** How the Worker keeps batches. */
export interface KeepOptions extends DatabaseOptions {
  /** What to do about a damaged database. */
  readonly onCorrupt: OnCorrupt;
  /** Whether batches may go to the journal. */
  readonly mayJournal: boolean;
  /** Most bytes of the journal. */
  readonly journalBytes: number;
  /** How long events are kept. */
  readonly retention: RetentionPolicy;
}

/** The settings it is made from: see `options.ts`. */
export interface KeepSettings extends
  RetentionPolicy,
  Pick<
    KeepOptions,
    "synchronous" | "recentEventIds" | "recentRequests" | "onCorrupt" | "journalBytes"
  > {
  /** The database file. */
  readonly db: string;
  /** When events are acknowledged. */
  readonly durability: "disk" | "memory";
  /** Most events in memory. */
  readonly queueCapacity: number;
  /** How far the log may grow, in bytes. */
  readonly walBytes: number;
}

const OPEN_TIMEOUT_MS = 5000;
const BUSY_TIMEOUT_MS = 100; // the writer retries; a longer wait would only delay its answer
const RUN_ID_LENGTH = 16;

/** The options of a new run. */
export function keepOptions(settings: KeepSettings): KeepOptions {
  const { durability, queueCapacity } = settings;
  const isDisk = durability === "disk";
  const id = crypto.randomUUID().replaceAll("-", "").slice(0, RUN_ID_LENGTH);
  return {
    path: settings.db,
    synchronous: settings.synchronous,
    openTimeoutMs: OPEN_TIMEOUT_MS,
    // A batch that waits for a lock would make all behind it wait: the journal takes it at once.
    busyTimeoutMs: isDisk ? 0 : BUSY_TIMEOUT_MS,
    run: { id, durability, queueCapacity, startedAt: Date.now() },
    walBytesMax: settings.walBytes,
    recentEventIds: settings.recentEventIds,
    recentRequests: settings.recentRequests,
    onCorrupt: settings.onCorrupt,
    mayJournal: isDisk,
    journalBytes: settings.journalBytes,
    retention: retentionPolicy(settings),
  };
}

/** How long events are kept, from the settings. */
export function retentionPolicy(settings: RetentionPolicy): RetentionPolicy {
  const { retainDays, retainBytes, retainUnexported } = settings;
  return { retainDays, retainBytes, retainUnexported };
}
