/** How the writer forms batches, from the settings. */

import type { Durability } from "./admission.ts";
import type { WriterOptions } from "./writer.ts";

/** The settings it is made from: see `options.ts`. */
export interface WriterSettings extends Pick<WriterOptions, "transactionEvents"> {
  /** When events are acknowledged. */
  readonly durability: Durability;
  /** Events that end the linger. */
  readonly batchSize: number;
  /** Longest linger, in ms. */
  readonly batchLingerMs: number;
}

const TRANSACTION_BYTES = 8 * 1024 * 1024;
const RETRY_MS = { min: 10, max: 1000 };
/** Clients wait for the batch: as long as it takes them to come back after the one before. */
const LINGER_FOR_CLIENTS_MS = 1;

/** The options of a writer. */
export function writerOptions(settings: WriterSettings): WriterOptions {
  const { durability, batchSize, batchLingerMs, transactionEvents } = settings;
  const isDisk = durability === "disk";
  return {
    batchSize: isDisk ? "load" : batchSize,
    lingerMs: isDisk ? LINGER_FOR_CLIENTS_MS : batchLingerMs,
    transactionEvents,
    transactionBytes: TRANSACTION_BYTES,
    retryMs: RETRY_MS,
  };
}
