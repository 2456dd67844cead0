/** One segment file of the journal: its name, what is known of it, and writing it. */

import { basename } from "node:path";
import type { WritableFile } from "./journal_files.ts";

/** A segment file and what of it was not yet removed. */
export interface Segment {
  /** The file. */
  readonly path: string;
  /** Length of the file. */
  bytes: number;
  /** Offset behind the last record that was acknowledged; nothing behind it is read. */
  end: number;
  /** Offset behind the last record that was removed. */
  from: number;
  /** Records that were not yet removed. */
  records: number;
  /** Their events. */
  events: number;
  /** Their bytes. */
  recordBytes: number;
  /** Whether it holds bytes that should be a record and are none. */
  isDamaged: boolean;
}

/** A segment that is appended to. */
export interface Tail {
  /** The open file. */
  readonly file: WritableFile;
  /** What is known of it. */
  readonly segment: Segment;
}

const DIGITS_MIN = 6;
const DIGITS = /^\d{6,12}$/; // no number so large that the next one would be rounded

/** A segment of so many bytes in which no record is known yet. */
export function newSegment(path: string, bytes: number): Segment {
  const counts = { records: 0, events: 0, recordBytes: 0 };
  return { path, bytes, end: bytes, from: 0, ...counts, isDamaged: false };
}

/** The file of the segment of a number, from 1. */
export function segmentPath(path: string, number: number): string {
  return `${path}.${String(number).padStart(DIGITS_MIN, "0")}`;
}

/**
 * Numbers of the segments among the names in the journal's folder, in rising order: sorted by name,
 * 1000000 would come before 999999.
 */
export function segmentNumbers(path: string, names: readonly string[]): number[] {
  const known = new Set(names), prefix = `${basename(path)}.`;
  return names
    .filter((name) => name.startsWith(prefix) && DIGITS.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .filter((number) => number > 0 && known.has(basename(segmentPath(path, number))))
    .sort((a, b) => a - b);
}

/** Writes all of the bytes. @throws what the file says; a part may be written then. */
export function writeAll({ file, segment }: Tail, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const count = file.write(bytes.subarray(done));
    if (count === 0) throw new Error("the file takes no bytes");
    done += count;
    segment.bytes += count;
  }
}
