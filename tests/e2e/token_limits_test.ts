/** Limits of a token: they hold for all that is sent with it, and for nothing else. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { CollectorProcess, event } from "./collector_process.ts";
import { type Answer, step } from "./expect.ts";
import { createTokens } from "./firehouse_command.ts";
import { SAMPLES, samples } from "./one_event.ts";
import { chunked, exchange, rawRequest } from "./raw_socket.ts";
import { query, storedCount } from "./rows.ts";
import { LINES, TempFolder } from "./sending.ts";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function lines(count: number): string {
  return Array.from({ length: count }, (_, i) => event(i)).join("\n");
}

async function sendLines(
  collector: CollectorProcess,
  token: string,
  body: string | Uint8Array<ArrayBuffer>,
  more: Record<string, string> = {},
): Promise<Answer> {
  return await collector.post("/events", new Blob([body]), { ...LINES, ...bearer(token), ...more });
}

/** The status, the code of the refusal, and what became of the events. */
function refusal({ status, text }: Answer): readonly unknown[] {
  const { type, stored } = JSON.parse(text);
  return [status, type.replace("/problems/", ""), stored];
}

function retryAfter({ headers }: Answer): number {
  const seconds = Number(headers.get("retry-after"));
  ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
  return seconds;
}

function bySource(database: string): Record<string, number> {
  const rows = query<{ source: string; n: bigint }>(
    database,
    "SELECT source, count(*) AS n FROM events GROUP BY source ORDER BY source",
  );
  return Object.fromEntries(rows.map(({ source, n }) => [source, Number(n)]));
}

const LIMITED = [429, "rate-limited", "none"], TOO_LARGE = [413, "body-too-large", "none"];

Deno.test("a token over its events a second is answered 429 and how long to wait, others go on", async () => {
  await using folder = new TempFolder();
  const { slow, free, reader } = await createTokens(folder.database, {
    slow: ["--events-per-second", "1"],
    free: [],
    reader: ["--scopes", "read"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  // Far more than it may send, which a full bucket lets through and which it owes from then on.
  equal((await sendLines(collector, slow, lines(1000))).status, 202);
  for (let i = 0; i < 20; i++) {
    const answer = await sendLines(collector, slow, lines(2));
    deepEqual(refusal(answer), LIMITED);
    equal(retryAfter(answer), 60, "it owes for a quarter of an hour");
    equal((await sendLines(collector, free, lines(50))).status, 202);
  }
  deepEqual(bySource(folder.database), { free: 1000, slow: 1000 });
  const stats = await fetch(`${collector.url}/stats`, { headers: bearer(reader) });
  const { received, accepted, rejected, residual, refused_requests } = await stats.json();
  deepEqual([received, accepted, rejected, residual], [2040, 2000, 40, 0]);
  deepEqual(refused_requests, { "rate-limited": 20 });
});

Deno.test("who waits as long as told is served", async () => {
  await using folder = new TempFolder();
  const { slow } = await createTokens(folder.database, { slow: ["--events-per-second", "20"] });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  let answer = await sendLines(collector, slow, lines(60));
  for (let i = 0; i < 9 && answer.status === 202; i++) {
    answer = await sendLines(collector, slow, lines(60));
  }
  deepEqual(refusal(answer), LIMITED);
  await new Promise((resolve) => setTimeout(resolve, retryAfter(answer) * 1000));
  answer = await sendLines(collector, slow, lines(60));
  equal(answer.status, 202, answer.text);
});

Deno.test("a token over its bytes a second is answered 429, others go on", async () => {
  await using folder = new TempFolder();
  const { slow, free } = await createTokens(folder.database, {
    slow: ["--bytes-per-second", "10"],
    free: [],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  equal((await sendLines(collector, slow, lines(100))).status, 202);
  const declared = await sendLines(collector, slow, lines(1));
  deepEqual(refusal(declared), LIMITED);
  retryAfter(declared);
  const answer = await exchange(
    collector.url,
    rawRequest("POST /events HTTP/1.1", [
      "host: localhost",
      "transfer-encoding: chunked",
      "content-type: application/x-ndjson",
      `authorization: Bearer ${slow}`,
    ], chunked(lines(1))),
  );
  ok(typeof answer === "object", String(answer));
  deepEqual(refusal(answer), LIMITED);
  equal((await sendLines(collector, free, lines(100))).status, 202);
  deepEqual(bySource(folder.database), { free: 100, slow: 100 });
});

Deno.test("a body larger than its token allows is 413, as sent: declared, in chunks, compressed", async () => {
  await using folder = new TempFolder();
  const body = lines(20), packed = new Uint8Array(gzipSync(body));
  const { small, free } = await createTokens(folder.database, {
    small: ["--body-bytes", String(packed.length)],
    free: [],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const gzip = { "content-encoding": "gzip" };
  deepEqual(refusal(await sendLines(collector, small, body)), TOO_LARGE);
  equal((await sendLines(collector, small, packed, gzip)).status, 202);
  const larger = new Uint8Array(gzipSync(body, { level: 1, memLevel: 1 }));
  ok(larger.length > packed.length);
  deepEqual(refusal(await sendLines(collector, small, larger, gzip)), TOO_LARGE);
  const inChunks = await exchange(
    collector.url,
    rawRequest("POST /events HTTP/1.1", [
      "host: localhost",
      "transfer-encoding: chunked",
      "content-type: application/x-ndjson",
      `authorization: Bearer ${small}`,
    ], chunked(body)),
  );
  ok(typeof inChunks === "object", String(inChunks));
  deepEqual(refusal(inChunks), TOO_LARGE);
  equal((await sendLines(collector, free, body)).status, 202);
  deepEqual(bySource(folder.database), { free: 20, small: 20 });
});

Deno.test("the limits hold for a token in the body too, as sent", async () => {
  await using folder = new TempFolder();
  const call = (key: string) =>
    `{"writeKey":"${key}",${SAMPLES.segment.request().body.slice(1, -1)},"x":"${"x".repeat(900)}"}`;
  const { slow, small, narrow } = await createTokens(folder.database, {
    slow: ["--events-per-second", "1"],
    small: ["--body-bytes", "500"],
    narrow: ["--bytes-per-second", "300"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const gzip = { "content-type": "application/json", "content-encoding": "gzip" };
  const send = async (body: string) => (await collector.post("/v1/track", body)).status;
  const sendPacked = async (body: string) =>
    (await collector.post("/v1/track", new Blob([new Uint8Array(gzipSync(body))]), gzip)).status;
  equal(await send(call(small)), 413);
  equal(await sendPacked(call(small)), 200);
  // Packed it is a third of what it may send in a second, unpacked three times as much.
  equal(await sendPacked(call(narrow)), 200);
  equal(await sendPacked(call(narrow)), 200);
  const calls = Array(100).fill(SAMPLES.segment.request().body);
  const batch = `{"batch":[${calls}],"writeKey":"${slow}"}`;
  equal((await collector.post("/v1/batch", batch)).status, 200);
  equal(await send(call(slow)), 429);
  deepEqual(bySource(folder.database), { narrow: 2, slow: 100, small: 1 });
});

/** How each protocol answers who is over a limit: status, and the longest it may tell to wait. */
const OVER = {
  native: [429, 60],
  segment: [429, 5],
  otlp: [429, 3],
  cloudevents: [429, 5],
  splunk: [503, 5], // code 9, server is busy: HEC has no other that clients send again after
  posthog: [503, 30], // browsers drop what is answered 429
  tinybird: [429, 5],
} as const;

Deno.test("each protocol tells who is over a limit to wait, and no longer than its clients do", async (t) => {
  await using folder = new TempFolder();
  const { slow } = await createTokens(folder.database, { slow: ["--events-per-second", "1"] });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  equal((await sendLines(collector, slow, lines(1000))).status, 202);
  for (const [protocol, { request, places }] of samples()) {
    await step(t, protocol, async () => {
      const { path, headers, body } = places["Bearer"]?.(slow, request()) ?? request();
      const answer = await collector.post(path, new Blob([body]), { ...headers });
      const [status, longest] = OVER[protocol];
      equal(answer.status, status, answer.text);
      ok(retryAfter(answer) <= longest);
    });
  }
  equal(storedCount(folder.database), 1000);
});

Deno.test("two equal Content-Length headers do not hide how long a body is", async () => {
  await using folder = new TempFolder();
  const { small } = await createTokens(`${folder.path}/events.db`, {
    small: ["--body-bytes", "500"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const body = lines(20), length = `content-length: ${body.length}\r\n`;
  const head = `POST /events HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
    `content-type: application/x-ndjson\r\nauthorization: Bearer ${small}\r\n${length}${length}\r\n`;
  const answer = await exchange(collector.url, head + body);
  equal(typeof answer === "string" ? answer : answer.status, 413);
});
