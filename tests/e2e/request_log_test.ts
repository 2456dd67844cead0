/** `--log-requests`: a line about each request, or about each that was refused. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { createToken } from "./firehouse_command.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { JSON_BODY, LINES, TempFolder } from "./sending.ts";

/** A line about a request. */
type Line = Readonly<Record<string, string | number | null>>;

/** The lines about requests that a collector has written as JSON. */
function lines(collector: CollectorProcess): Line[] {
  return collector.output.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line)).filter(({ message }) => message === "request");
}

function start(which: string, ...args: readonly string[]): Promise<CollectorProcess> {
  return CollectorProcess.start({
    args: ["--log-requests", which, "--log-format", "json", ...args],
  });
}

Deno.test("all: each request is a line with what an operator looks for", async () => {
  await using collector = await start("all");
  const body = event("good");
  await collector.post("/event?a=b", new Blob([body]));
  await collector.post("/v1/track", new Blob(["[]"]), { ...JSON_BODY, "x-request-id": "mine" });
  await (await fetch(`${collector.url}/nope%0d%0a?token=secret`)).body?.cancel();
  await (await fetch(`${collector.url}/livez`, { method: "HEAD" })).body?.cancel();
  equal(await collector.stop(), 0);
  const found = lines(collector);
  deepEqual(
    found.map(({ method, path, status, bytes, protocol }) => [
      ...[method, path, status],
      ...[bytes, protocol],
    ]),
    [
      ["POST", "/event", 202, body.length, "native"],
      ["POST", "/v1/track", 400, 2, "segment"],
      ["GET", "/nope%0d%0a", 404, null, null],
      ["HEAD", "/livez", 200, null, null],
    ],
  );
  const [good, refused, missing] = found;
  deepEqual([good?.remote, good?.request_id, good?.level], ["127.0.0.1", null, "info"]);
  ok(typeof good?.ms === "number" && good.ms > 0 && good.ms < 60_000, String(good?.ms));
  equal(refused?.request_id, "mine");
  match(String(missing?.request_id), /^[0-9a-f-]{36}$/);
  ok(!collector.output.includes("secret") && !collector.output.includes("a=b"));
});

Deno.test("refused: what is answered 4xx or 5xx is a line, what is accepted is not", async () => {
  await using collector = await start("refused");
  for (let i = 0; i < 3; i++) {
    await collector.post("/event", new Blob([event(i)]));
    await collector.post("/event", new Blob(["{"]));
  }
  equal(await collector.stop(), 0);
  deepEqual(lines(collector).map(({ status }) => status), [400, 400, 400]);
  const ids = lines(collector).map(({ request_id }) => request_id);
  equal(new Set(ids).size, 3);
});

Deno.test("refused: a flood of them is told in few lines, and counted", async () => {
  const FLOOD = 1000;
  await using collector = await start("refused");
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 10 }, async () => {
    for (let i = 0; i < FLOOD / 10; i++) await collector.post("/event", new Blob(["{"]));
  }));
  equal((await collector.stats()).refused_requests["malformed-json"], FLOOD);
  equal(await collector.stop(), 0);
  const told = lines(collector).length;
  const counted = [...collector.output.matchAll(/"(\d+) more requests were refused/g)];
  const leftOut = counted.reduce((sum, [, count]) => sum + Number(count), 0);
  equal(told + leftOut, FLOOD);
  const seconds = Math.ceil((performance.now() - startMs) / 1000) + 1;
  ok(told <= 100 * seconds, `${told} lines in ${seconds} s`);
});

Deno.test("none, the default: no request is a line", async () => {
  await using collector = await CollectorProcess.start();
  const { output } = collector;
  await collector.post("/event", new Blob([event(1)]));
  await collector.post("/event", new Blob(["{"]));
  await collector.stats();
  equal(collector.output, output);
});

Deno.test("no line shows a token, wherever the client put it, or ends where a client wants", async () => {
  await using folder = new TempFolder();
  const token = await createToken(folder.database, "web");
  const args = ["--log-requests", "all"];
  await using collector = await CollectorProcess.start({ folder: folder.path, args });
  await collector.post(`/event?token=${token}`, new Blob([event(1)]));
  await collector.post("/events", new Blob([event(2)]), {
    ...LINES,
    authorization: `Bearer ${token}`,
  });
  using socket = await RawSocket.connect(collector.url);
  const head = ["host: localhost", `user-agent: \x1b[2J`, "x-request-id: \x1b[2J", ""];
  await socket.send(rawRequest("GET /\x1b[31m\x9b\xe2\x80\xae HTTP/1.1", head));
  await socket.answer();
  equal(await collector.stop(), 0);
  const shown = collector.output.split("\n").filter((line) => line.startsWith("request "));
  ok(shown.length >= 2, collector.output);
  ok(!collector.output.includes(token));
  // deno-lint-ignore no-control-regex -- these control characters are the subject
  match(collector.output, /^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]*$/);
});
