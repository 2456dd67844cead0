/** Runs an encoder as an export does. */

import type { ExportFormat, StoredEvent } from "../../lib/query.ts";
import { encoderOf } from "../../lib/reader/encoders.ts";

/** The whole file of an export, of events that are given to the encoder `atOnce` at a time. */
export async function exported(
  format: ExportFormat,
  events: readonly StoredEvent[],
  atOnce = 5,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = await encoderOf(format);
  const parts = [encoder.start()];
  for (let at = 0; at < events.length; at += atOnce) {
    parts.push(encoder.events(events.slice(at, at + atOnce)));
  }
  parts.push(encoder.end());
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The same as text; throws on what is not UTF-8. */
export async function exportedText(
  format: ExportFormat,
  events: readonly StoredEvent[],
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return decoder.decode(await exported(format, events));
}
