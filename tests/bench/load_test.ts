import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { createServer } from "node:http";
import { checkAccounting } from "../../bench/load/accounting.ts";
import { deliver, makeBody, retryAfterMs, target } from "../../bench/load/client.ts";
import { readOptions } from "../../bench/load/options.ts";
import { bar } from "../../bench/load/progress.ts";
import { readSnapshot, type Snapshot } from "../../bench/load/snapshot.ts";
import { Tally } from "../../bench/load/tally.ts";

function snapshot(counters: Partial<Snapshot>): Snapshot {
  return {
    accepted: 0,
    committed: 0,
    dead_lettered: 0,
    dropped: 0,
    queued: 0,
    in_flight: 0,
    journaled: 0,
    residual: 0,
    started_at: "2026-11-24T11:03:40.123Z",
    ...counters,
  };
}

Deno.test("flags: defaults, a lone --, and a duration instead of a number of requests", () => {
  deepEqual(readOptions(["--"]), {
    kind: "run",
    options: {
      url: "http://127.0.0.1:8000",
      requests: 1000,
      concurrency: 200,
      batch: 1,
      rate: null,
      durationSeconds: null,
      timeoutMs: 10_000,
      ids: false,
      db: null,
      json: false,
    },
  });
  const command = readOptions(["--duration", "5", "--url=http://[::1]:81/", "--json"]);
  ok(command.kind === "run");
  equal(command.options.requests, null);
  equal(command.options.url, "http://[::1]:81");
  equal(command.options.json, true);
});

for (
  const [args, problem] of [
    [["--requests", "1e3"], /--requests must be an integer from 1/],
    [["--requests", "0"], /--requests must be an integer from 1/],
    [["--timeout"], /--timeout needs a value/],
    [["--json=yes"], /--json takes no value/],
    [["--ids=yes"], /--ids takes no value/],
    [["--ids", "--db"], /--db needs a value/],
    [["--db", "--ids"], /--db needs a value/],
    [["--db", "events.db"], /--db needs --ids/],
    [["--no-json"], /unknown flag --no-json/],
    [["-x"], /unknown flag -x/],
    [["now"], /unexpected argument "now"/],
    [["--url", "http://127.0.0.1:8000/event"], /--url must be like/],
    [["--url", "127.0.0.1:8000"], /--url must be like/],
    [["--requests", "5", "--duration", "5"], /exclude each other/],
  ] as const
) {
  Deno.test(`flags: ${args.join(" ")} is refused`, () => {
    const command = readOptions(args);
    ok(command.kind === "usage");
    equal(command.problems.length, 1);
    match(command.problems[0] ?? "", problem);
  });
}

Deno.test("events are about 150 bytes, one a line, and no two are the same", () => {
  const seen = new Set<string>();
  for (let client = 0; client < 3; client++) {
    for (const sequence of [0, 4]) {
      const source = { run: "mabc1234", client, sequence, events: 4, atMs: 0, ids: false };
      for (const line of makeBody(source).split("\n")) {
        const { metadata } = JSON.parse(line);
        equal(metadata.client, client);
        ok(line.length > 120 && line.length < 180, line);
        seen.add(line);
      }
    }
  }
  equal(seen.size, 24);
});

Deno.test("Retry-After is seconds or a date; anything else is none", () => {
  equal(retryAfterMs("3", 0), 3000);
  equal(retryAfterMs("Thu, 01 Jan 1970 00:00:09 GMT", 4000), 5000);
  equal(retryAfterMs("Thu, 01 Jan 1970 00:00:01 GMT", 4000), 0);
  equal(retryAfterMs("soon", 0), null);
  equal(retryAfterMs(null, 0), null);
});

Deno.test("a refusal is retried after its Retry-After, not past the patience or the end", async () => {
  const answers = [
    new Response("full", { status: 503, headers: { "retry-after": "0" } }),
    new Response("many", { status: 429, headers: { "retry-after": "0" } }),
    new Response(null, { status: 202 }),
    new Response("full", { status: 503, headers: { "retry-after": "121" } }),
    new Response("full", { status: 503 }),
    new Response("full", { status: 503, headers: { "retry-after": "100" } }),
    new Response("broken", { status: 500 }),
  ];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => answers.shift() ?? new Response(null, { status: 404 }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const to = target({ url, batch: 1, timeoutMs: 10_000 });
  const abort = new AbortController();
  let retries = 0, waiting = 0;
  const options = {
    dueMs: null,
    mayRepeat: false,
    signal: abort.signal,
    onRetry: () => retries++,
    onWaiting: (change: 1 | -1) => {
      waiting += change;
      if (answers.length === 1 && change === 1) abort.abort();
    },
  };
  equal((await deliver(to, "{}", options)).kind, "accepted");
  equal(retries, 2);
  deepEqual(await deliver(to, "{}", options), { kind: "failed", label: "503" });
  deepEqual(await deliver(to, "{}", options), { kind: "failed", label: "503" });
  deepEqual(await deliver(to, "{}", options), { kind: "cut-short" });
  deepEqual(await deliver(to, "{}", options), { kind: "unknown", label: "500" });
  equal(retries, 2);
  equal(waiting, 0);
});

Deno.test("a request whose connection breaks is sent once, and its outcome is unknown", async () => {
  let posts = 0;
  const server = createServer((request, response) => {
    posts++;
    request.resume().on("end", () => {
      if (posts > 1) request.socket.destroy();
      else response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  ok(address !== null && typeof address === "object");
  const url = `http://127.0.0.1:${address.port}`;
  const to = target({ url, batch: 1, timeoutMs: 10_000 });
  const { signal } = new AbortController();
  const nothing = () => {};
  const options = { dueMs: null, mayRepeat: false, signal, onRetry: nothing, onWaiting: nothing };
  equal((await deliver(to, "{}", options)).kind, "accepted");
  const broken = await deliver(to, "{}", options); // on the connection of the first
  deepEqual(broken, { kind: "unknown", label: "connection closed before message completed" });
  equal(posts, 2);
  await new Promise((resolve) => server.close(resolve));
  equal((await deliver(to, "{}", options)).kind, "failed", "nobody listens");
});

Deno.test("accounting: what was open before the run is stored during it, and still closes", () => {
  const before = snapshot({ accepted: 100, committed: 90, queued: 5, in_flight: 3, journaled: 2 });
  const after = snapshot({ accepted: 150, committed: 148, dead_lettered: 2 });
  const { closes, verdict } = checkAccounting(before, after, { accepted: 50, unknown: 0 });
  ok(closes, verdict);
  equal(verdict, "accounting closes: 50 accepted, 58 committed, 2 dead-lettered");
});

for (
  const [what, after, problem] of [
    ["an event still queued", { accepted: 5, committed: 4, queued: 1 }, /1 are still queued/],
    ["one in the journal", { accepted: 5, committed: 4, journaled: 1 }, /1 journaled/],
    ["a residual", { accepted: 5, committed: 5, residual: 1 }, /own residual is 1/],
    ["more than could have been", { accepted: 8, committed: 8 }, /1 too many/],
    ["fewer than were answered 202", { accepted: 4, committed: 4 }, /counts 4 accepted: 1 lost/],
    ["a counter that fell", { accepted: 5, committed: -1 }, /restarted: committed fell/],
  ] as const
) {
  Deno.test(`accounting: ${what} does not close`, () => {
    const own = { accepted: 5, unknown: 2 };
    const { closes, verdict } = checkAccounting(snapshot({}), snapshot(after), own);
    ok(!closes, verdict);
    match(verdict, problem);
  });
}

for (const accepted of [5, 6, 7]) {
  Deno.test(`accounting: 5 accepted and 2 unknown close with ${accepted}`, () => {
    const after = snapshot({ accepted, committed: accepted });
    ok(checkAccounting(snapshot({}), after, { accepted: 5, unknown: 2 }).closes);
  });
}

Deno.test("a snapshot needs every counter", () => {
  deepEqual(readSnapshot(JSON.stringify(snapshot({ accepted: 1 }))), snapshot({ accepted: 1 }));
  equal(readSnapshot("<html>"), "GET /stats did not give a JSON object");
  equal(
    readSnapshot('{"accepted":1,"committed":"1","dropped":0,"queued":0,"in_flight":0}'),
    "GET /stats gives no number for committed, dead_lettered, journaled, residual",
  );
});

Deno.test("a tally keeps every request under one heading and names at most 20 failures", () => {
  const tally = new Tally();
  for (const latencyMs of [0.7, 3, 4, 99_999]) {
    tally.record({ kind: "accepted", latencyMs, duplicates: 0 });
  }
  for (let i = 0; i < 30; i++) tally.record({ kind: "failed", label: `${400 + i}` });
  tally.record({ kind: "unknown", label: "timeout" });
  tally.record({ kind: "cut-short" });
  equal(tally.ended, 36);
  equal(Object.keys(tally.failures()).length, 21);
  equal(tally.failures()["other"], 11);
  const buckets = tally.latencyBuckets();
  deepEqual(buckets[0], { upToMs: 1, count: 1 });
  deepEqual(buckets.at(-1), { upToMs: Infinity, count: 1 });
  equal(buckets.reduce((sum, { count }) => sum + count, 0), 4);
});

Deno.test("a bar is filled to an eighth of a character and never wider than asked", () => {
  equal(bar(0, 4), "    ");
  equal(bar(0.5, 4), "██  ");
  equal(bar(1 / 32, 4), "▏   ");
  equal(bar(7, 4), "████");
});
