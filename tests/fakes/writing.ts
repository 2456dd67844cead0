/** A writer between a channel and a store in memory. */

import { strictEqual as equal } from "node:assert/strict";
import { Channel } from "../../lib/channel.ts";
import type { EventRow, Submission } from "../../lib/event.ts";
import { type StoredBatch, Writer, type WriterOptions } from "../../lib/writer.ts";
import { MemoryStore, type MemoryStoreOptions } from "./memory_store.ts";

/** How the writer, its channel and its store are made. */
export interface SetUpOptions extends MemoryStoreOptions, Partial<WriterOptions> {
  readonly submissions?: readonly Submission[];
}

/** A writer between a channel and a store in memory, and what it told. */
export interface Writing {
  readonly channel: Channel<Submission>;
  readonly store: MemoryStore;
  readonly writer: Writer;
  readonly stored: StoredBatch[];
  readonly failed: { reason: string; attempt: number; retryInMs: number }[];
  readonly abort: AbortController;
  readonly signal: AbortSignal;
}

/** Makes them; nothing runs yet. */
export function setUp(options: SetUpOptions = {}): Writing {
  const channel = new Channel<Submission>({ capacity: 1e6, capacityBytes: 1e9 });
  for (const each of options.submissions ?? []) equal(channel.trySend(each), "sent");
  const store = new MemoryStore(options);
  const stored: StoredBatch[] = [];
  const failed: Writing["failed"] = [];
  const writer = new Writer(channel, store, {
    batchSize: options.batchSize ?? 1,
    lingerMs: options.lingerMs ?? 0,
    transactionEvents: options.transactionEvents ?? 1000,
    transactionBytes: options.transactionBytes ?? 1e6,
    retryMs: options.retryMs ?? { min: 1, max: 2 },
    events: {
      stored: (done) => stored.push(done),
      failed: (failure) => failed.push(failure),
    },
  });
  const abort = new AbortController();
  return { channel, store, writer, stored, failed, abort, signal: abort.signal };
}

/** Runs the writer until all that was sent is stored. */
export async function runToEnd(writing: Writing): Promise<void> {
  writing.channel.close();
  await writing.writer.run(writing.signal);
}

/** How many events each batch held that was stored. */
export function counts({ stored }: Writing): number[] {
  return stored.map(({ events }) => events);
}

/** The numbers of the events that became rows. */
export function storedIds(store: MemoryStore): number[] {
  return store.rows.map(({ userId }) => Number(userId));
}

/** Has the store refuse the events with these numbers. */
export function rejectIds(...ids: number[]): (row: EventRow) => string | null {
  return ({ userId }) => ids.includes(Number(userId)) ? `no ${userId}` : null;
}
