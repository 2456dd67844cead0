/** Small bodies made to cost much: each must be answered soon, and the collector live on. */

import { ok } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, anyProblem, assertAccount } from "./expect.ts";

const ANSWER_MS_MAX = 3000;
const PEAK_MIB_MAX = 400;

interface Hostile {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly coding?: string;
}

/** A zstd frame (RFC 8878 §3.1.1) of one raw block that declares a window of 2^`windowLog` bytes. */
function zstdFrame(content: string, windowLog: number): Uint8Array<ArrayBuffer> {
  const block = content.length << 3 | 1; // the last one, raw
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0, windowLog - 10 << 3];
  const bytes = [...head, block & 255, block >> 8 & 255, block >> 16 & 255];
  return new Uint8Array([...bytes, ...new TextEncoder().encode(content)]);
}

function gzip(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(text));
}

const MIB = 1024 * 1024;
const LINES = "application/x-ndjson";
const HOSTILE: Readonly<Record<string, Hostile>> = {
  "a body of line ends": { body: "\n".repeat(MIB), type: LINES },
  "8 MiB of line ends, packed": { body: gzip("\n".repeat(8 * MIB)), type: LINES, coding: "gzip" },
  "lines of spaces": { body: `${" ".repeat(15)}\n`.repeat(MIB / 16), type: LINES },
  "a user_id of 8 million digits, packed": {
    body: gzip(event(1).replace("1", "9".repeat(8_000_000))),
    coding: "gzip",
  },
  "a key of 8 MB, packed": { body: gzip(`{"${"k".repeat(8_000_000)}":1}`), coding: "gzip" },
  "a string of escaped quotes": { body: `{"a":"${'\\"'.repeat(MIB / 3)}"}` },
  "a string of backslashes": { body: `{"a":"${"\\\\".repeat(MIB / 3)}"}` },
  "100,000 unknown members": { body: `{${'"k":1,'.repeat(100_000)}"k":1}` },
  "100,000 events that are numbers": { body: "1\n".repeat(100_000), type: LINES },
};

for (const [name, { body, type = "application/json", coding }] of Object.entries(HOSTILE)) {
  Deno.test(`cost: ${name} is refused within ${ANSWER_MS_MAX / 1000} s`, async () => {
    await using collector = await CollectorProcess.start();
    const headers = { "content-type": type, ...coding && { "content-encoding": coding } };
    const path = type === LINES ? "/events" : "/event";
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const response = await fetch(collector.url + path, { method: "POST", body, headers, signal });
    const { status, headers: answered } = response;
    anyProblem({ status, headers: answered, text: await response.text() });
    accepted(await collector.post("/event", event(1)));
    await assertAccount(collector, 1);
  });
}

Deno.test("cost: a zstd frame does not make the collector reserve the window it declares", async () => {
  await using collector = await CollectorProcess.start();
  const headers = { "content-type": "application/json", "content-encoding": "zstd" };
  accepted(await collector.post("/event", zstdFrame(event(1), 20), headers));
  for (const windowLog of [28, 30]) {
    anyProblem(await collector.post("/event", zstdFrame(event(1), windowLog), headers));
  }
  const cat = new Deno.Command("cat", { args: [`/proc/${collector.process.pid}/status`] });
  const status = new TextDecoder().decode((await cat.output()).stdout);
  const peakMib = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  ok(peakMib < PEAK_MIB_MAX, `its memory rose to ${peakMib} MiB`);
  await assertAccount(collector, 1);
});
