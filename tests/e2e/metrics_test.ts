/** `GET /metrics` of a real collector: what it counts is what was sent and what is in the database. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess, event } from "./collector_process.ts";
import { createTokens } from "./firehouse_command.ts";
import { query, storedCount } from "./rows.ts";
import { assertBalanced, Scrape } from "./scraped.ts";
import { identified, JSON_BODY, LINES, TempFolder } from "./sending.ts";

const LENIENT = { ...LINES, prefer: "handling=lenient" };
const BAD = '{"user_id":"none"}';

Deno.test("after a mixed load the counters are what was sent and what the database has", async () => {
  await using collector = await CollectorProcess.start({ args: ["--max-request-events", "50"] });
  using other = new DatabaseSync(collector.database, { timeout: 5000 });
  other.exec(`CREATE TRIGGER reject BEFORE INSERT ON events WHEN NEW.user_id = 7
              BEGIN SELECT RAISE(ABORT, 'not today'); END`);
  const keyed = { ...JSON_BODY, "idempotency-key": "k" };
  const post = async (path: string, body: string, headers: Record<string, string> = JSON_BODY) =>
    (await collector.post(path, new Blob([body]), headers)).status;
  const many = (count: number) => Array.from({ length: count }, (_, i) => event(i)).join("\n");
  const statuses = [
    await post("/event", event("one")),
    await post("/events", many(40), LINES),
    await post("/event", identified("a", 1)),
    await post("/event", identified("a", 1)), // a duplicate
    await post("/event", event("k"), keyed),
    await post("/event", event("k"), keyed), // a replay
    await post("/event", event("other"), keyed), // refused: another body
    await post("/events", [event(1), BAD, event(2), BAD].join("\n"), LENIENT), // 2 dead letters
    await post("/events", `[${event(1, 7)},${event(2, 7)},${event(3)}]`), // 2 that the database refuses
    await post("/events", `[${event(1)},${BAD}]`), // refused
    await post("/events", many(51), LINES), // refused: too many
    await post("/event", "{"), // refused
    await post("/event", event(1), { "content-type": "text/html" }), // refused
    await post("/v1/track", '{"type":"track","event":"e","userId":"u","messageId":"m"}'),
  ];
  deepEqual(statuses, [202, 202, 202, 202, 202, 202, 422, 202, 202, 422, 413, 400, 415, 200]);
  await collector.settled();
  const scrape = await Scrape.of(collector.url);

  const rows = storedCount(collector.database);
  const letters = query<{ n: bigint }>(collector.database, "SELECT count(*) n FROM dead_letters");
  deepEqual([rows, Number(letters[0]?.n)], [1 + 40 + 1 + 1 + 2 + 1 + 1, 4]);
  equal(scrape.sum("firehouse_events_committed_total"), rows);
  deepEqual(scrape.by("firehouse_events_dead_lettered_total", "reason"), {
    decoder: 2,
    database: 2,
  });
  equal(scrape.sum("firehouse_events_accepted_total"), rows + 4);
  equal(scrape.sum("firehouse_events_duplicate_total"), 2);
  equal(scrape.sum("firehouse_idempotency_replays_total"), 1);
  const { received, rejected } = await collector.stats();
  equal(scrape.sum("firehouse_events_rejected_total"), rejected);
  deepEqual(scrape.by("firehouse_events_received_total", "protocol"), {
    native: (received ?? NaN) - 1,
    segment: 1,
  });
  deepEqual(scrape.by("firehouse_http_requests_refused_total", "code"), {
    "invalid-event": 1,
    "key-reused": 1,
    "malformed-json": 1,
    "too-many-events": 1,
    "unsupported-type": 1,
  });
  const codes = (route: string) =>
    scrape.samples("firehouse_http_requests_total", { method: "POST", route })
      .map(({ labels, value }) => [labels["code"], value]);
  deepEqual(codes("/event"), [["202", 5], ["400", 1], ["415", 1], ["422", 1]]);
  deepEqual(codes("/events"), [["202", 3], ["413", 1], ["422", 1]]);
  deepEqual(codes("/v1/track"), [["200", 1]]);
  equal(scrape.count("firehouse_ack_duration_seconds"), 5 + 3 + 1);
  ok(scrape.sum("firehouse_http_request_bytes_total") > 40 * 80);
  assertBalanced(scrape);
  equal(await collector.stop(), 0);
});

Deno.test("where there are tokens it takes one with the scope read, and counts who has none", async () => {
  await using folder = new TempFolder();
  const { web, reader } = await createTokens(folder.database, {
    web: [],
    reader: ["--scopes", "read"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const status = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization: `Bearer ${authorization}` };
    const answer = await fetch(`${collector.url}/metrics`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  deepEqual([await status(), await status("wrong"), await status(web)], [401, 401, 403]);
  const scrape = await Scrape.of(collector.url, { authorization: `Bearer ${reader}` });
  deepEqual(scrape.by("firehouse_auth_failures_total", "reason"), {
    "forbidden": 1,
    "token-missing": 1,
    "unauthorized": 1,
  });
  assertBalanced(scrape);
});
