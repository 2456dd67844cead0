import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { checkAccounting } from "../../bench/load/accounting.ts";
import { deliver, eventId, makeBody, target } from "../../bench/load/client.ts";
import { exitStatus } from "../../bench/load/report.ts";
import { Acknowledged, checkStored } from "../../bench/load/stored.ts";
import { Tally } from "../../bench/load/tally.ts";

Deno.test("with ids each event has one of its own, that of its place in the run", () => {
  const source = { run: "mabc1234", client: 7, sequence: 10, events: 3, atMs: 0, ids: true };
  const ids = makeBody(source).split("\n").map((line) => JSON.parse(line).id);
  deepEqual(ids, [10, 11, 12].map((sequence) => eventId("mabc1234", 7, sequence)));
});

/** A server that gives these answers, one a request, then 404. */
function answering(answers: Response[]) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      await request.text();
      return answers.shift() ?? new Response(null, { status: 404 });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { to: target({ url, batch: 1, timeoutMs: 5000 }), stop: () => server.shutdown() };
}

function repeating(signal = new AbortController().signal) {
  const after: string[] = [];
  const onRetry = (what: string) => void after.push(what);
  return { after, options: { dueMs: null, mayRepeat: true, signal, onRetry, onWaiting: () => {} } };
}

Deno.test("what may be repeated is sent until it is known what became of it", async () => {
  const server = answering([
    new Response("broken", { status: 500 }),
    new Response("gateway", { status: 502 }),
    new Response("full", { status: 503, headers: { "retry-after": "0" } }),
    new Response('{"status":"accepted","stored":"committed","duplicates":1}', { status: 202 }),
  ]);
  const { after, options } = repeating();
  const outcome = await deliver(server.to, "{}", options);
  await server.stop();
  ok(outcome.kind === "accepted");
  equal(outcome.duplicates, 1);
  deepEqual(after, ["unknown", "unknown", "refusal"]);
});

Deno.test("a repeat goes on after the end of the run, and is unknown if it is then refused", async () => {
  const server = answering([
    new Response("broken", { status: 500 }),
    new Response("broken", { status: 500 }),
    new Response("gone", { status: 410 }),
  ]);
  const { after, options } = repeating(AbortSignal.abort());
  deepEqual(await deliver(server.to, "{}", options), { kind: "unknown", label: "410" });
  await server.stop();
  equal(after.length, 2);
});

Deno.test("a repeat is sent again to a collector that is not there yet", async () => {
  const server = answering([]);
  await server.stop();
  const { after, options } = repeating();
  const port = Number(new URL(server.to.url).port);
  const sending = deliver(server.to, "{}", options);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const late = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    () => new Response("{}", { status: 202 }),
  );
  equal((await sending).kind, "accepted");
  await late.shutdown();
  ok(after.length > 0 && after.every((what) => what === "unknown"));
});

const RUN = "mabc1234";

/** What is found in a database that holds these events, given which requests of 2 were acknowledged. */
function checked(stored: readonly string[], requests: readonly (readonly [number, number])[]) {
  const path = Deno.makeTempFileSync({ suffix: ".db" });
  try {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE events (event_id TEXT)");
    const insert = database.prepare("INSERT INTO events VALUES (?)");
    for (const id of stored) insert.run(id);
    database.close();
    const acknowledged = new Acknowledged(RUN, 2);
    for (const [client, sequence] of requests) acknowledged.add(client, sequence);
    return checkStored(path, acknowledged);
  } finally {
    Deno.removeSync(path);
  }
}

const FOUR = [[0, 0], [3, 2]] as const;
const FOUR_IDS = [[0, 0], [0, 1], [3, 2], [3, 3]].map(([client = 0, sequence = 0]) =>
  eventId(RUN, client, sequence)
);

Deno.test("the database: all there once, events of other runs are not looked at", () => {
  const others = [...Array(2).fill("mabc1233-0-0"), ...Array(2).fill("mabc12345-0-0")];
  deepEqual(checked([...FOUR_IDS, ...others], FOUR), {
    isRight: true,
    verdict: "stored 4 of 4 acknowledged, 0 missing, 0 twice",
  });
});

for (
  const [what, stored, verdict] of [
    ["one missing", FOUR_IDS.slice(1), "stored 3 of 4 acknowledged, 1 missing, 0 twice"],
    [
      "one twice",
      [...FOUR_IDS, ...FOUR_IDS.slice(3)],
      "stored 4 of 4 acknowledged, 0 missing, 1 twice",
    ],
    [
      "one twice that nobody acknowledged",
      [...FOUR_IDS, ...Array(2).fill(eventId(RUN, 9, 0))],
      "stored 4 of 4 acknowledged, 0 missing, 1 twice; and 1 that were not acknowledged",
    ],
  ] as const
) {
  Deno.test(`the database: ${what} is wrong`, () => {
    deepEqual(checked(stored, FOUR), { isRight: false, verdict });
  });
}

Deno.test("the database: one that cannot be read is no proof", () => {
  const { isRight, verdict } = checkStored("/nowhere/events.db", new Acknowledged(RUN, 1));
  ok(!isRight);
  match(verdict, /^\/nowhere\/events\.db cannot be checked: /);
});

const RIGHT = { isRight: true, verdict: "" }, WRONG = { isRight: false, verdict: "" };

for (
  const [started, answers, stored, status] of [
    ["the same", true, null, 0],
    ["the same", true, RIGHT, 0],
    ["the same", true, WRONG, 1],
    ["another", true, null, 1],
    ["another", true, RIGHT, 0],
    ["another", true, WRONG, 1],
    ["the same", false, RIGHT, 1],
  ] as const
) {
  const looked = stored === null ? "not looked at" : stored.isRight ? "right" : "wrong";
  const asked = answers ? `a collector that is ${started}` : "a collector that answers no more";
  Deno.test(`exit status: ${asked}, the database ${looked}: ${status}`, () => {
    const zero = { accepted: 0, committed: 0, dead_lettered: 0, dropped: 0 };
    const before = { ...zero, queued: 0, in_flight: 0, journaled: 0, residual: 0, started_at: "a" };
    const after = { ...before, started_at: started === "the same" ? "a" : "b" };
    const own = { accepted: 0, unknown: 0 };
    const accounting = checkAccounting(before, answers ? after : "Connection refused", own);
    equal(exitStatus({ tally: new Tally(), accounting, stored }), status);
  });
}
