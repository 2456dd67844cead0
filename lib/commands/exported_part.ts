/** What an export that broke off has written: where its last whole event ends. */

/** The formats that can be gone on with: the end of a Parquet file tells what is in it. */
export type LineFormat = "ndjson" | "csv";

/** What is there. */
export interface ExportedPart {
  /** Bytes up to the end of the last whole event; 0 if there is none. */
  readonly bytes: number;
  /** How many whole events there are. */
  readonly events: number;
  /** Id of the last one; 0 if there is none. */
  readonly lastId: number;
}

const NOTHING: ExportedPart = { bytes: 0, events: 0, lastId: 0 };
const READ_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a, QUOTE = 0x22;
/** How an event begins; ids have at most 16 digits. */
const ID: Readonly<Record<LineFormat, RegExp>> = { ndjson: /^\{"id":(\d+),/, csv: /^(\d+),/ };
const ID_BYTES = 32;

/**
 * Reads a file from its beginning to its end: a line feed of CSV can be inside a cell, which only what
 * comes before it tells. Null if it is no such export.
 */
export function exportedPart(file: Deno.FsFile, format: LineFormat): ExportedPart | null {
  const { lines, lastStart, end } = wholeLines(file, format);
  const events = format === "csv" ? Math.max(0, lines - 1) : lines; // its first line is the head
  if (events === 0) return NOTHING;
  file.seekSync(lastStart, Deno.SeekMode.Start);
  const bytes = new Uint8Array(ID_BYTES);
  const text = new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  const id = ID[format].exec(text)?.[1];
  return id === undefined ? null : { bytes: end, events, lastId: Number(id) };
}

interface WholeLines {
  readonly lines: number;
  /** Where the last one begins. */
  readonly lastStart: number;
  /** Where it ends. */
  readonly end: number;
}

function wholeLines(file: Deno.FsFile, format: LineFormat): WholeLines {
  file.seekSync(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(READ_BYTES), hasQuotes = format === "csv";
  let lines = 0, lastStart = 0, end = 0, isQuoted = false;
  for (let at = 0, count: number | null; (count = file.readSync(buffer)) !== null; at += count) {
    for (let i = 0; i < count; i++) {
      const byte = buffer[i];
      if (hasQuotes && byte === QUOTE) isQuoted = !isQuoted;
      if (byte !== LINE_FEED || isQuoted) continue;
      lines++;
      lastStart = end;
      end = at + i + 1;
    }
  }
  return { lines, lastStart, end };
}
