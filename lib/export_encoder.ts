/** How events are written out: one format each, see the encoders of `reader/`. */

import type { StoredEvent } from "./query.ts";

/**
 * Writes one export, the events in order, some at a time. What it gives is for the caller to keep;
 * it holds no more than what it needs to go on, whatever the size of the whole.
 */
export interface ExportEncoder {
  /** What comes before the first event; may be empty. */
  start(): Uint8Array<ArrayBuffer>;
  /** Some events; may give nothing yet. */
  events(events: readonly StoredEvent[]): Uint8Array<ArrayBuffer>;
  /** What comes after the last one; may be empty. */
  end(): Uint8Array<ArrayBuffer>;
}
