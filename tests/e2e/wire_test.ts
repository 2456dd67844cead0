/**
 * Requests on the wire that are malformed, ambiguous or odd (B01–B19 of the catalogue). Some never
 * reach this program: the runtime answers them with a bare 400. Which ones is written down here,
 * since it changes with the runtime.
 */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, assertAccount, type Code, problem, step } from "./expect.ts";
import { chunked, rawRequest, RawSocket } from "./raw_socket.ts";

const EVENT = event("wire");
const SIZE = EVENT.length.toString(16);
const POST = "POST /event HTTP/1.1";
const HOST = "Host: 127.0.0.1";
const JSON_TYPE = "Content-Type: application/json";
const LENGTH = `Content-Length: ${EVENT.length}`;
const CHUNKED = "Transfer-Encoding: chunked";

/** What is to come back: a status of ours, a refusal of ours, or what the runtime does. */
type Outcome = 202 | 204 | Code | "bare 400" | "closed" | "bare 400 or closed";
type Case = readonly [name: string, bytes: string, outcome: Outcome, allow?: string | null];

/** One test over a table: each request on a connection of its own, all on one collector. */
function testWire(name: string, cases: readonly Case[]): void {
  Deno.test(`wire: ${name}`, async (t) => {
    await using collector = await CollectorProcess.start();
    for (const wireCase of cases) {
      await step(t, wireCase[0], () => runCase(collector, wireCase));
    }
    await assertAccount(collector, cases.filter(([, , outcome]) => outcome === 202).length);
  });
}

async function runCase(
  collector: CollectorProcess,
  [, bytes, outcome, allow = null]: Case,
): Promise<void> {
  const before = (await collector.stats()).accepted ?? NaN;
  using socket = await RawSocket.connect(collector.url);
  await socket.send(bytes);
  const answer = await socket.answer();
  if (outcome === "closed") equal(answer, "closed");
  else if (outcome === "bare 400 or closed" && answer === "closed") return;
  else if (typeof answer === "string") throw new Error(`expected ${outcome}, got: ${answer}`);
  else if (outcome === "bare 400" || outcome === "bare 400 or closed") {
    deepEqual([answer.status, answer.headers.get("content-type"), answer.text], [400, null, ""]);
    equal(await socket.answer(), "closed");
  } else {
    if (outcome === 202) accepted(answer);
    else if (outcome === 204) deepEqual([answer.status, answer.text], [204, ""]);
    else problem(answer, outcome);
    equal(answer.headers.get("allow"), allow);
  }
  equal((await collector.stats()).accepted, before + (outcome === 202 ? 1 : 0));
}

function withLines(...lines: string[]): string {
  return rawRequest(POST, [HOST, JSON_TYPE, ...lines], EVENT);
}

function withLength(value: string): Case {
  return [
    `Content-Length ${JSON.stringify(value)}`,
    withLines(`Content-Length: ${value}`),
    "bare 400",
  ];
}

testWire("a body whose length is told twice or not as a number is refused by the runtime", [
  ["CL.TE", rawRequest(POST, [HOST, JSON_TYPE, LENGTH, CHUNKED], chunked(EVENT)), "bare 400"],
  ["TE.CL", rawRequest(POST, [HOST, JSON_TYPE, CHUNKED, LENGTH], chunked(EVENT)), "bare 400"],
  ["two lengths", withLines(LENGTH, `Content-Length: ${EVENT.length + 1}`), "bare 400"],
  ...[`${EVENT.length}, ${EVENT.length}`, `+${EVENT.length}`, "-1", "0x5", "1e2", "", " "]
    .map(withLength),
  withLength("18446744073709551616"),
  ["leading zero", withLines(`Content-Length: 0${EVENT.length}`), 202],
  ["trailing tab", withLines(`${LENGTH}\t`), 202],
]);

testWire("two equal Content-Length headers are one", [
  ["within the limit", withLines(LENGTH, LENGTH), 202],
  [
    "over the limit: the second must not switch it off",
    rawRequest(
      POST,
      [HOST, JSON_TYPE, ...Array(2).fill(`Content-Length: ${2 << 20}`)],
      "x".repeat(2 << 20),
    ),
    "body-too-large",
  ],
]);

function withEncoding(value: string, outcome: Outcome): Case {
  const lines = [HOST, JSON_TYPE, `Transfer-Encoding: ${value}`];
  return [
    `Transfer-Encoding ${JSON.stringify(value)}`,
    rawRequest(POST, lines, chunked(EVENT)),
    outcome,
  ];
}

testWire("transfer codings other than chunked", [
  withEncoding("chunked", 202),
  withEncoding("CHUNKED", 202),
  withEncoding("gzip, chunked", 202), // the runtime undoes chunked and drops the rest unseen
  ...["xchunked", "chunked, chunked", "chunked, identity", "identity", "chunked;q=1", ""]
    .map((value) => withEncoding(value, "bare 400")),
  withEncoding("chunked\x0b", "bare 400"),
  withEncoding("\r\n chunked", "bare 400"),
  ["twice", rawRequest(POST, [HOST, JSON_TYPE, CHUNKED, CHUNKED], chunked(EVENT)), "bare 400"],
  [
    "HTTP/1.0",
    rawRequest("POST /event HTTP/1.0", [HOST, JSON_TYPE, CHUNKED], chunked(EVENT)),
    "bare 400",
  ],
]);

function withChunks(name: string, body: string, outcome: Outcome): Case {
  return [name, rawRequest(POST, [HOST, JSON_TYPE, CHUNKED], body), outcome];
}

testWire("chunks that are malformed end the connection without an answer", [
  withChunks("an extension is allowed", `${SIZE};a=b\r\n${EVENT}\r\n0\r\n\r\n`, 202),
  withChunks(
    "trailers are ignored",
    `${SIZE}\r\n${EVENT}\r\n0\r\nAuthorization: x\r\nContent-Length: 5\r\n\r\n`,
    202,
  ),
  withChunks("several chunks", [...EVENT].map((c) => `1\r\n${c}\r\n`).join("") + "0\r\n\r\n", 202),
  withChunks("size 0x…", `0x${SIZE}\r\n${EVENT}\r\n0\r\n\r\n`, "closed"),
  withChunks("negative size", `-${SIZE}\r\n${EVENT}\r\n0\r\n\r\n`, "closed"),
  withChunks("no size", `\r\n${EVENT}\r\n0\r\n\r\n`, "closed"),
  withChunks("size over 2^64", `1${SIZE.padStart(16, "0")}\r\n${EVENT}\r\n0\r\n\r\n`, "closed"),
  withChunks("bare LF after the size", `${SIZE}\n${EVENT}\r\n0\r\n\r\n`, "closed"),
  withChunks("bare LF after the data", `${SIZE}\r\n${EVENT}\n0\r\n\r\n`, "closed"),
  withChunks("no CRLF after the data", `${SIZE}\r\n${EVENT}0\r\n\r\n`, "closed"),
  withChunks(
    "4 KiB of extension",
    `${SIZE};${"e".repeat(4096)}\r\n${EVENT}\r\n0\r\n\r\n`,
    "body-incomplete",
  ),
]);

testWire("heads that are malformed", [
  ["bare CR line ends", withLines(LENGTH).replaceAll("\r\n", "\r"), "bare 400"],
  // Accepted by the runtime; harmless only without a proxy in front that disagrees.
  ["bare LF line ends", withLines(LENGTH).replaceAll("\r\n", "\n"), 202],
  ["space before the colon", withLines(LENGTH, "X-A : b"), "bare 400"],
  ["NUL in a value", withLines(LENGTH, "X-A: a\0b"), "bare 400"],
  ["a head over 64 KiB", withLines(`X-A: ${"a".repeat(70_000)}`, LENGTH), "bare 400 or closed"],
  ["200 header lines", withLines(...Array(200).fill("X-A: b"), LENGTH), "bare 400"],
]);

testWire("other versions, other protocols and noise", [
  [
    "HTTP/1.0 with a body",
    rawRequest("POST /event HTTP/1.0", [HOST, JSON_TYPE, LENGTH], EVENT),
    202,
  ],
  ["HTTP/9.9", rawRequest("POST /event HTTP/9.9", [HOST, JSON_TYPE, LENGTH], EVENT), "bare 400"],
  ["HTTP/0.9", "GET /stats\r\n", "bare 400"],
  ["a TLS hello", `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"\xab".repeat(64)}`, "bare 400"],
  ["random bytes", "\xde\xad\xbe\xef\x00\x01\xff\xfe\r\n\r\n", "bare 400"],
  ["a JSON event without HTTP", `${EVENT}\r\n\r\n`, "bare 400"],
]);

function withHost(value: string, outcome: Outcome): Case {
  return [
    `Host: ${value}`,
    rawRequest(POST, [`Host: ${value}`, JSON_TYPE, LENGTH], EVENT),
    outcome,
  ];
}

testWire("only the names of loopback are served, whatever they resolve to", [
  ...["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:9"].map((host) => withHost(host, 202)),
  ...[
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:80",
  ]
    .map((host) => withHost(host, "misdirected")),
  withHost("a b", "host"),
  withHost("127.0.0.1:99999", "host"),
  ["two Hosts", rawRequest(POST, [HOST, HOST, JSON_TYPE, LENGTH], EVENT), "bare 400"],
]);

// RFC 9112 §3.2 wants 400 for the first three. A handler cannot tell HTTP/1.1 without Host from
// HTTP/2, which has none, and a sender that bends its own path gains nothing by it.
testWire("a request without a usable Host is served as if it named the address", [
  ["no Host", rawRequest(POST, [JSON_TYPE, LENGTH], EVENT), 202],
  withHost("", 202),
  withHost("127.0.0.1/event?", 202),
  withHost("evil.example@127.0.0.1", "host"),
  withHost("127.0.0.1@evil.example", "host"),
]);

function target(startLine: string, outcome: Outcome, allow?: string): Case {
  const request = rawRequest(startLine, [HOST, JSON_TYPE, LENGTH], EVENT);
  return allow === undefined ? [startLine, request, outcome] : [startLine, request, outcome, allow];
}

testWire("targets in other forms, and what they are for", [
  target("POST http://127.0.0.1/event HTTP/1.1", 202),
  target("POST http://evil.example/event HTTP/1.1", "misdirected"),
  target("POST /event?a=b HTTP/1.1", 202),
  target("POST //evil.example/event HTTP/1.1", "not-found"),
  target("POST /%65vent HTTP/1.1", "not-found"),
  target("POST /event/ HTTP/1.1", "not-found"),
  target("POST /../../etc/passwd HTTP/1.1", "not-found"),
  target("POST event HTTP/1.1", "bare 400"),
  target("POST \\event HTTP/1.1", "bare 400"),
  target("OPTIONS * HTTP/1.1", "not-found"),
]);

const BARE = [HOST];

testWire("methods", [
  ...["GET", "PUT", "PATCH", "DELETE", "TRACE", "FOO", "M-SEARCH", "post"].map((method): Case => [
    `${method} /event`,
    rawRequest(`${method} /event HTTP/1.1`, BARE),
    "method",
    "POST, OPTIONS",
  ]),
  ...["POST", "DELETE", "TRACE", "FOO"].map((method): Case => [
    `${method} /stats`,
    rawRequest(`${method} /stats HTTP/1.1`, BARE),
    "method",
    "GET, HEAD, OPTIONS",
  ]),
  ["OPTIONS /event", rawRequest("OPTIONS /event HTTP/1.1", BARE), 204, "POST, OPTIONS"],
  ["OPTIONS /stats", rawRequest("OPTIONS /stats HTTP/1.1", BARE), 204, "GET, HEAD, OPTIONS"],
  ["CONNECT /event", rawRequest("CONNECT /event HTTP/1.1", BARE), "bare 400"],
  [
    "CONNECT with an authority",
    rawRequest("CONNECT 127.0.0.1:80 HTTP/1.1", BARE),
    "method",
    "GET, HEAD, OPTIONS",
  ],
  ["no method", rawRequest(" /event HTTP/1.1", BARE), "bare 400"],
  ["a method that is no token", rawRequest("G@T /event HTTP/1.1", BARE), "bare 400"],
]);
