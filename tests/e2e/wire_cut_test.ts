/** Connections that end, hide or withhold something in the middle of a request (B08, B21, B29). */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, assertAccount, type Code, problem, step } from "./expect.ts";
import { chunked, exchange, type RawOutcome, rawRequest, RawSocket } from "./raw_socket.ts";

const HOST = "Host: 127.0.0.1";
const JSON_TYPE = "Content-Type: application/json";
const LINES_TYPE = "Content-Type: application/x-ndjson";
const GET_LIVE = rawRequest("GET /livez HTTP/1.1", [HOST]);
const LINES = `${event("first", 1)}\n${event("second", 2)}\n`;
const CUTS_AT_ONCE = 25;
const BURSTS_MAX = 1000;

const BY_LENGTH = rawRequest(
  "POST /events HTTP/1.1",
  [HOST, LINES_TYPE, `Content-Length: ${LINES.length}`],
  LINES,
);
const BY_CHUNKS = rawRequest(
  "POST /events HTTP/1.1",
  [HOST, LINES_TYPE, "Transfer-Encoding: chunked"],
  // one line a chunk, so that a cut between the chunks leaves whole lines
  chunked(`${event("first", 1)}\n`).replace("0\r\n\r\n", chunked(`${event("second", 2)}\n`)),
);

/** Every proper, not empty beginning of `request`, given to `visit`, some at once. */
async function everyCut(request: string, visit: (cut: string) => Promise<void>): Promise<void> {
  for (let from = 1; from < request.length; from += CUTS_AT_ONCE) {
    const ends = Array.from({ length: CUTS_AT_ONCE }, (_, i) => from + i);
    await Promise.all(
      ends.filter((end) => end < request.length).map((end) => visit(request.slice(0, end))),
    );
  }
}

/** Names what came back: the connection's end, the runtime's answer, or the code of ours. */
function nameOf(outcome: RawOutcome): string {
  if (typeof outcome === "string") return outcome;
  return outcome.text === "" ? `bare ${outcome.status}` : problem(outcome, "body-incomplete").type;
}

for (const [kind, request] of [["by length", BY_LENGTH], ["by chunks", BY_CHUNKS]] as const) {
  Deno.test(`cut: FIN at every byte of a request ${kind} stores nothing`, async () => {
    await using collector = await CollectorProcess.start();
    const headLength = request.indexOf("\r\n\r\n") + 4;
    const inHead = new Set<string>(), inBody = new Set<string>();
    await everyCut(request, async (cut) => {
      using socket = await RawSocket.connect(collector.url);
      await socket.send(cut);
      await socket.finish();
      (cut.length < headLength ? inHead : inBody).add(nameOf(await socket.answer()));
    });
    deepEqual([...inHead], ["closed"]);
    deepEqual([...inBody], ["/problems/body-incomplete"]);
    await assertAccount(collector, 0);
    accepted(await exchange(collector.url, request));
    await assertAccount(collector, 2);
  });

  Deno.test(`cut: RST at every byte of a request ${kind} stores nothing`, async () => {
    await using collector = await CollectorProcess.start();
    await everyCut(request, async (cut) => {
      using socket = await RawSocket.connect(collector.url);
      await socket.send(GET_LIVE);
      await socket.readOneByte(); // the rest stays unread, which makes closing send RST
      await socket.send(cut);
    });
    await assertAccount(collector, 0);
    accepted(await exchange(collector.url, request));
    await assertAccount(collector, 2);
  });
}

Deno.test("cut: an event whose sender left before the answer is stored once", async () => {
  await using collector = await CollectorProcess.start();
  for (let sent = 0; sent < 20; sent++) {
    using socket = await RawSocket.connect(collector.url);
    await socket.send(BY_LENGTH);
  }
  await collector.until((stats) => (stats.accepted ?? 0) >= 40);
  await assertAccount(collector, 40);
});

const HIDDEN = rawRequest(
  "POST /event HTTP/1.1",
  [HOST, JSON_TYPE, `Content-Length: ${event("hidden").length}`],
  event("hidden"),
);

const HIDING: readonly (readonly [name: string, request: string, code: Code])[] = [
  [
    "behind a declared length that is refused",
    rawRequest("POST /event HTTP/1.1", [HOST, JSON_TYPE, "Content-Length: 2000000"], HIDDEN),
    "body-too-large",
  ],
  [
    "behind a media type that is refused",
    rawRequest("POST /event HTTP/1.1", [HOST, `Content-Length: ${HIDDEN.length}`], HIDDEN),
    "unsupported-type",
  ],
  [
    "behind a path that is not served",
    rawRequest("POST /nowhere HTTP/1.1", [HOST, `Content-Length: ${HIDDEN.length}`], HIDDEN),
    "not-found",
  ],
  [
    "in the chunked body of a GET",
    rawRequest("GET /event HTTP/1.1", [HOST, "Transfer-Encoding: chunked"], chunked(HIDDEN)),
    "method",
  ],
  [
    "in a body that is read and is not JSON",
    rawRequest(
      "POST /event HTTP/1.1",
      [HOST, JSON_TYPE, `Content-Length: ${HIDDEN.length}`],
      HIDDEN,
    ),
    "malformed-json",
  ],
];

Deno.test("hidden: a request in the body of another one is never executed", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const [name, request, code] of HIDING) {
    await step(t, name, async () => {
      using socket = await RawSocket.connect(collector.url);
      await socket.send(request);
      problem(await socket.answer(), code);
      await socket.finish();
      equal(await socket.answer(), "closed"); // no second answer
    });
  }
  await assertAccount(collector, 0);
});

Deno.test("hidden: pipelined requests are answered in their order", async () => {
  await using collector = await CollectorProcess.start();
  using socket = await RawSocket.connect(collector.url);
  await socket.send(BY_LENGTH + GET_LIVE + BY_CHUNKS + rawRequest("GET /nowhere HTTP/1.1", [HOST]));
  accepted(await socket.answer());
  const alive = await socket.answer();
  equal(typeof alive === "object" && alive.status, 200);
  accepted(await socket.answer());
  problem(await socket.answer(), "not-found");
  await assertAccount(collector, 4);
});

Deno.test("idle: 300 connections that say nothing, or half a head, do not hinder", async () => {
  await using collector = await CollectorProcess.start();
  using idle = new DisposableStack();
  for (let opened = 0; opened < 300; opened++) {
    const socket = idle.use(await RawSocket.connect(collector.url));
    if (opened % 3 === 1) await socket.send(BY_LENGTH.slice(0, 60));
    if (opened % 3 === 2) {
      await socket.send(GET_LIVE);
      ok(typeof await socket.answer() === "object");
    }
  }
  for (let sent = 0; sent < 100; sent++) accepted(await exchange(collector.url, BY_LENGTH));
  await assertAccount(collector, 200);
});

Deno.test("idle: a client that never reads its answers does not hinder others", async () => {
  await using collector = await CollectorProcess.start();
  using socket = await RawSocket.connect(collector.url);
  const flood = rawRequest("GET / HTTP/1.1", [HOST]).repeat(200); // its answer is the longest
  let bursts = 0, isStuck = false;
  const sending = (async () => {
    while (bursts < BURSTS_MAX && await socket.send(flood)) bursts++;
  })();
  while (!isStuck) { // until a burst takes longer than 100 rounds of another client
    const before = bursts;
    for (let sent = 0; sent < 50; sent++) accepted(await exchange(collector.url, BY_LENGTH));
    isStuck = bursts === before;
  }
  ok(bursts < BURSTS_MAX, "the writes never stalled: the test shows nothing");
  const { accepted: stored = NaN } = await collector.settled();
  await assertAccount(collector, stored);
  socket[Symbol.dispose]();
  await sending;
});
