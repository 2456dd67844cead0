/** What a body says of itself: media types and content codings (B30–B37). */

import { strictEqual as equal } from "node:assert/strict";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, anyProblem, assertAccount, problem, step } from "./expect.ts";

const EVENT = event("typed");
const BYTES = new TextEncoder().encode(EVENT);
const ONE = "application/json, text/plain";
const MANY =
  "application/json, application/x-ndjson, application/ndjson, application/jsonl, text/plain";

const REFUSED_TYPES = [
  "",
  "text/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "application/json; charset=latin1",
  'application/json; charset="utf-16"',
  "application/json, text/plain",
  "application/jsonx",
  "*/*",
  ";",
  // Names that every object of JavaScript has.
  "toString",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "__proto__",
  "__defineGetter__",
];

Deno.test("type: what is not JSON in UTF-8 is 415, and Accept-Post says what is", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const type of [null, ...REFUSED_TYPES]) {
    await step(t, type ?? "none", async () => {
      for (const [path, types] of [["/event", ONE], ["/events", MANY]] as const) {
        const headers: Record<string, string> = type === null ? {} : { "content-type": type };
        const answer = await collector.post(path, BYTES, headers);
        problem(answer, "unsupported-type");
        equal(answer.headers.get("accept-post"), types);
      }
    });
  }
  await assertAccount(collector, 0);
});

Deno.test("type: `constructor` is no media type, and what comes after it is still stored", async () => {
  await using collector = await CollectorProcess.start();
  problem(
    await collector.post("/event", BYTES, { "content-type": "constructor" }),
    "unsupported-type",
  );
  accepted(await collector.post("/event", EVENT));
  await collector.until((stats) => stats.committed === 1, 5000);
  await assertAccount(collector, 1);
});

const ACCEPTED_TYPES = [
  "application/json",
  "Application/JSON",
  'Application/JSON; Charset="UTF-8"',
  "application/json;charset=utf-8",
  "application/json ; charset=utf8",
  "application/json; a=b; charset=UTF-8",
  "application/json;",
];

Deno.test("type: JSON in UTF-8 is accepted however it is written", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const type of ACCEPTED_TYPES) {
    await step(t, type, async () => {
      accepted(await collector.post("/event", BYTES, { "content-type": type }));
    });
  }
  const lines = ["application/x-ndjson", "application/ndjson", "application/JSONL; charset=utf-8"];
  for (const type of lines) {
    accepted(await collector.post("/events", BYTES, { "content-type": type }));
    problem(await collector.post("/event", BYTES, { "content-type": type }), "unsupported-type");
  }
  await assertAccount(collector, ACCEPTED_TYPES.length + lines.length);
});

type Pack = (bytes: Uint8Array) => Uint8Array;
const CODINGS: Readonly<Record<string, Pack>> = {
  gzip: (bytes) => gzipSync(bytes),
  "x-gzip": (bytes) => gzipSync(bytes),
  GZIP: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};

function postPacked(
  collector: CollectorProcess,
  coding: string,
  body: Uint8Array,
): ReturnType<CollectorProcess["post"]> {
  const headers = { "content-type": "application/x-ndjson", "content-encoding": coding };
  return collector.post("/events", new Uint8Array(body), headers);
}

for (const [coding, pack] of Object.entries(CODINGS)) {
  Deno.test(`coding: ${coding} is undone, and only a whole stream is`, async () => {
    await using collector = await CollectorProcess.start();
    const lines = `${event(1)}\n${event(2)}\n`;
    const packed = pack(new TextEncoder().encode(lines));
    accepted(await postPacked(collector, coding, packed));
    equal(anyProblem(await postPacked(collector, coding, packed.subarray(0, 0))).status, 400);
    for (let length = 1; length < packed.length; length++) {
      const answer = await postPacked(collector, coding, packed.subarray(0, length));
      problem(answer, "content-coding");
    }
    problem(
      await postPacked(collector, coding, new Uint8Array([...packed, 120])),
      "content-coding",
    );
    problem(await postPacked(collector, coding, BYTES), "content-coding");
    problem(await collector.post("/event", new Uint8Array(packed)), "invalid-utf8");
    await assertAccount(collector, 2);
  });

  Deno.test(`coding: a bomb of ${coding} is refused at the limit`, async () => {
    await using collector = await CollectorProcess.start();
    const bomb = pack(new Uint8Array(64 << 20).fill(32));
    problem(await postPacked(collector, coding, bomb), "decoded-too-large");
    await assertAccount(collector, 0);
  });
}

Deno.test("coding: others are 415, and Accept-Encoding says which are not", async (t) => {
  await using collector = await CollectorProcess.start();
  const refused = ["compress", "gzip, gzip", "gzip, identity", "utf-8", "constructor", "__proto__"];
  for (const coding of refused) {
    await step(t, coding, async () => {
      const answer = await postPacked(collector, coding, gzipSync(BYTES));
      problem(answer, "unsupported-coding");
      equal(answer.headers.get("accept-encoding"), "gzip, deflate, br, zstd");
    });
  }
  problem(await postPacked(collector, "deflate", deflateRawSync(BYTES)), "content-coding");
  accepted(await postPacked(collector, "identity", BYTES));
  await assertAccount(collector, 1);
});
