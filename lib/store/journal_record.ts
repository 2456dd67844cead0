/**
 * One record of the journal as bytes. A segment file is such records, one behind the other, and
 * nothing else. Numbers are big-endian.
 *
 * ```text
 *        0       1       2       3       4       5       6       7
 *    +-------+-------+-------+-------+-------+-------+-------+-------+
 *  0 |  FF      46      4A      00   |          version = 1          |
 *    +-------+-------+-------+-------+-------+-------+-------+-------+
 *  8 |    payload length in bytes    |      CRC-32 of the payload    |
 *    +-------+-------+-------+-------+-------+-------+-------+-------+
 * 16 |                            number                             |
 *    +-------+-------+-------+-------+-------+-------+-------+-------+
 * 24 |            events             |  run, in ASCII, NUL behind it |
 *    +-------+-------+-------+-------+                               +
 *    :                       (64 bytes in all)                       :
 *    +                               +-------+-------+-------+-------+
 * 88 |                               |  CRC-32 of the bytes 0 to 91  |
 *    +-------+-------+-------+-------+-------+-------+-------+-------+
 * 96 |  payload: the rows in UTF-8 …
 *    +-------+-------+-------+-------+
 * ```
 *
 * Behind damage the next record is found by its first four bytes. Text can not imitate them: UTF-8
 * never holds a byte FF, and JSON never a byte 00 (nor does a run). So whatever a client writes into
 * an event, even a copy of a whole record, is only ever payload.
 *
 * The head has a CRC of its own so that a damaged length is known before it is believed: nobody
 * allocates or reads what it says, and a search behind damage reads each byte a few times at most.
 */

import { crc32 } from "node:zlib";

/** What is kept of one batch. */
export interface JournalRecord {
  /** Who made the batch: up to 64 printable ASCII characters. */
  readonly run: string;
  /** Which of that run's batches it is, a safe integer from 1. */
  readonly number: number;
  /** How many events it holds, below 2^32. */
  readonly events: number;
  /** The rows as text without lone surrogates. */
  readonly rows: string;
}

/** What the head of a record says. */
export interface RecordHead extends Omit<JournalRecord, "rows"> {
  /** Length of the payload in bytes. */
  readonly payloadBytes: number;
  /** CRC-32 of the payload. */
  readonly payloadCrc: number;
}

/** Length of a head in bytes; the payload begins behind it. */
export const HEAD_BYTES = 96;
/** Length of what every head begins with, in bytes. */
export const MAGIC_BYTES = 4;

const MAGIC = 0xFF464A00; // .FJ. for "Firehouse journal"
const MAGIC_FIRST_BYTE = 0xFF;
const VERSION = 1;
const RUN_AT = 28, RUN_BYTES_MAX = 64, CRC_AT = 92;

const encoder = new TextEncoder();
// A record's text comes back as it was: a byte order mark is part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The two parts of a record, to be written one behind the other. @throws {RangeError} on misuse. */
export function encodeRecord(record: JournalRecord): { head: Uint8Array; payload: Uint8Array } {
  check(record);
  const head = new Uint8Array(HEAD_BYTES), view = new DataView(head.buffer);
  const payload = encoder.encode(record.rows);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setUint32(8, payload.length);
  view.setUint32(12, crc32(payload));
  view.setBigUint64(16, BigInt(record.number));
  view.setUint32(24, record.events);
  encoder.encodeInto(record.run, head.subarray(RUN_AT, CRC_AT));
  view.setUint32(CRC_AT, crc32(head.subarray(0, CRC_AT)));
  return { head, payload };
}

/** What {@linkcode HEAD_BYTES} bytes say; null if they are no intact head of a version known here. */
export function decodeHead(bytes: Uint8Array): RecordHead | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== VERSION) return null;
  if (view.getUint32(CRC_AT) !== crc32(bytes.subarray(0, CRC_AT))) return null;
  const run = bytes.subarray(RUN_AT, CRC_AT), runEnd = run.indexOf(0);
  return {
    run: decoder.decode(runEnd === -1 ? run : run.subarray(0, runEnd)),
    number: Number(view.getBigUint64(16)),
    events: view.getUint32(24),
    payloadBytes: view.getUint32(8),
    payloadCrc: view.getUint32(12),
  };
}

/** The record of an intact head and its payload. */
export function decodeRecord(head: RecordHead, payload: Uint8Array): JournalRecord {
  const { run, number, events } = head;
  return { run, number, events, rows: decoder.decode(payload) };
}

/** Where the first head may begin; -1 if nowhere. */
export function indexOfMagic(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = bytes.indexOf(MAGIC_FIRST_BYTE);
  while (at !== -1 && at + MAGIC_BYTES <= bytes.length) {
    if (view.getUint32(at) === MAGIC) return at;
    at = bytes.indexOf(MAGIC_FIRST_BYTE, at + 1);
  }
  return -1;
}

function check({ run, number, events }: JournalRecord): void {
  if (run.length > RUN_BYTES_MAX || !/^[\x20-\x7e]*$/.test(run)) {
    throw new RangeError(`A run is up to ${RUN_BYTES_MAX} ASCII characters: ${run}`);
  }
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new RangeError(`A batch number is a safe integer from 1: ${number}`);
  }
  if (events !== events >>> 0) {
    throw new RangeError(`A batch has fewer than 2^32 events: ${events}`);
  }
}
