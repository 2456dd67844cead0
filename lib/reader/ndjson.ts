/** Events as newline-delimited JSON: one {@linkcode eventJson} a line. */

import type { ExportEncoder } from "../export_encoder.ts";
import { eventJson } from "./event_json.ts";

const encoder = new TextEncoder();

/** Writes NDJSON in UTF-8, each line ended by a line feed. Holds nothing between calls. */
export const ndjsonEncoder: ExportEncoder = {
  start: () => new Uint8Array(0),
  events: (events) => encoder.encode(events.map((event) => eventJson(event) + "\n").join("")),
  end: () => new Uint8Array(0),
};
