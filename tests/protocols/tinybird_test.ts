import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal, type RefusalCode } from "../../lib/errors.ts";
import type { IngestRoute, Outcome } from "../../lib/protocol.ts";
import { tinybirdProtocol } from "../../lib/protocols/tinybird.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import { jsonText } from "../fakes/json_arbitrary.ts";
import {
  contextOf,
  decoded,
  decodeSent,
  formatOf,
  headOf,
  lettersOf,
  LIMITS,
  outcomeOf,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const PROTOCOL = tinybirdProtocol(LIMITS);
const ROUTE = PROTOCOL.routes.get("/v0/events") as IngestRoute;

function rows(body: string, query = "name=page_views"): Sent {
  return { target: `/v0/events?${query}`, body };
}

Deno.test("each line becomes a row with its text as sent", () => {
  const body = '{"n":12345678901234567890,"a":1,"a":2}\n\r\n \n  {"b": "é"} \r\n{}';
  const [first, ...others] = rowsOf(decoded(PROTOCOL, rows(body)));
  equal(first?.metadata, '{"n":12345678901234567890,"a":1,"a":2}');
  equal(first?.type, "page_views");
  equal(first?.protocol, "tinybird/page_views");
  equal(first?.source, "tinybird");
  equal(first?.actor, null);
  equal(first?.eventId, null);
  deepEqual(others.map(({ metadata }) => metadata), ['{"b": "é"}', "{}"]);
});

Deno.test("any media type takes rows, and none", () => {
  for (const type of [null, "application/x-ndjson", "text/plain", "application/json"]) {
    const headers = type === null ? {} : { "content-type": type };
    equal(rowsOf(decoded(PROTOCOL, { ...rows("{}"), headers })).length, 1);
  }
});

Deno.test("a column called timestamp tells the time, if it is one", () => {
  const time = (value: string) =>
    rowsOf(decoded(PROTOCOL, rows(`{"timestamp":${value}}`)))[0]?.timestamp;
  equal(time('"2024-01-02T03:04:05.678+01:00"'), "2024-01-02T02:04:05.678Z");
  equal(time('"2024-01-02 03:04:05.678"'), "2024-01-02T03:04:05.678Z");
  for (const value of ['"2024-01-02"', '"soon"', "1700000000", "null", "{}"]) {
    equal(time(value), RECEIVED, value);
  }
  equal(rowsOf(decoded(PROTOCOL, rows("{}")))[0]?.timestamp, RECEIVED);
});

Deno.test("lines that are no object are set aside, the others stored", () => {
  const deep = "[".repeat(65) + "]".repeat(65);
  const outcome = decoded(
    PROTOCOL,
    rows(`{"a":1}\n \n {"b":\n[]\r\n${deep}\n{"c":1} x\n{"d":1}\n`),
  );
  deepEqual(rowsOf(outcome).map(({ metadata }) => metadata), ['{"a":1}', '{"d":1}']);
  deepEqual(lettersOf(outcome).map(({ raw }) => raw.trim()), ['{"b":', "[]", deep, '{"c":1} x']);
  deepEqual(
    outcome.problems?.map(({ line, code }) => [line, code]),
    [[3, "malformed-json"], [4, "type"], [5, "too-deep"], [6, "malformed-json"]],
  );
  equal(outcome.aside?.protocol, "tinybird/page_views");
});

Deno.test("a request of bad lines alone is taken, all of it set aside", () => {
  const outcome = decoded(PROTOCOL, rows("5\n6"));
  equal(outcome.submission, null);
  equal(outcome.aside?.events, 2);
});

Deno.test("a byte order mark is no part of the first line", () => {
  const outcome = decoded(PROTOCOL, rows('\ufeff{"a":1}\n{"b":1}'));
  deepEqual(rowsOf(outcome).map(({ metadata }) => metadata), ['{"a":1}', '{"b":1}']);
  equal(lettersOf(outcome).length, 0);
});

Deno.test("with format=json the body is one object, on any number of lines", () => {
  const json = (body: string) => rows(body, "name=x&format=json");
  equal(rowsOf(decoded(PROTOCOL, json(' {"a":\n1} ')))[0]?.metadata, '{"a":\n1}');
  equal(lettersOf(decoded(PROTOCOL, json("[{}]")))[0]?.raw, "[{}]");
  equal(refusalOf(PROTOCOL, json("{}{}")).code, "malformed-json");
  equal(refusalOf(PROTOCOL, json("")).code, "empty-body");
});

Deno.test("a request without lines is refused as empty", () => {
  for (const body of ["", "\n", " \r\n\t\n", "\ufeff", "\ufeff\n"]) {
    equal(refusalOf(PROTOCOL, rows(body)).code, "empty-body", JSON.stringify(body));
  }
});

Deno.test("too many lines refuse the request, a large line is set aside", () => {
  const protocol = tinybirdProtocol({ maxRequestEvents: 2, maxEventBytes: 7 });
  const outcome = decoded(protocol, rows('{"a":1}\n{"a":"é"}\n'));
  equal(rowsOf(outcome).length, 1);
  equal(outcome.problems?.[0]?.code, "event-too-large");
  const refusal = refusalOf(protocol, rows("{}\n\nx\n{}"));
  equal(refusal.code, "too-many-events");
  equal(refusal.events, 3);
});

Deno.test("a body of line breaks alone takes no time", () => {
  const start = performance.now();
  equal(refusalOf(PROTOCOL, rows("\n".repeat(8_000_000))).code, "empty-body");
  ok(performance.now() - start < 1000);
});

Deno.test("the name of a data source is required, and may not be just anything", () => {
  const refuses = (query: string) => ROUTE.refusesHead?.(headOf(rows("", query)))?.code ?? null;
  for (const name of ["a", "_x9", "Page_Views", "x".repeat(128)]) {
    equal(refuses(`name=${name}`), null);
  }
  for (const name of ["", "9a", "a-b", "a.b", "a%2Fb", "a%20b", "%C3%A9", "x".repeat(129)]) {
    equal(refuses(`name=${name}`), "parameter", name);
  }
  equal(refuses(""), "parameter");
  equal(refuses("name=a&format=ndjson"), null);
  equal(refuses("name=a&format=json"), null);
  equal(refuses("name=a&format=csv"), "parameter");
});

Deno.test("wait=true waits for the commit, and is told how it went", () => {
  const prefers = (query: string) => ROUTE.preference?.(headOf(rows("", query))) ?? null;
  deepEqual(prefers("name=a&wait=true"), { kind: "wait", seconds: 10 });
  equal(prefers("name=a&wait=false"), null);
  equal(prefers("name=a"), null);
  const sent = rows('{"a":1}\n{"a":2}\nx'), outcome = decoded(PROTOCOL, sent);
  const answer = (more: Partial<Outcome>) => {
    const { status, body } = formatOf(PROTOCOL, sent).accepted(outcomeOf(sent, outcome, more));
    equal(body, '{"successful_rows":2,"quarantined_rows":1}');
    return status;
  };
  const preference = { kind: "wait", seconds: 10 } as const;
  equal(answer({ preference, level: "committed" }), 200);
  equal(answer({ preference, level: "queued" }), 202);
  equal(answer({ level: "committed" }), 202);
});

Deno.test("every refusal has its status, and 429 says when to come again", () => {
  const statuses: Partial<Record<RefusalCode, number>> = {
    "draining": 503,
    "empty-body": 400,
    "forbidden": 403,
    "internal": 500,
    "malformed-json": 400,
    "parameter": 400,
    "queue-full": 429,
    "rate-limited": 429,
    "store-failing": 429,
    "too-many-bodies": 429,
    "too-many-events": 413,
    "unauthorized": 403,
    "unconfirmed": 503,
  };
  for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
    const { status, body, headers } = ROUTE.refused({ code, detail: "Why." });
    equal(body, '{"error":"Why."}');
    if (statuses[code] !== undefined) equal(status, statuses[code], code);
    const limit = { "retry-after": "1", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" };
    deepEqual(headers, status === 429 ? limit : {}, code);
  }
  const headers = { "retry-after": "60", "x-ratelimit-limit": "100" };
  deepEqual(ROUTE.refused({ code: "rate-limited", detail: "Why.", headers }).headers, {
    "retry-after": "5",
    "x-ratelimit-limit": "100",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "5",
  });
});

Deno.test("the token comes in the header or the query", () => {
  const credential = (target: string, headers: Record<string, string> = {}) =>
    ROUTE.credential(headOf({ target, headers }));
  deepEqual(credential("/v0/events?name=a&token=t"), { token: "t", isInUrl: true });
  deepEqual(credential("/v0/events?token=u", { authorization: "Bearer t" }), {
    token: "t",
    isInUrl: false,
  });
  equal(credential("/v0/events?name=a"), null);
});

Deno.test("rows and dead letters can be replayed to their data source", () => {
  const replay = (raw: string, name: string) =>
    PROTOCOL.replay(new TextEncoder().encode(raw), contextOf(PROTOCOL, { target: "/x" }), name);
  const [row] = rowsOf(decoded(PROTOCOL, rows('{"timestamp":"2024-01-02 03:04:05"}')));
  const again = replay(row?.metadata ?? "", "page_views");
  ok(!isRefusal(again));
  deepEqual(rowsOf(again), [row]);
  const bad = replay("[]", "page_views");
  ok(isRefusal(bad) && bad.code === "invalid-event");
  const nowhere = replay("{}", "");
  ok(isRefusal(nowhere) && nowhere.code === "parameter");
});

Deno.test("takes what the TypeScript SDK sends", () => {
  const sent: Sent = {
    target: "/v0/events?name=page_views&wait=true&from=ts-sdk",
    headers: { "content-type": "application/x-ndjson", "authorization": "Bearer tok" },
    body: '{"timestamp":"2024-01-02 03:04:05.678","a":1}\n{"b":"x\\ny"}',
  };
  equal(ROUTE.refusesHead?.(headOf(sent)), null);
  deepEqual(
    rowsOf(decoded(PROTOCOL, sent)).map(({ timestamp, metadata }) => [timestamp, metadata]),
    [
      ["2024-01-02T03:04:05.678Z", '{"timestamp":"2024-01-02 03:04:05.678","a":1}'],
      [RECEIVED, '{"b":"x\\ny"}'],
    ],
  );
});

const LINES = fc.array(fc.oneof(jsonText, fc.string(), fc.constantFrom("\n", "\r\n", "{}\n")))
  .map((parts) => parts.join("\n"));

Deno.test("whatever is sent, each line is a row, a dead letter, or blank", () => {
  fc.assert(
    fc.property(LINES, fc.constantFrom("ndjson", "json"), (body, format) => {
      const outcome = decodeSent(PROTOCOL, rows(body, `name=a&format=${format}`));
      if (isRefusal(outcome)) return ok(outcome.detail.length > 0);
      for (const { metadata } of rowsOf(outcome)) equal(typeof JSON.parse(metadata), "object");
      const lines = body.split("\n").filter((line) => /[^ \t\r\ufeff]/.test(line));
      const found = rowsOf(outcome).length + lettersOf(outcome).length;
      if (format === "ndjson" && !body.includes("\ufeff")) equal(found, lines.length);
    }),
    { numRuns: 500 },
  );
});
