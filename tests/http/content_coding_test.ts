import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { ACCEPTED_CODINGS, undoCoding } from "../../lib/http/content_coding.ts";
import { bomb, CODINGS, flushed, join, zstdChecksummed, zstdFrame } from "../fakes/coded.ts";
import { CAN_MEASURE_PEAK, measurePeak } from "../fakes/peak_memory.ts";

const MIB = 1024 * 1024;
const LIMIT = 8 * MIB;
const encoder = new TextEncoder();
const LINES = Array.from(
  { length: 12 },
  (_, i) => encoder.encode(`{"user_id":${i},"é":"${i ** 9}"}\n`),
);
const TEXT = join(...LINES);

/** The decoded text, or the code of the refusal. */
async function outcome(body: Uint8Array, coding: string, bytesMax = LIMIT): Promise<string> {
  const result = await undoCoding(body, coding, bytesMax);
  return "code" in result ? result.code : new TextDecoder().decode(result);
}

const WHOLE = new TextDecoder().decode(TEXT);

/** Bodies of every coding that decode to TEXT, each made in another way. */
async function wholeBodies(): Promise<[coding: string, body: Uint8Array][]> {
  const bodies: [string, Uint8Array][] = [
    ["gzip", new Uint8Array(gzipSync(TEXT, { level: 0 }))],
    ["deflate", new Uint8Array(deflateSync(TEXT, { level: 0 }))],
    ["zstd", zstdChecksummed(TEXT)],
  ];
  for (const [coding, encode] of Object.entries(CODINGS)) {
    bodies.push([coding, encode(TEXT)], [coding, await flushed(coding, LINES)]);
  }
  return bodies;
}

Deno.test("a whole body is decoded whole, in every coding", async () => {
  for (const [coding, body] of await wholeBodies()) {
    equal(await outcome(body, coding), WHOLE, coding);
  }
  for (const [coding, encode] of Object.entries(CODINGS)) {
    equal(await outcome(encode(new Uint8Array()), coding), "", coding);
    const large = crypto.getRandomValues(new Uint8Array(60_000));
    const text = join(large, new Uint8Array(MIB), large);
    deepEqual(new Uint8Array(await undoCoding(encode(text), coding, LIMIT) as Uint8Array), text);
  }
});

Deno.test("a coding is known in any case, with spaces around, and x-gzip is gzip", async () => {
  const gzip = CODINGS.gzip?.(TEXT) ?? TEXT;
  for (const coding of ["GZIP", " gzip\t", "x-gzip", "X-GZip"]) {
    equal(await outcome(gzip, coding), WHOLE, coding);
  }
  equal(await outcome(TEXT, "identity"), WHOLE);
});

Deno.test("a coding that is not known, and more than one, is refused with those accepted", async () => {
  const twice = ["gzip, gzip", "gzip,br", "identity, gzip"];
  for (const coding of ["", "compress", "lz4", "constructor", "__proto__", ...twice, "gzip;q=1"]) {
    const result = await undoCoding(TEXT, coding, LIMIT);
    ok("code" in result, coding);
    equal(result.code, "unsupported-coding");
    deepEqual(result.headers, { "accept-encoding": ACCEPTED_CODINGS });
  }
});

Deno.test("every truncation of a body is refused, in every coding", async () => {
  for (const [coding, body] of await wholeBodies()) {
    for (let end = 1; end < body.length; end++) {
      const result = await outcome(body.subarray(0, end), coding);
      equal(result, "content-coding", `${coding} cut to ${end} of ${body.length} bytes`);
    }
  }
});

Deno.test("no bytes at all are no whole stream, in every coding", async () => {
  for (const coding of Object.keys(CODINGS)) {
    equal(await outcome(new Uint8Array(), coding), "content-coding", coding);
  }
});

Deno.test("two streams in one body are decoded whole or refused, and refused when cut", async () => {
  for (const [coding, body] of await wholeBodies()) {
    const two = join(body, body);
    const result = await outcome(two, coding);
    if (result !== WHOLE + WHOLE) equal(result, "content-coding", coding);
    for (let end = body.length + 1; end < two.length; end++) {
      const result = await outcome(two.subarray(0, end), coding);
      equal(result, "content-coding", `${coding} cut to ${end - body.length} of the second`);
    }
  }
});

Deno.test("bytes after the end are refused", async () => {
  const trailing = [[0], [1], [10], [0, 0, 1], [0x1f], [0x1f, 0x8b], [0x28, 0xb5], [0x78, 0x9c], [
    255,
  ]];
  for (const [coding, body] of await wholeBodies()) {
    for (const bytes of trailing) {
      const result = await outcome(join(body, Uint8Array.from(bytes)), coding);
      equal(result, "content-coding", `${coding} followed by ${bytes}`);
    }
  }
});

Deno.test("a gzip member behind padding is decoded or refused, not dropped", async () => {
  const member = CODINGS.gzip?.(TEXT) ?? TEXT;
  const result = await outcome(join(member, Uint8Array.of(0), member), "gzip");
  ok(result === WHOLE + WHOLE || result === "content-coding", "the second member was dropped");
});

Deno.test("a deflate stream without the zlib wrapper is refused", async () => {
  equal(await outcome(new Uint8Array(deflateRawSync(TEXT)), "deflate"), "content-coding");
});

Deno.test("a body that decodes to the limit is accepted, one byte more is too large", async () => {
  for (const [coding, body] of await wholeBodies()) {
    equal(await outcome(body, coding, TEXT.length), WHOLE, coding);
    equal(await outcome(body, coding, TEXT.length - 1), "decoded-too-large", coding);
  }
});

Deno.test("the limit holds for all streams of a body together", async () => {
  for (const coding of ["gzip", "zstd"]) {
    const body = CODINGS[coding]?.(TEXT) ?? TEXT;
    equal(await outcome(join(body, body), coding, 2 * TEXT.length), WHOLE + WHOLE, coding);
    equal(
      await outcome(join(body, body), coding, 2 * TEXT.length - 1),
      "decoded-too-large",
      coding,
    );
  }
});

for (const coding of Object.keys(CODINGS)) {
  Deno.test({
    name: `300 MB of zeros in ${coding} are cut off early`,
    ignore: !CAN_MEASURE_PEAK,
    fn: async () => {
      const body = await bomb(coding, 300);
      ok(body.length < MIB, `the bomb has ${body.length} bytes`);
      const { result, grownBytes, ms } = await measurePeak(() => outcome(body, coding));
      equal(result, "decoded-too-large");
      ok(grownBytes < 64 * MIB, `took ${Math.round(grownBytes / MIB)} MiB`);
      ok(ms < 1000, `took ${Math.round(ms)} ms`);
      const behind = join(CODINGS[coding]?.(TEXT) ?? TEXT, body);
      const second = await measurePeak(() => outcome(behind, coding));
      ok(["decoded-too-large", "content-coding"].includes(second.result), "a bomb behind a stream");
      ok(second.grownBytes < 64 * MIB, `took ${Math.round(second.grownBytes / MIB)} MiB`);
    },
  });
}

Deno.test({
  name: "a zstd frame of 14 bytes that asks for a window of 1 GiB does not get it",
  ignore: !CAN_MEASURE_PEAK,
  fn: async () => {
    const frame = zstdFrame([{ raw: encoder.encode("hello") }], { windowLog: 30 });
    const { result, grownBytes } = await measurePeak(() => outcome(frame, "zstd"));
    ok(["content-coding", "hello"].includes(result), result);
    ok(grownBytes < 64 * MIB, `took ${Math.round(grownBytes / MIB)} MiB`);
  },
});

Deno.test("a zstd frame with a window of 8 MiB is decoded, as RFC 9659 asks", async () => {
  equal(await outcome(zstdFrame([{ raw: TEXT }], { windowLog: 23 }), "zstd"), WHOLE);
});

Deno.test("a zstd frame of many small blocks takes a time that fits its size", async () => {
  const frame = zstdFrame(Array(5000).fill({ byte: 10, count: 1 }), { windowLog: 23 });
  const startMs = performance.now();
  equal(await outcome(frame, "zstd"), "\n".repeat(5000));
  const ms = performance.now() - startMs;
  ok(ms < 3000, `${frame.length} bytes took ${Math.round(ms)} ms`); // 1 MiB may hold 260,000 blocks
});

Deno.test("a zstd body whose checksum is wrong is refused, as one of gzip is", async () => {
  for (
    const [coding, body] of [["zstd", zstdChecksummed(TEXT)], [
      "gzip",
      CODINGS.gzip?.(TEXT),
    ]] as const
  ) {
    const broken = Uint8Array.from(body ?? []);
    const at = broken.length - (coding === "gzip" ? 8 : 4);
    broken[at] = (broken[at] ?? 0) ^ 1;
    equal(await outcome(broken, coding), "content-coding", coding);
  }
});

Deno.test("any bytes in any coding are answered, and gzip never with another text", async () => {
  const bodies = await wholeBodies();
  const coding = fc.constantFrom(...Object.keys(CODINGS));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), coding, async (body, coding) => {
      ok(await undoCoding(body, coding, 100_000));
    }),
    { numRuns: 500 },
  );
  const change = fc.record({
    of: fc.nat(bodies.length - 1),
    at: fc.nat(1000),
    byte: fc.nat(255),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ of, at, byte }) => {
      const [coding, body] = bodies[of] ?? ["gzip", TEXT];
      const changed = Uint8Array.from(body);
      // The first bytes of zstd name the window; the test above is about those.
      changed[coding === "zstd" ? 6 + at % (body.length - 6) : at % body.length] = byte;
      const result = await undoCoding(changed, coding, 100_000);
      if (coding === "gzip" && !("code" in result)) {
        equal(new TextDecoder().decode(result), WHOLE);
      }
    }),
    { numRuns: 1500 },
  );
});

Deno.test("a body of very many small zstd frames is refused", async () => {
  const frame = zstdCompressSync(new Uint8Array());
  const frames = new Uint8Array(frame.length * 1001);
  for (let i = 0; i < 1001; i++) frames.set(frame, i * frame.length);
  equal(await outcome(frames, "zstd"), "content-coding");
  equal(await outcome(frames.subarray(frame.length), "zstd"), "");
});
