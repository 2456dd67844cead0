/** Idempotency-Key: a request sent again is answered like the first and stored once (B80–B82). */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { CollectorProcess, event } from "./collector_process.ts";
import { assertAccount, problem, step } from "./expect.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";
import { identified, JSON_BODY, LINES, MEMORY, receipt, TempFolder } from "./sending.ts";

/** Posts with a key; a Blob, for fetch would send a text again by itself. */
function keyed(collector: CollectorProcess, key: string, body: string, path = "/event") {
  const type = path === "/event" ? JSON_BODY : LINES;
  return collector.post(path, new Blob([body]), { ...type, "idempotency-key": key });
}

function isReplay({ headers }: { readonly headers: Headers }): boolean {
  return headers.get("idempotency-replayed") === "true";
}

Deno.test("the same key and body: the same answer, marked as a replay, and one row", async () => {
  await using collector = await CollectorProcess.start();
  const first = await keyed(collector, '"k 1"', event("once"));
  deepEqual([first.status, isReplay(first)], [202, false]);
  for (let i = 0; i < 3; i++) {
    const again = await keyed(collector, '"k 1"', event("once"));
    deepEqual([again.status, isReplay(again), again.text], [202, true, first.text]);
  }
  const bare = await keyed(collector, "K1", event("once"));
  deepEqual([bare.status, isReplay(bare)], [202, false], "another key is another request");
  const stats = await collector.stats();
  deepEqual([stats.received, stats.duplicates, stats.replays], [5, 3, 3]);
  await assertAccount(collector, 2);
});

Deno.test("the same key with another body is 422, and nothing of it is stored", async () => {
  await using collector = await CollectorProcess.start();
  equal((await keyed(collector, "k", event("first"))).status, 202);
  problem(await keyed(collector, "k", event("second")), "key-reused");
  problem(await keyed(collector, "k", event("first") + " "), "key-reused");
  problem(await keyed(collector, "k", event("second"), "/events"), "key-reused");
  equal((await keyed(collector, "k", event("first"))).status, 202);
  await assertAccount(collector, 1);
});

Deno.test("ten at once with one key are one row; the others are told to wait, or replays", async () => {
  await using collector = await CollectorProcess.start();
  for (let round = 0; round < 10; round++) {
    const body = Array.from({ length: 300 }, (_, i) => event(`${round} ${i}`)).join("\n");
    const send = () => keyed(collector, `round ${round}`.replace(" ", "-"), body, "/events");
    const answers = await Promise.all(Array.from({ length: 10 }, send));
    const firsts = answers.filter((answer) => answer.status === 202 && !isReplay(answer));
    ok(firsts.length <= 1, `${firsts.length} requests were the first`);
    for (const { status, headers, text } of answers) {
      if (status === 202) continue;
      equal(status, 409, text);
      match(text, /"type":"\/problems\/key-in-flight".*"stored":"unknown","retryable":true/);
      ok(Number(headers.get("retry-after")) >= 1);
    }
    const later = await send();
    deepEqual([later.status, isReplay(later)], [202, true]);
  }
  await assertAccount(collector, 3000);
});

Deno.test("a request refused while nothing can be stored does not use its key up", async () => {
  await using collector = await CollectorProcess.start({
    args: ["--journal-bytes", "1048576", "--ack-timeout-ms", "200"],
  });
  const lock = await LockHolder.start(collector.database);
  for (let status = 202; status === 202;) { // until neither database nor journal take any more
    ({ status } = await collector.post("/event", new Blob([event("x".repeat(200_000))])));
  }
  const refused = await keyed(collector, "late", event("late"));
  equal(refused.status, 503, refused.text);
  await lock[Symbol.asyncDispose]();
  await collector.settled();
  const first = await keyed(collector, "late", event("late"));
  deepEqual([first.status, isReplay(first)], [202, false], "a refusal used the key up");
  equal((await collector.settled()).residual, 0);
});

Deno.test("an unconfirmed request with a key: 409 while it is in doubt, a replay after it", async () => {
  await using collector = await CollectorProcess.start({
    args: ["--journal-bytes", "1048576", "--ack-timeout-ms", "200", ...LARGE],
  });
  const lock = await LockHolder.start(collector.database);
  const body = event("x".repeat(1_100_000)); // no room for it in the journal, ever
  const first = await keyed(collector, "doubt", body);
  equal(first.status, 500, first.text);
  match(first.text, /"type":"\/problems\/unconfirmed".*"stored":"unknown","retryable":true/);
  const second = await keyed(collector, "doubt", body);
  equal(second.status, 409, second.text);
  equal(second.headers.get("retry-after"), "1");
  problem(await keyed(collector, "doubt", event("other")), "key-reused");
  await lock[Symbol.asyncDispose]();
  await collector.until((stats) => stats.committed === 1);
  const third = await keyed(collector, "doubt", body);
  deepEqual([third.status, isReplay(third)], [202, true]);
  await assertAccount(collector, 1);
});

Deno.test("a key is known after a restart, after kill -9, and from the journal [G14]", async () => {
  await using folder = new TempFolder();
  const send = (collector: CollectorProcess, key: string) => keyed(collector, key, event(key));
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal((await send(collector, "stopped")).status, 202);
    equal(await collector.stop(), 0);
  }
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal((await send(collector, "killed")).status, 202);
    await using _lock = await LockHolder.start(collector.database);
    match((await send(collector, "journaled")).text, /"stored":"journaled"/);
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  for (const key of ["stopped", "killed", "journaled"]) {
    const again = await send(collector, key);
    deepEqual([again.status, isReplay(again)], [202, true], key);
    problem(await keyed(collector, key, event("other")), "key-reused");
  }
  equal((await collector.settled()).residual, 0);
  equal(storedCount(folder.database), 3);
});

Deno.test("a replay of an earlier run's request names its receipt, or none", async () => {
  await using folder = new TempFolder();
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal((await keyed(collector, "k", event("early"))).status, 202);
    equal(await collector.stop(), 0);
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const headers = { ...JSON_BODY, "idempotency-key": "k", prefer: "respond-async" };
  const again = await collector.post("/event", event("early"), headers);
  equal(isReplay(again), true);
  const location = again.headers.get("location");
  if (location === null) return;
  equal((await receipt(collector, location))?.status, "committed", location);
});

const LARGE = ["--max-event-bytes", "2000000", "--max-body-bytes", "2000000"];
const BAD_KEYS = [
  ...["", '""', "x".repeat(256), `"${"x".repeat(256)}"`, '"open', 'open"', "a b", "a,b", "a;b"],
  ...['"a","b"', 'a"b', "a\\b", '"a\\b"', "a\tb", "\u00e9", '"\u00e9"', '"a";b=1'],
];

Deno.test("keys that are no keys are 400 and store nothing", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const key of BAD_KEYS) {
    await step(t, JSON.stringify(key.slice(0, 20)), async () => {
      problem(await keyed(collector, key, event("bad key")), "idempotency-key");
    });
  }
  const two = new Headers([["content-type", "application/json"]]);
  for (const key of ["one", "two"]) two.append("idempotency-key", key);
  const answer = await fetch(`${collector.url}/event`, {
    method: "POST",
    headers: two,
    body: event("two keys"),
  });
  const { status, headers } = answer;
  problem({ status, headers, text: await answer.text() }, "idempotency-key");
  const good = [
    "x".repeat(255),
    `"${"y".repeat(255)}"`,
    '"a \\"quoted\\" \\\\"',
    "!#$%&'()*+-./:<>?@",
  ];
  for (const key of good) equal((await keyed(collector, key, event(key))).status, 202, key);
  await assertAccount(collector, good.length);
});

Deno.test("a refused request does not use its key up", async () => {
  await using collector = await CollectorProcess.start({
    args: [...MEMORY, "--queue-capacity", "2"],
  });
  problem(await keyed(collector, "mended", '{"user_id":1}'), "invalid-event");
  problem(await keyed(collector, "mended", "{"), "malformed-json");
  equal((await keyed(collector, "mended", event("mended"))).status, 202);
  await collector.settled();
  const lock = await LockHolder.start(collector.database);
  const fill = `${event("fill")}\n${event("fill")}`;
  equal((await collector.post("/events", fill, LINES)).status, 202);
  const full = await keyed(collector, "full", event("full"));
  equal(full.status, 503, full.text);
  match(full.text, /queue-full/);
  await lock[Symbol.asyncDispose]();
  await collector.settled();
  const later = await keyed(collector, "full", event("full"));
  deepEqual([later.status, isReplay(later)], [202, false]);
  await assertAccount(collector, 4);
});

Deno.test("a key of several events, in part known, is answered the same again", async () => {
  await using collector = await CollectorProcess.start();
  equal((await collector.post("/event", identified("b", "before"))).status, 202);
  const body = ["a", "b", "c"].map((id) => identified(id, id)).join("\n");
  const expected = '{"status":"accepted","accepted":2,"stored":"committed","duplicates":1}';
  const first = await keyed(collector, "many", body, "/events");
  deepEqual([first.text, isReplay(first)], [expected, false]);
  const again = await keyed(collector, "many", body, "/events");
  deepEqual([again.text, isReplay(again)], [expected, true]);
  const { received, accepted, duplicates, residual } = await collector.settled();
  deepEqual([received, accepted, duplicates, residual], [7, 3, 4, 0]);
  equal(storedCount(collector.database), 3);
});

Deno.test("a body is the same whichever way it is coded", async () => {
  await using collector = await CollectorProcess.start();
  const headers = { ...JSON_BODY, "idempotency-key": "coded" };
  const zipped = new Uint8Array(gzipSync(event("coded")));
  const first = await collector.post("/event", zipped, { ...headers, "content-encoding": "gzip" });
  deepEqual([first.status, isReplay(first)], [202, false]);
  const plain = await collector.post("/event", event("coded"), headers);
  deepEqual([plain.text, isReplay(plain)], [first.text, true]);
  await assertAccount(collector, 1);
});
