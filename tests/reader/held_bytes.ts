/**
 * Writes a million events and tells what was held meanwhile. Its own program, since what is held can
 * only be told from what is garbage by `--v8-flags=--expose-gc`. Argument: the format.
 */

import type { ExportFormat, StoredEvent } from "../../lib/query.ts";
import { encoderOf } from "../../lib/reader/encoders.ts";
import { storedEvent } from "./any_event.ts";

/** What it found. */
export interface HeldBytes {
  readonly events: number;
  /** Characters of their metadata. */
  readonly characters: number;
  /** Of the file. */
  readonly bytes: number;
  /** The most that was held, beside what was before. */
  readonly heldBytesMax: number;
}

const EVENTS = 1_000_000, AT_ONCE = 1000, SAMPLE_EVERY_EVENTS = 50_000;
const METADATA_CHARACTERS = 300;

/** Metadata that is not alike, so that neither a dictionary nor compression makes it small. */
function metadataMaker(): () => string {
  const noise = Array.from(
    { length: 100 },
    () => crypto.getRandomValues(new Uint8Array(10_000)).toHex(),
  ).join("");
  let at = 0;
  return () => {
    at = (at + 7919) % (noise.length - METADATA_CHARACTERS);
    return `{"noise":"${noise.slice(at, at + METADATA_CHARACTERS)}"}`;
  };
}

function* batches(): Generator<StoredEvent[]> {
  const metadata = metadataMaker();
  for (let at = 0; at < EVENTS; at += AT_ONCE) {
    yield Array.from(
      { length: AT_ONCE },
      (_, index) => storedEvent({ id: at + index + 1, metadata: metadata() }),
    );
  }
}

function held(): number {
  (globalThis as unknown as { gc: () => void }).gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function measure(format: ExportFormat): Promise<HeldBytes> {
  const encoder = await encoderOf(format);
  const before = held();
  let events = 0, characters = 0, bytes = encoder.start().length, heldBytesMax = 0;
  for (const batch of batches()) {
    bytes += encoder.events(batch).length;
    events += batch.length;
    for (const { metadata } of batch) characters += metadata.length;
    if (events % SAMPLE_EVERY_EVENTS === 0) heldBytesMax = Math.max(heldBytesMax, held() - before);
  }
  bytes += encoder.end().length;
  return { events, characters, bytes, heldBytesMax };
}

if (import.meta.main) {
  const found = await measure(Deno.args[0] as ExportFormat);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(found)));
}
