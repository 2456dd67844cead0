/**
 * Undoes a Content-Encoding under a limit that is kept while inflating.
 *
 * A cut body must never pass for a whole one: an NDJSON body cut at a line end would be answered
 * with events missing. So each coding is undone by what was found to tell: see the comments, and
 * the test that tries every truncation.
 */

import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { decodedBytesMax } from "../decoded_limit.ts";
import type { Refusal } from "../errors.ts";
import { decompressZstd } from "./zstd.ts";

/** What this server accepts, as the value of an Accept-Encoding header. */
export const ACCEPTED_CODINGS = "gzip, deflate, br, zstd";

/**
 * The body with its coding undone, or why not.
 *
 * @param coding The Content-Encoding header.
 * @param bytesMax Most bytes after decoding.
 */
export function undoCoding(
  body: Uint8Array,
  coding: string,
  bytesMax: number,
): Uint8Array | Refusal {
  const undo = CODINGS.get(coding.trim().toLowerCase());
  if (undo === undefined) {
    return {
      code: "unsupported-coding",
      detail: `Expected a Content-Encoding among ${ACCEPTED_CODINGS}, one at a time.`,
      headers: { "accept-encoding": ACCEPTED_CODINGS },
    };
  }
  const limit = decodedBytesMax(body.length, bytesMax);
  try {
    return undo(body, limit);
  } catch (error) {
    return isOverLimit(error)
      ? { code: "decoded-too-large", detail: `Expected at most ${limit} bytes after decoding.` }
      : { code: "content-coding", detail: `The body is not one whole ${coding} stream.` };
  }
}

type Undo = (body: Uint8Array, bytesMax: number) => Uint8Array;

const CODINGS: ReadonlyMap<string, Undo> = new Map<string, Undo>([
  ["identity", (body) => body],
  ["gzip", undoGzip],
  ["x-gzip", undoGzip],
  ["deflate", undoDeflate],
  ["br", undoBrotli],
  ["zstd", decompressZstd],
]);

/** Joins several members (RFC 1952 §2.2) and refuses a cut one. */
function undoGzip(body: Uint8Array, bytesMax: number): Uint8Array {
  return wholeInput(body, (options) => gunzipSync(body, { ...options, maxOutputLength: bytesMax }));
}

/** Refuses a cut stream. */
function undoDeflate(body: Uint8Array, bytesMax: number): Uint8Array {
  return wholeInput(
    body,
    (options) => inflateSync(body, { ...options, maxOutputLength: bytesMax }),
  );
}

/** They stop without a word at bytes that are not theirs: so it is asked how much they took. */
function wholeInput(
  body: Uint8Array,
  undo: (options: { readonly info: boolean }) => unknown,
): Uint8Array {
  const { buffer, engine } = undo({ info: true }) as {
    buffer: Uint8Array;
    engine: { bytesWritten: number };
  };
  if (engine.bytesWritten !== body.length) throw new TypeError("bytes after the stream");
  return buffer;
}

/**
 * Takes a cut stream for a whole one. So it is given a byte too many: only after a whole stream is
 * that byte left.
 */
function undoBrotli(body: Uint8Array, bytesMax: number): Uint8Array {
  const padded = new Uint8Array(body.length + 1);
  padded.set(body);
  return wholeInput(
    body,
    (options) => brotliDecompressSync(padded, { ...options, maxOutputLength: bytesMax }),
  );
}

function isOverLimit(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
}
