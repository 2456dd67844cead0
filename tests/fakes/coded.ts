/** Bodies in every content coding, made so that cuts fall where they are hardest to see. */

import { Buffer } from "node:buffer";
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";

/** The codings, and how a body is put into each. */
export const CODINGS: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  gzip: (body) => bytes(gzipSync(body)),
  deflate: (body) => bytes(deflateSync(body)),
  br: (body) => bytes(brotliCompressSync(body)),
  zstd: (body) => bytes(zstdCompressSync(body)),
};

type Compressor = ReturnType<typeof createGzip>;

const STREAMS: Readonly<Record<string, () => Compressor>> = {
  gzip: createGzip,
  deflate: createDeflate,
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
};

/** The parts in one stream that is flushed after each, so that a cut can fall between parts. */
export async function flushed(coding: string, parts: Iterable<Uint8Array>): Promise<Uint8Array> {
  if (coding === "zstd") return zstdFrame([...parts].map((part) => ({ raw: part })));
  const stream = STREAMS[coding]?.();
  if (stream === undefined) throw new TypeError(`no coding ${coding}`);
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  const done = new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
  for (const part of parts) {
    await new Promise((resolve) => stream.write(part, resolve));
    await new Promise<void>((resolve) => stream.flush(resolve));
  }
  stream.end();
  await done;
  return bytes(Buffer.concat(chunks));
}

/** A body of a few KB that decodes to `mebibytes` MiB of zeros. */
export async function bomb(coding: string, mebibytes: number): Promise<Uint8Array> {
  if (coding === "zstd") {
    const block = { byte: 0, count: 128 * 1024 };
    return zstdFrame(Array(mebibytes * 8).fill(block), { windowLog: 17 });
  }
  const zeros = new Uint8Array(1024 * 1024);
  return await flushed(
    coding,
    (function* () {
      for (let i = 0; i < mebibytes; i++) yield zeros;
    })(),
  );
}

/** A block of a Zstandard frame: its bytes, or one byte many times over. */
export type ZstdBlock =
  | { readonly raw: Uint8Array }
  | { readonly byte: number; readonly count: number };

/** A Zstandard frame written by hand (RFC 8878 §3.1.1), without content size and checksum. */
export function zstdFrame(
  blocks: readonly ZstdBlock[],
  { windowLog = 20 }: { readonly windowLog?: number } = {},
): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3)];
  blocks.forEach((block, i) => {
    const isLast = i === blocks.length - 1 ? 1 : 0;
    const [type, size, content] = "raw" in block
      ? [0, block.raw.length, block.raw]
      : [1, block.count, Uint8Array.of(block.byte)];
    const header = isLast | type << 1 | size << 3;
    parts.push(Uint8Array.of(header, header >> 8, header >> 16), content);
  });
  return join(...parts);
}

/** A Zstandard frame with a checksum at its end. */
export function zstdChecksummed(body: Uint8Array): Uint8Array {
  return bytes(zstdCompressSync(body, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }));
}

/** Bytes one after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return bytes(Buffer.concat(parts));
}

function bytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer);
}
