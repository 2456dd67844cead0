/** The load generator, run as `deno task load` runs it, against real collectors and false ones. */

import { match, notStrictEqual as notEqual, ok, strictEqual as equal } from "node:assert/strict";
import { type Finished, LoadProcess } from "../bench/load_process.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { query, storedCount } from "./rows.ts";

function load(url: string, args?: readonly string[]): Promise<Finished> {
  return new LoadProcess(url, args).finished;
}

/** Something on a port of its own that takes itself for a collector. */
function impostor(handler: (path: string) => Response | Promise<Response>) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      await request.arrayBuffer();
      return await handler(new URL(request.url).pathname);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const ACCOUNT = {
  accepted: 0,
  committed: 0,
  dead_lettered: 0,
  dropped: 0,
  queued: 0,
  in_flight: 0,
  journaled: 0,
  residual: 0,
  started_at: "2026-11-24T11:03:40.123Z",
};

Deno.test("the default run: 1000 requests from 200 clients are 1000 different rows", async () => {
  await using collector = await CollectorProcess.start();
  const { code, stdout, stderr } = await load(collector.url, ["--"]);
  equal(code, 0, stdout + stderr);
  match(stdout, /^sent +1000 requests, 1000 events \(200 clients/m);
  match(stdout, /^latency +p50 [\d.]+ ms, p90 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms$/m);
  match(stdout, /█+ +\d+$/m);
  match(stdout, /\naccounting closes: 1000 accepted, 1000 committed\n$/);
  equal(stderr, "", "no progress bar without a terminal");
  const [rows] = query<{ n: bigint; bytes: bigint }>(
    collector.database,
    "SELECT count(DISTINCT metadata) AS n, max(length(metadata)) AS bytes FROM events",
  );
  equal(rows?.n, 1000n);
  equal(storedCount(collector.database), 1000);
});

Deno.test("batches: 40 requests of 50 events are 2000 rows, numbered by client", async () => {
  await using collector = await CollectorProcess.start();
  const args = ["--requests", "40", "--batch", "50", "--concurrency", "4", "--json"];
  const { code, stdout, stderr } = await load(collector.url, args);
  equal(code, 0, stdout + stderr);
  const summary = JSON.parse(stdout);
  equal(summary.events.accepted, 2000);
  equal(summary.accounting.verdict, "accounting closes: 2000 accepted, 2000 committed");
  const marks = "count(DISTINCT metadata->>'client' || ' ' || (metadata->>'sequence'))";
  const sql = `SELECT ${marks} AS n FROM events`;
  equal(query<{ n: bigint }>(collector.database, sql)[0]?.n, 2000n);
});

Deno.test("requests refused by a full queue are sent again and all are stored", async () => {
  const args = ["--durability", "memory", "--queue-capacity", "20", "--batch-linger-ms", "200"];
  await using collector = await CollectorProcess.start({ args });
  await collector.post("/event", event("first")); // before it, Retry-After is a minute
  await collector.settled();
  const { code, stdout, stderr } = await load(collector.url, [
    ...["--requests", "60", "--concurrency", "60", "--json"],
  ]);
  equal(code, 0, stdout + stderr);
  const { requests, retries, accounting } = JSON.parse(stdout);
  ok(retries > 0, stdout);
  equal(requests.accepted, 60);
  equal(accounting.verdict, "accounting closes: 60 accepted, 60 committed");
  const { refused_requests } = await collector.stats();
  equal(refused_requests["queue-full"], retries);
  equal(storedCount(collector.database), 61);
});

Deno.test("a pace and a duration: the requests are those that were due", async () => {
  await using collector = await CollectorProcess.start();
  const args = ["--rate", "100", "--duration", "1", "--json"];
  const { code, stdout, stderr } = await load(collector.url, args);
  equal(code, 0, stdout + stderr);
  const { requests, accounting } = JSON.parse(stdout);
  ok(requests.sent > 0 && requests.sent <= 101, stdout);
  equal(accounting.change.committed, requests.sent);
});

Deno.test("SIGINT in the middle prints the summary so far, with the accounting", async () => {
  await using collector = await CollectorProcess.start();
  const run = new LoadProcess(collector.url, ["--duration", "600", "--rate", "1000"]);
  await collector.until(({ accepted = 0 }) => accepted > 100);
  run.kill("SIGINT");
  const { code, stdout, stderr } = await run.finished;
  equal(code, 0, stdout + stderr);
  match(stdout, /^stopped by SIGINT; the summary so far:\nsent /);
  const [, accepted, committed] =
    /\naccounting closes: (\d+) accepted, (\d+) committed\n$/.exec(stdout) ?? [];
  ok(Number(accepted) > 100, stdout);
  equal(committed, accepted);
  equal(storedCount(collector.database), Number(accepted));
});

Deno.test("a second SIGINT, later than a second, ends it at once", async () => {
  const isAsked = Promise.withResolvers<void>(), end = Promise.withResolvers<void>();
  await using silent = impostor(async (path) => {
    if (path === "/stats") return Response.json(ACCOUNT);
    isAsked.resolve();
    await end.promise;
    return new Response(null, { status: 202 });
  });
  const run = new LoadProcess(silent.url, ["--timeout", "600000"]);
  await isAsked.promise;
  const interrupts = setInterval(() => run.kill("SIGINT"), 200);
  const { code, stdout, stderr } = await run.finished;
  clearInterval(interrupts);
  end.resolve();
  equal(code, 130, stderr);
  equal(stdout, "");
  match(stderr, /^a second SIGINT: ending without a summary$/m);
});

Deno.test("where nobody listens it says so, and how to start a collector", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const { code, stdout, stderr } = await load(url);
  equal(code, 1);
  equal(stdout, "");
  match(stderr, /^No collector can be used at http:\/\/127\.0\.0\.1:\d+: Connection refused\.\n/);
  match(stderr, /deno task start/);
});

Deno.test("what is no collector is not taken for one", async () => {
  await using other = impostor(() => new Response("hello", { status: 404 }));
  const { code, stderr } = await load(other.url);
  equal(code, 1);
  match(stderr, /: GET \/stats was answered 404\.\n/);
});

type Lie = (taken: number) => Partial<typeof ACCOUNT>;

const LIES: readonly (readonly [string, Lie, RegExp])[] = [
  [
    "forgets one event",
    (taken) => ({ accepted: Math.max(0, taken - 1), committed: Math.max(0, taken - 1) }),
    /50 events were answered 202, but the collector counts 49 accepted: 1 lost\n$/,
  ],
  [
    "accepts one event and does not store it",
    (taken) => ({ accepted: taken, committed: Math.max(0, taken - 1) }),
    /of 50 events to store, 49 were committed, 0 dead-lettered, 0 dropped: off by 1\n$/,
  ],
  [
    "counts one event twice",
    (taken) => ({ accepted: taken && taken + 1, committed: taken && taken + 1 }),
    /counts 51 accepted, but only 50 events were sent: 1 too many/,
  ],
  [
    "drops one event",
    (taken) => ({ accepted: taken, committed: Math.max(0, taken - 1), dropped: taken && 1 }),
    /accounting does not close: dropped: 1 event\n$/,
  ],
  [
    "is started again",
    (taken) => taken === 0 ? {} : { started_at: "2026-11-24T11:04:00.000Z" },
    /the collector was restarted: started_at was 2026-11-24T11:03:40\.123Z and is/,
  ],
];

for (const [what, lie, verdict] of LIES) {
  Deno.test(`a collector that ${what} does not pass`, async () => {
    let taken = 0;
    await using liar = impostor((path) => {
      if (path === "/stats") return Response.json({ ...ACCOUNT, ...lie(taken) });
      taken++;
      return Response.json({ status: "accepted" }, { status: 202 });
    });
    const { code, stdout, stderr } = await load(liar.url, ["--requests", "50"]);
    equal(code, 1, stdout + stderr);
    match(stdout, verdict);
    ok(!stdout.includes("accounting closes"), stdout);
  });
}

Deno.test("requests that fail in the end give exit status 2 and are counted by status", async () => {
  await using refusing = impostor((path) =>
    path === "/stats" ? Response.json(ACCOUNT) : new Response("no", { status: 422 })
  );
  const { code, stdout } = await load(refusing.url, ["--requests", "10"]);
  equal(code, 2, stdout);
  match(stdout, /^failed +10 requests \(422: 10\)$/m);
  match(stdout, /\naccounting closes: 0 accepted, 0 committed\n$/);
});

Deno.test("requests without an answer may have been accepted or not", async () => {
  const end = Promise.withResolvers<void>();
  let accepted = 0;
  await using slow = impostor(async (path) => {
    if (path === "/stats") {
      const answer = Response.json({ ...ACCOUNT, accepted, committed: accepted });
      accepted = 3; // from the second time on: after the run
      return answer;
    }
    await end.promise;
    return new Response(null, { status: 202 });
  });
  const { code, stdout } = await load(slow.url, ["--requests", "5", "--timeout", "500"]);
  end.resolve();
  equal(code, 2, stdout);
  match(stdout, /^failed +5 requests \(timeout: 5\)$/m);
  match(stdout, /of 5 without an answer 3 accepted\n$/);
});

Deno.test("bad flags are listed in one message", async () => {
  const { code, stdout, stderr } = await load("nowhere", ["--batch", "0", "--fast", "--rate"]);
  equal(code, 64);
  equal(stdout, "");
  for (const problem of ["--url must be", "--batch must be", "flag --fast", "--rate needs"]) {
    ok(stderr.includes(problem), stderr);
  }
  notEqual(stderr.indexOf("--help"), -1);
});
