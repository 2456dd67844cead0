/** `/dead-letters`: looked at, exported, purged, replayed, and by whom. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { allLetters, allowEvents, ask, type Letter, refuseEvents, replay } from "./dead_letters.ts";
import type { Answer } from "./expect.ts";
import { LINES, marks } from "./sending.ts";
import { query } from "./rows.ts";

const LENIENT = { ...LINES, prefer: "handling=lenient" };

/** A collector with a dead letter for each of these lines. */
async function withLetters(lines: readonly string[], args: readonly string[] = []) {
  const collector = await CollectorProcess.start({ args });
  const { status, text } = await collector.post("/events", lines.join("\n"), LENIENT);
  equal(status, 202, text);
  await collector.settled();
  return collector;
}

const lettersIn = ({ text }: Answer): readonly Letter[] => JSON.parse(text).dead_letters;
const ids = (answer: Answer) => lettersIn(answer).map(({ id }) => id);

function refused({ status, headers, text }: Answer, expected: number, code: string): void {
  equal(status, expected, text);
  equal(headers.get("content-type"), "application/problem+json");
  const problem = JSON.parse(text);
  deepEqual([problem.type, problem.stored], [`/problems/${code}`, "none"]);
}

Deno.test("letters are listed page by page, and each is found by its id", async () => {
  await using collector = await withLetters(["a", "b", "c", "d", "e"]);
  const startMs = Date.now() - 60_000;
  const first = await ask(collector, "GET", "?limit=2");
  equal(first.headers.get("content-type"), "application/json");
  equal(first.headers.get("cache-control"), "no-store");
  deepEqual([ids(first), JSON.parse(first.text).next], [[1, 2], 2]);
  const second = await ask(collector, "GET", "?after=2&limit=2");
  deepEqual([ids(second), JSON.parse(second.text).next], [[3, 4], 4]);
  deepEqual(ids(await ask(collector, "GET", "?limit=2&after=4")), [5]);
  const last = await ask(collector, "GET", "?after=5");
  deepEqual(JSON.parse(last.text), { dead_letters: [], next: null });
  const [letter] = lettersIn(first);
  const { received_at = "", ...rest } = letter ?? {};
  deepEqual(rest, {
    id: 1,
    source: "native",
    protocol: "native",
    reason: "malformed-json: Expected JSON.",
    raw: "a",
  });
  ok(Date.parse(received_at) > startMs && Date.parse(received_at) <= Date.now(), received_at);
  deepEqual(JSON.parse((await ask(collector, "GET", "/1")).text), letter);
});

Deno.test("what is asked for in a wrong way is refused, and nothing is removed", async () => {
  await using collector = await withLetters(["a"]);
  for (
    const query of [
      "?limit=0",
      "?limit=1001",
      "?limit=-1",
      "?limit=x",
      "?limit=",
      "?after=-1",
      "?after=1e3",
      `?after=${"9".repeat(16)}`,
      "?after=1%20OR%201",
    ]
  ) refused(await ask(collector, "GET", query), 400, "parameter");
  for (const query of ["", "?through=", "?through=x", "?through=-1", "?id=1"]) {
    refused(await ask(collector, "DELETE", query), 400, "parameter");
  }
  for (const path of ["/2", "/0", "/999999999999999"]) {
    refused(await ask(collector, "GET", path), 404, "unknown-dead-letter");
    refused(await ask(collector, "DELETE", path), 404, "unknown-dead-letter");
    refused(await ask(collector, "POST", `${path}/replay`), 404, "unknown-dead-letter");
  }
  for (const path of ["/", "/x", "/1/", "/1/replay/", "/1/x", "/-1", "/1.0", "/export/x", "s"]) {
    refused(await ask(collector, "GET", path), 404, "not-found");
  }
  for (
    const [method, path, allow] of [
      ["POST", "", "GET, DELETE"],
      ["PUT", "/1", "GET, DELETE"],
      ["GET", "/1/replay", "POST"],
      ["DELETE", "/1/replay", "POST"],
      ["POST", "/export", "GET"],
    ] as const
  ) {
    const answer = await ask(collector, method, path);
    refused(answer, 405, "method");
    equal(answer.headers.get("allow"), allow);
  }
  equal((await allLetters(collector)).length, 1);
});

Deno.test("letters are purged one by one, or all through an id, and counted", async () => {
  await using collector = await withLetters(["a", "b", "c", "d"]);
  const removed = async (path: string) =>
    JSON.parse((await ask(collector, "DELETE", path)).text).removed;
  equal(await removed("/3"), 1);
  refused(await ask(collector, "DELETE", "/3"), 404, "unknown-dead-letter");
  equal(await removed("?through=2"), 2);
  equal(await removed("?through=2"), 0);
  deepEqual((await allLetters(collector)).map(({ id }) => id), [4]);
  const stats = await collector.settled();
  deepEqual([stats.dead_lettered, stats.residual], [4, 0], "the account counts what ever was one");
});

Deno.test("the export has every letter once, one a line, over pages of many and of large ones", async () => {
  const small = Array.from({ length: 2300 }, (_, i) => `small ${i}`);
  await using collector = await withLetters(small);
  const large = Array.from(
    { length: 24 },
    (_, i) => `large ${i} ${"é\u0000\u2028".repeat(40_000)}`,
  );
  for (let at = 0; at < large.length; at += 4) {
    const body = large.slice(at, at + 4).join("\n");
    equal((await collector.post("/events", body, LENIENT)).status, 202);
  }
  await collector.settled();
  const { status, headers, text } = await ask(collector, "GET", "/export");
  equal(status, 200);
  equal(headers.get("content-type"), "application/x-ndjson");
  match(headers.get("content-disposition") ?? "", /^attachment; filename="dead-letters\.ndjson"$/);
  equal(headers.get("x-content-type-options"), "nosniff");
  const lines = text.split("\n");
  equal(lines.pop(), "");
  const letters: Letter[] = lines.map((line) => JSON.parse(line));
  deepEqual(letters.map(({ id }) => id), letters.map((_, index) => index + 1));
  ok(letters.every(({ raw }, index) => raw === [...small, ...large][index]), "a text differs");
  equal(letters.length, small.length + large.length);
  const page = lettersIn(await ask(collector, "GET", "?after=2300&limit=1000"));
  ok(page.length > 0 && page.length < large.length, "a page of large ones is not cut short");
});

Deno.test("an export of nothing is nothing", async () => {
  await using collector = await CollectorProcess.start();
  const { status, text } = await ask(collector, "GET", "/export");
  deepEqual([status, text], [200, ""]);
});

Deno.test("a text to replay with is taken whole and byte for byte, or refused", async () => {
  await using collector = await withLetters(["a"], ["--max-event-bytes", "1000"]);
  const post = (body: BodyInit) => ask(collector, "POST", "/1/replay", { body });
  refused(await post("{"), 400, "malformed-json");
  refused(await post("[]"), 422, "invalid-event");
  refused(await post(event("x".repeat(1000))), 413, "event-too-large");
  refused(await post("x".repeat(1_048_577)), 413, "body-too-large");
  const notUtf8 = new Uint8Array([...new TextEncoder().encode(event("?"))]);
  notUtf8[notUtf8.indexOf(63)] = 0xff;
  refused(await post(notUtf8), 400, "invalid-utf8");
  deepEqual((await allLetters(collector)).map(({ raw }) => raw), ["a"]);
  const text = '{"user_id":9223372036854775807,"timestamp":"2026-11-24T11:03:40Z",' +
    '"metadata":{ "é" : 1.0, "a":1, "a":2 }}';
  equal((await post(` \ufeff ${text}`)).status, 400, "a mark in the middle is no space");
  equal((await post(`\ufeff${text}\r\n`)).status, 200);
  const [row] = query<{ user_id: bigint; metadata: string }>(
    collector.database,
    "SELECT user_id, metadata FROM events",
  );
  deepEqual([row?.user_id, row?.metadata], [9223372036854775807n, '{ "é" : 1.0, "a":1, "a":2 }']);
});

Deno.test("an event that the database refuses again is told as that, and is a letter anew", async () => {
  await using collector = await CollectorProcess.start();
  refuseEvents(collector.database, "refuse");
  await collector.post("/event", event("refuse"));
  await collector.settled();
  for (const id of [1, 2]) {
    const { http, status, removed } = await replay(collector, id);
    deepEqual([http, status, removed], [200, "dead_lettered", true]);
    const [letter, ...others] = await allLetters(collector);
    deepEqual([letter?.id, letter?.raw, others], [id + 1, event("refuse"), []]);
  }
  allowEvents(collector.database);
  equal((await replay(collector, 3)).status, "replayed");
  deepEqual(marks(collector.database), ["refuse"]);
});
