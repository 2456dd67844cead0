/**
 * Undoes zstd (RFC 8878). Deno's own decoder checks what is in a frame and keeps limits, but it
 * takes a cut frame for a whole one and stops after the first: so the frames are found here, by the
 * lengths they carry, and decoded one by one.
 */

import { Buffer } from "node:buffer";
import { zstdDecompressSync } from "node:zlib";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50; // to 0x184d2a5f
/** Most frames a body: each costs a call of the decoder, however small it is. */
const FRAMES_MAX = 1000;
const RLE_BLOCK = 1, RESERVED_BLOCK = 3;

/**
 * The content of all frames.
 *
 * @param bytesMax Most bytes of it.
 * @throws {RangeError} with code `ERR_BUFFER_TOO_LARGE` if there are more.
 * @throws {Error} if the body is not one or more whole frames.
 */
export function decompressZstd(body: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const contents: Uint8Array[] = [];
  let length = 0;
  for (let at = 0, end; at < body.length || contents.length === 0; at = end) {
    const magic = view.getUint32(at, true);
    if (magic === FRAME_MAGIC) {
      if (contents.length === FRAMES_MAX) throw new Error("too many zstd frames");
      end = frameEnd(view, at);
      // A limit of 0 would mean none, so an empty rest is told from a full one by one byte more.
      const maxOutputLength = bytesMax - length + 1;
      const content = zstdDecompressSync(body.subarray(at, end), { maxOutputLength });
      length += content.length;
      if (length > bytesMax) throw tooLarge();
      contents.push(content);
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      end = at + 8 + view.getUint32(at + 4, true);
    } else throw new Error("not a zstd frame");
    if (end > body.length) throw new Error("a cut zstd frame");
  }
  return Buffer.concat(contents, length);
}

/** Where the frame that starts at `at` ends (RFC 8878 §3.1.1). Throws past the end of the view. */
function frameEnd(view: DataView, at: number): number {
  const descriptor = view.getUint8(at + 4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let next = at + 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes;
  for (let isLast = false; !isLast;) {
    const header = view.getUint16(next, true) | (view.getUint8(next + 2) << 16);
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) throw new Error("a reserved zstd block");
    isLast = (header & 1) === 1;
    next += 3 + (type === RLE_BLOCK ? 1 : header >> 3);
  }
  const hasChecksum = (descriptor & 4) !== 0;
  return next + (hasChecksum ? 4 : 0);
}

function tooLarge(): RangeError {
  return Object.assign(new RangeError("too much content"), { code: "ERR_BUFFER_TOO_LARGE" });
}
