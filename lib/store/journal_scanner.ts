/**
 * Finds the intact records of a segment file, whatever else is in it. A bounded piece of the file is
 * in memory at a time: 64 KiB, or one record if that is longer.
 *
 * Reading goes on behind what can not be read: those bytes count as zeros, which are no record.
 */

import { crc32 } from "node:zlib";
import type { ReadableFile } from "./journal_files.ts";
import {
  decodeHead,
  HEAD_BYTES,
  indexOfMagic,
  MAGIC_BYTES,
  type RecordHead,
} from "./journal_record.ts";

/** An intact record. */
export interface FoundRecord {
  /** What its head says. */
  readonly head: RecordHead;
  /** Its payload; overwritten when the next record is looked for. */
  readonly payload: Uint8Array;
  /** Offset of its first byte. */
  readonly start: number;
  /** Offset behind its last byte. */
  readonly end: number;
}

const PIECE_BYTES = 64 * 1024;

/** See the head of this file. It closes the file when it is disposed of. */
export class SegmentScanner implements Disposable {
  readonly #file: ReadableFile;
  readonly #end: number;
  #buffer = new Uint8Array(PIECE_BYTES);
  #pieceStart = 0;
  #pieceEnd = 0;

  /** Takes the file and the offset behind the part of it that is looked at. */
  constructor(file: ReadableFile, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /** The first intact record at or behind an offset; null if there is none. */
  next(from: number): FoundRecord | null {
    for (let at = from; at !== -1; at = this.#findMagic(at + 1)) {
      const found = this.#recordAt(at);
      if (found !== null) return found;
    }
    return null;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #recordAt(start: number): FoundRecord | null {
    const headBytes = this.#bytes(start, HEAD_BYTES);
    const head = headBytes && decodeHead(headBytes);
    if (head === null) return null;
    const payload = this.#bytes(start + HEAD_BYTES, head.payloadBytes);
    if (payload === null || crc32(payload) !== head.payloadCrc) return null;
    return { head, payload, start, end: start + HEAD_BYTES + head.payloadBytes };
  }

  #findMagic(from: number): number {
    let at = from;
    while (this.#bytes(at, MAGIC_BYTES) !== null) {
      const rest = this.#buffer.subarray(at - this.#pieceStart, this.#pieceEnd - this.#pieceStart);
      const index = indexOfMagic(rest);
      if (index !== -1) return at + index;
      at = this.#pieceEnd - MAGIC_BYTES + 1; // one may begin in this piece and end in the next
    }
    return -1;
  }

  /** Bytes of the file, valid until the next call; null if they are not all before the end. */
  #bytes(start: number, length: number): Uint8Array | null {
    const end = start + length;
    if (end > this.#end) return null;
    if (start < this.#pieceStart || end > this.#pieceEnd) this.#load(start, length);
    return this.#buffer.subarray(start - this.#pieceStart, end - this.#pieceStart);
  }

  #load(start: number, lengthMin: number): void {
    const length = Math.min(Math.max(lengthMin, PIECE_BYTES), this.#end - start);
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    this.#pieceStart = start;
    this.#pieceEnd = start + length;
    const piece = this.#buffer.subarray(0, length);
    piece.fill(0, this.#read(piece, start));
  }

  /** How many bytes could be read. */
  #read(piece: Uint8Array, start: number): number {
    let done = 0;
    try {
      while (done < piece.length) {
        const count = this.#file.read(piece.subarray(done), start + done);
        if (count === 0) break;
        done += count;
      }
    } catch {
      // A bad sector: the caller sees zeros and counts the records in them as damaged.
    }
    return done;
  }
}
