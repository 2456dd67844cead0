/** Requests that are too long, too slow or too many for one connection (B08, B11, B12, B20–B29). */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, assertAccount, type Code, problem, step } from "./expect.ts";
import { exchange, type RawOutcome, rawRequest, RawSocket } from "./raw_socket.ts";

const EVENT = event("limits");
const POST = "POST /event HTTP/1.1";
const HOST = "Host: 127.0.0.1";
const JSON_TYPE = "Content-Type: application/json";
const LENGTH = `Content-Length: ${EVENT.length}`;
const VALID = rawRequest(POST, [HOST, JSON_TYPE, LENGTH], EVENT);
const BODY_BYTES_MAX = 1 << 20;
const BODY_TIMEOUT_MS = 500;
const DRIBBLE_MS = 20;

function startImpatient(): Promise<CollectorProcess> {
  return CollectorProcess.start({ args: ["--body-timeout-ms", String(BODY_TIMEOUT_MS)] });
}

/** Sends a request piece by piece for as long as there is no answer. */
async function dribble(
  socket: RawSocket,
  pieces: Iterable<string>,
  pauseMs: number,
): Promise<RawOutcome> {
  let isAnswered = false;
  const reading = socket.answer().finally(() => isAnswered = true);
  for (const piece of pieces) {
    if (isAnswered || !await socket.send(piece)) break;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return await reading;
}

const TOO_LONG: readonly (readonly [name: string, request: string, code: Code])[] = [
  [
    "a URL over 8 KiB",
    rawRequest(`POST /event?${"x".repeat(8200)} HTTP/1.1`, [HOST, JSON_TYPE, LENGTH], EVENT),
    "uri-too-long",
  ],
  [
    "a media type of 9 KiB",
    rawRequest(POST, [HOST, `Content-Type: ${"x".repeat(9216)}`, LENGTH], EVENT),
    "headers-too-large",
  ],
  [
    "a known media type with a parameter of 9 KiB",
    rawRequest(POST, [HOST, `${JSON_TYPE};a=${"x".repeat(9216)}`, LENGTH], EVENT),
    "headers-too-large",
  ],
  [
    "a content coding of 9 KiB",
    rawRequest(POST, [HOST, JSON_TYPE, `Content-Encoding: ${"x".repeat(9216)}`, LENGTH], EVENT),
    "headers-too-large",
  ],
  ["no body and no length", rawRequest(POST, [HOST, JSON_TYPE]), "empty-body"],
  ["a length of 0", rawRequest(POST, [HOST, JSON_TYPE, "Content-Length: 0"]), "empty-body"],
  [
    "no chunk but the last",
    rawRequest(POST, [HOST, JSON_TYPE, "Transfer-Encoding: chunked"], "0\r\n\r\n"),
    "empty-body",
  ],
];

Deno.test("limits: heads too long and bodies too short are refused by name", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const [name, request, code] of TOO_LONG) {
    await step(t, name, async () => {
      problem(await exchange(collector.url, request), code);
    });
  }
  accepted(await exchange(collector.url, VALID));
  await assertAccount(collector, 1);
});

Deno.test("limits: a declared length over the limit is refused before one byte of it is sent", async () => {
  await using collector = await CollectorProcess.start();
  for (const length of [BODY_BYTES_MAX + 1, Number.MAX_SAFE_INTEGER]) {
    const answer = await exchange(
      collector.url,
      rawRequest(POST, [HOST, JSON_TYPE, `Content-Length: ${length}`]),
    );
    problem(answer, "body-too-large");
    ok(typeof answer === "object" && answer.headers.get("connection")?.startsWith("close"));
  }
  await assertAccount(collector, 0);
});

/** Events of NDJSON that take `size` bytes in all. */
function linesOf(events: number, size: number): string {
  const bytes = Math.floor(size / events) - event("").length - 1;
  const lines = Array.from({ length: events - 1 }, () => event("x".repeat(bytes)) + "\n").join("");
  return lines + event("x".repeat(size - lines.length - event("").length));
}

Deno.test("limits: a body of exactly the limit is read, one byte more is not", async () => {
  await using collector = await CollectorProcess.start();
  const headers = { "content-type": "application/x-ndjson" };
  for (const isChunked of [false, true]) {
    const [whole, over] = [BODY_BYTES_MAX, BODY_BYTES_MAX + 1].map((size) => {
      const body = linesOf(8, size);
      return isChunked ? new Blob([body]).stream() : body;
    }) as [BodyInit, BodyInit];
    accepted(await collector.post("/events", whole, headers));
    problem(await collector.post("/events", over, headers), "body-too-large");
  }
  await assertAccount(collector, 16);
});

Deno.test("limits: an endless chunked body is refused where it passes the limit", async () => {
  await using collector = await CollectorProcess.start();
  using socket = await RawSocket.connect(collector.url);
  await socket.send(rawRequest(POST, [HOST, JSON_TYPE, "Transfer-Encoding: chunked"]));
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  problem(await dribble(socket, Array(1000).fill(chunk), 0), "body-too-large");
  await assertAccount(collector, 0); // nothing is in flight although the upload was never ended
});

Deno.test("limits: a body that dribbles past the deadline is 408, also when it goes on for ever", async (t) => {
  await using collector = await startImpatient();
  const head = rawRequest(POST, [HOST, JSON_TYPE, "Content-Length: 1000"]);
  const chunkedHead = rawRequest(POST, [HOST, JSON_TYPE, "Transfer-Encoding: chunked"]);
  const cases: [name: string, pieces: string[]][] = [
    ["byte by byte", [head, ...Array(900).fill(" ")]],
    ["chunk by chunk", [chunkedHead, ...Array(900).fill("1\r\n \r\n")]],
    ["an event, then silence", [head + EVENT]],
    ["a chunk with an event, then silence", [
      `${chunkedHead}${EVENT.length.toString(16)}\r\n${EVENT}\r\n`,
    ]],
    ["nothing at all", [head]],
  ];
  for (const [name, pieces] of cases) {
    await step(t, name, async () => {
      using socket = await RawSocket.connect(collector.url);
      const startMs = performance.now();
      const answer = await dribble(socket, pieces, DRIBBLE_MS);
      problem(answer, "body-timeout");
      ok(performance.now() - startMs < BODY_TIMEOUT_MS * 4);
      ok(typeof answer === "object" && answer.headers.get("connection")?.startsWith("close"));
    });
  }
  await assertAccount(collector, 0);
});

Deno.test("limits: a body that timed out counts as in flight until the client is gone", async () => {
  await using collector = await startImpatient();
  {
    using socket = await RawSocket.connect(collector.url);
    await socket.send(rawRequest(POST, [HOST, JSON_TYPE, "Content-Length: 1000"], EVENT));
    problem(await socket.answer(), "body-timeout");
    equal((await collector.stats()).bodies_in_flight, 1);
  }
  await assertAccount(collector, 0);
});

Deno.test("limits: a request sent one byte at a time is whole in the end", async () => {
  await using collector = await CollectorProcess.start();
  using socket = await RawSocket.connect(collector.url);
  accepted(await dribble(socket, VALID, 0));
  const body = event("é 漢 😀", 2); // characters split between the pieces
  const bytes = new TextEncoder().encode(body);
  const lines = [HOST, JSON_TYPE, `Content-Length: ${bytes.length}`];
  await socket.send(rawRequest(POST, lines));
  accepted(await dribble(socket, Array.from(bytes, (byte) => String.fromCharCode(byte)), 0));
  await assertAccount(collector, 2);
});

Deno.test("limits: Expect: 100-continue is answered 100, then as usual", async () => {
  await using collector = await CollectorProcess.start();
  for (
    const [length, body, code] of [
      [EVENT.length, EVENT, null],
      [BODY_BYTES_MAX + 1, "", "body-too-large"],
    ] as const
  ) {
    using socket = await RawSocket.connect(collector.url);
    const lines = [HOST, JSON_TYPE, "Expect: 100-continue", `Content-Length: ${length}`];
    await socket.send(rawRequest(POST, lines));
    const interim = await socket.answer();
    deepEqual([typeof interim === "object" && interim.status], [100]);
    await socket.send(body);
    const answer = await socket.answer();
    if (code === null) accepted(answer);
    else problem(answer, code);
  }
  // Not refused with 417 (B27): an expectation nobody knows is not looked at.
  accepted(
    await exchange(collector.url, rawRequest(POST, [HOST, JSON_TYPE, "Expect: x", LENGTH], EVENT)),
  );
  await assertAccount(collector, 2);
});
