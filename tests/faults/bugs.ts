/** The bugs that are planted: see `planted_bugs_test.ts`. */

import type { Bug } from "./planted.ts";

/** SQLite does not wait for the disk. */
export const DATABASE_NOT_FLUSHED: Bug = {
  file: "lib/store/connection.ts",
  source: `["synchronous", synchronous, synchronous === "full" ? 2 : 1]`,
  becomes: `["synchronous", "off", 0]`,
};
/** The journal does not wait for the disk. */
export const JOURNAL_NOT_FLUSHED: Bug = {
  file: "lib/store/journal_files.ts",
  source: `this.#file.syncDataSync();`,
  becomes: ``,
};
/** An event is acknowledged before it is durable. */
export const ACKNOWLEDGED_TOO_EARLY: readonly Bug[] = [
  {
    file: "lib/watermark.ts",
    source: `if (value <= this.#value) {`,
    becomes: `if (value <= Infinity) {`,
  },
  {
    file: "lib/stored_progress.ts",
    source: `return sequence <= this.flushed.value ? "journaled" : "queued";`,
    becomes: `return "journaled";`,
  },
];
/** What was applied is applied again. */
export const APPLIED_AGAIN: readonly Bug[] = [
  {
    file: "lib/store/database.ts",
    source: `if (number <= run.lastBatch) continue;`,
    becomes: ``,
  },
  {
    file: "lib/store/recovery.ts",
    source: `last = database?.progress(id)?.lastBatch ?? 0`,
    becomes: `last = 0`,
  },
];
/** Records are removed before they are applied. */
export const REMOVED_TOO_EARLY: Bug = {
  file: "lib/store/keeper.ts",
  source: `const deadLetters = this.#use((database) => {`,
  becomes: `journal.removeFirst(records.length); const deadLetters = this.#use((database) => {`,
};
/** A repeated Idempotency-Key is not known. */
export const KEYS_NOT_KNOWN: Bug = {
  file: "lib/collector.ts",
  source: `const known = keyed === null ? null : this.#requests?.find(keyed) ?? null;`,
  becomes: `const known = null;`,
};
/** A repeated id is not known. */
export const REPEATS_NOT_KNOWN: Bug = {
  file: "lib/event_ids.ts",
  source: `if (recent.find(key) >= 0) {`,
  becomes: `if (false) {`,
};
