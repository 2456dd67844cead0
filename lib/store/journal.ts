/**
 * Batches that are acknowledged before `events.db` can take them: an append-only journal beside it,
 * in segment files `${path}.000001`, `${path}.000002`, …
 *
 * - What `append` returned from survives the process and a power cut. What it threw for may be found
 *   again at the next opening, or not. So a run and number name one batch for ever, appended once or
 *   twice, and whoever applies a record compares them with the last that was applied.
 * - Records come back whole, unchanged and in the order in which they were appended; those of a
 *   segment that was removed in part come back again after a restart.
 * - Damage costs the records it is in and no other. It is counted, and the whole file is kept as
 *   `${segment}.damaged` when its other records have been removed.
 * - A segment of an earlier process is never appended to, nor is one on which a call failed: what a
 *   failed flush left is not known, and a half record must not stand before a whole one.
 *
 * Memory does not grow with the journal: there is a cursor and some counts for each segment, no
 * index of records. All calls are synchronous. One journal at a time may use a path.
 */

import { dirname } from "node:path";
import { denoFiles, type JournalFiles, type ReadableFile } from "./journal_files.ts";
import { decodeRecord, encodeRecord, type JournalRecord } from "./journal_record.ts";
import { type FoundRecord, SegmentScanner } from "./journal_scanner.ts";
import {
  newSegment,
  type Segment,
  segmentNumbers,
  segmentPath,
  type Tail,
  writeAll,
} from "./journal_segment.ts";

/** How a journal is opened. */
export interface JournalOptions {
  /** What the names of the segment files begin with. */
  readonly path: string;
  /** Most bytes that all segment files together may take, damaged ones in use included. */
  readonly bytesMax: number;
  /** From which length in bytes on a segment is followed by another. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** The file system. Default: that of this machine. */
  readonly files?: JournalFiles;
  /** Shown each intact record that is found at opening, the oldest first. */
  readonly onFound?: (record: JournalRecord) => void;
}

/** How much is read at a time. The first record comes however large it is. */
export interface PeekLimit {
  /** Most events in all records. */
  readonly eventsMax: number;
  /** Most bytes of rows, in UTF-8, in all records. */
  readonly bytesMax: number;
}

/** What could not be read back. */
export interface JournalDamage {
  /** Files with damage, each counted once. */
  readonly files: number;
  /** Bytes in them that belong to no intact record. */
  readonly bytes: number;
}

/** Why a journal can not do what it was asked. */
export class JournalError extends Error {
  /** `full`: no room, in the cap or on the disk; `io`: any other error of the system. */
  readonly kind: "full" | "io";

  /** Names the kind and the message; `cause` keeps the original. */
  constructor(kind: "full" | "io", message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "JournalError";
    this.kind = kind;
  }
}

interface Peeked {
  readonly segment: Segment;
  readonly end: number;
  readonly bytes: number;
  readonly events: number;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;

/** See the head of this file. */
export class Journal implements Disposable {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #segmentBytes: number;
  readonly #files: JournalFiles;
  readonly #damage = { files: 0, bytes: 0 };
  #segments: Segment[] = [];
  /** The segment that is appended to; null until the first append, and after an error. */
  #tail: Tail | null = null;
  #lastNumber = 0;
  /** The records of the last peek that were not yet removed. */
  #peeked: Peeked[] = [];
  #isClosed = false;

  /**
   * Reads and checks every record on the disk. Damage is counted and never thrown.
   *
   * @throws {RangeError} if a limit is not a positive number.
   * @throws {JournalError} if the folder can not be listed or a segment in it can not be opened,
   * such as for want of permission: that is no damage, and setting the file aside would lose it.
   */
  constructor(options: JournalOptions) {
    const { path, bytesMax, segmentBytes = SEGMENT_BYTES, files = denoFiles } = options;
    for (const [name, value] of Object.entries({ bytesMax, segmentBytes })) {
      if (!(value > 0)) throw new RangeError(`${name} must be a positive number: ${value}`);
    }
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#segmentBytes = segmentBytes;
    this.#files = files;
    try {
      const names = files.list(dirname(path));
      const numbers = segmentNumbers(path, names);
      for (const number of numbers) this.#recover(number, options.onFound);
      if (numbers.length > 0) files.syncFolder(dirname(path));
    } catch (cause) {
      throw failure(`Cannot open the journal ${path}`, cause);
    }
    this.#sweep();
  }

  /** Records that were not yet removed. */
  get records(): number {
    return this.#sum("records");
  }

  /** Events of the records that were not yet removed. */
  get events(): number {
    return this.#sum("events");
  }

  /** Length of all segment files in bytes, which is what {@linkcode JournalOptions.bytesMax} caps. */
  get bytes(): number {
    return this.#sum("bytes");
  }

  /** Whether there is nothing to apply. */
  get isEmpty(): boolean {
    return this.records === 0;
  }

  /** What was found damaged, at opening and by later reads, since this journal was opened. */
  get damage(): JournalDamage {
    return { ...this.#damage };
  }

  /**
   * Adds a record; returns when it is flushed to the disk.
   *
   * @throws {RangeError} if the record is not as {@linkcode JournalRecord} says.
   * @throws {JournalError} if it is not known to be there: see the head of this file.
   */
  append(record: JournalRecord): void {
    this.#checkOpen();
    const { head, payload } = encodeRecord(record);
    const bytes = head.length + payload.length;
    if (this.bytes + bytes > this.#bytesMax) {
      throw new JournalError("full", `${this.#path} has reached its ${this.#bytesMax} B.`);
    }
    try {
      const tail = this.#writableTail(), { segment } = tail;
      writeAll(tail, head);
      writeAll(tail, payload);
      this.#flush(tail);
      segment.end += bytes;
      segment.recordBytes += bytes;
      segment.events += record.events;
      segment.records++;
    } catch (cause) {
      this.#cutTail();
      this.#closeTail();
      this.#sweep(); // a segment without a record would only take room
      throw failure(`Cannot append to the journal ${this.#path}`, cause);
    }
  }

  /**
   * The oldest records, at least one if there is one; they stay until they are removed. Empty means
   * that the journal {@linkcode Journal.isEmpty | is empty}.
   *
   * @throws {JournalError} if a segment can not be opened.
   */
  peek(limit: PeekLimit): JournalRecord[] {
    this.#checkOpen();
    const records: JournalRecord[] = [];
    this.#peeked = [];
    let events = 0, bytes = 0;
    for (const segment of this.#segments) {
      for (const { head, payload, start, end } of this.#scan(segment)) {
        events += head.events;
        bytes += payload.length;
        const isOver = events > limit.eventsMax || bytes > limit.bytesMax;
        if (isOver && records.length > 0) return records;
        records.push(decodeRecord(head, payload));
        this.#peeked.push({ segment, end, bytes: end - start, events: head.events });
      }
      this.#reconcile(segment);
    }
    this.#sweep();
    return records;
  }

  /**
   * Removes the oldest records, which must have been peeked since they were last removed and be
   * stored durably elsewhere. A file goes when all of its records have gone.
   *
   * @throws {RangeError} if so many were not peeked; nothing is removed then.
   * @throws {JournalError} if a file could not be removed or set aside. Its records are removed all
   * the same, and the next call, even with 0, tries again.
   */
  removeFirst(count: number): void {
    this.#checkOpen();
    if (!(count >= 0 && count <= this.#peeked.length)) {
      throw new RangeError(`Cannot remove ${count} records of ${this.#peeked.length} peeked ones`);
    }
    for (const { segment, end, bytes, events } of this.#peeked.splice(0, count)) {
      segment.from = end;
      segment.recordBytes -= bytes;
      segment.events -= events;
      segment.records--;
    }
    const cause = this.#sweep();
    if (cause !== null) {
      throw failure(`Cannot remove a segment of the journal ${this.#path}`, cause);
    }
  }

  /** Lets go of the files, which stay as they are. Nothing can be done with the journal then. */
  close(): void {
    this.#isClosed = true;
    this.#closeTail();
  }

  /** See {@linkcode Journal.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TypeError(`The journal ${this.#path} is closed`);
  }

  #sum(what: "records" | "events" | "bytes"): number {
    return this.#segments.reduce((sum, segment) => sum + segment[what], 0);
  }

  /** Counts what is in a segment of an earlier process. */
  #recover(number: number, onFound: JournalOptions["onFound"]): void {
    const path = segmentPath(this.#path, number), bytes = this.#files.size(path);
    this.#lastNumber = number;
    if (bytes === null) return;
    this.#files.flush(path); // what is read may be in memory only, of a process that was killed
    const segment = newSegment(path, bytes);
    for (const { head, payload, start, end } of this.#scan(segment)) {
      onFound?.(decodeRecord(head, payload));
      segment.records++;
      segment.events += head.events;
      segment.recordBytes += end - start;
    }
    this.#segments.push(segment);
    if (segment.recordBytes < bytes) this.#noteDamage(segment, bytes - segment.recordBytes);
  }

  /** The intact records of a segment that were not yet removed. */
  *#scan(segment: Segment): Generator<FoundRecord, void> {
    const file = this.#open(segment.path);
    if (file === null) return; // somebody took it away
    using scanner = new SegmentScanner(file, segment.end);
    let found = scanner.next(segment.from);
    for (; found !== null; found = scanner.next(found.end)) yield found;
  }

  #open(path: string): ReadableFile | null {
    try {
      return this.#files.open(path);
    } catch (cause) {
      throw failure(`Cannot open ${path}`, cause);
    }
  }

  /** Notices that a segment that was just read to its end no longer holds what it should. */
  #reconcile(segment: Segment): void {
    const found = this.#peeked.filter((peeked) => peeked.segment === segment);
    const recordBytes = found.reduce((sum, { bytes }) => sum + bytes, 0);
    if (recordBytes < segment.recordBytes) {
      this.#noteDamage(segment, segment.recordBytes - recordBytes);
    }
    segment.recordBytes = recordBytes;
    segment.records = found.length;
    segment.events = found.reduce((sum, { events }) => sum + events, 0);
  }

  #noteDamage(segment: Segment, bytes: number): void {
    if (!segment.isDamaged) this.#damage.files++;
    segment.isDamaged = true;
    this.#damage.bytes += bytes;
  }

  #writableTail(): Tail {
    if (this.#tail !== null && this.#tail.segment.bytes >= this.#segmentBytes) this.#closeTail();
    if (this.#tail === null) {
      const path = segmentPath(this.#path, ++this.#lastNumber);
      const file = this.#files.create(path), segment = newSegment(path, 0);
      this.#segments.push(segment);
      this.#tail = { file, segment };
    }
    return this.#tail;
  }

  #flush({ file, segment }: Tail): void {
    file.datasync();
    if (segment.end === 0) this.#files.syncFolder(dirname(segment.path)); // its name, too
    // Writing to a file that somebody deleted or replaced goes on without an error.
    if (this.#files.identity(segment.path) !== file.identity()) {
      throw new Error(`${segment.path} was deleted or replaced`);
    }
  }

  /** Takes back what was not acknowledged, so that no later opening believes it. */
  #cutTail(): void {
    if (this.#tail === null) return;
    const { file, segment } = this.#tail;
    try {
      file.truncate(segment.end);
      segment.bytes = segment.end;
    } catch { /* then it may be found again: see the head of this file */ }
  }

  #closeTail(): void {
    this.#tail?.file[Symbol.dispose]();
    this.#tail = null;
  }

  /**
   * Removes the files whose records have all gone, or sets them aside; gives the first error, else
   * null. The folder is flushed: a file that a power cut brings back holds records that were applied,
   * and a database that was put in the place of the one they are in would take them again.
   */
  #sweep(): unknown {
    const before = this.#segments.length;
    let firstError: unknown = null;
    this.#segments = this.#segments.filter((segment) => {
      if (segment.records > 0) return true;
      if (segment === this.#tail?.segment) this.#closeTail();
      try {
        if (segment.isDamaged) this.#setAside(segment.path);
        else this.#files.unlink(segment.path);
        return false;
      } catch (error) {
        firstError ??= error;
        return true;
      }
    });
    try {
      if (this.#segments.length < before) this.#files.syncFolder(dirname(this.#path));
    } catch (error) {
      firstError ??= error;
    }
    return firstError;
  }

  #setAside(path: string): void {
    if (this.#files.identity(path) === null) return; // somebody took it away
    let aside = `${path}.damaged`;
    for (let n = 2; this.#files.identity(aside) !== null; n++) aside = `${path}.damaged.${n}`;
    this.#files.rename(path, aside);
  }
}

function failure(what: string, cause: unknown): JournalError {
  if (cause instanceof JournalError) return cause;
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  // Deno 2.9 gives EDQUOT no code.
  const isFull = code === "ENOSPC" || code === "EDQUOT" || /quota exceeded/i.test(`${message}`);
  return new JournalError(isFull ? "full" : "io", `${what}: ${message}`, cause);
}
