/** What no honest client asks of the read API: it is told what is wrong, nothing is changed by it. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { attacked } from "./attacked.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { type PageJson, parameters, read, readJson, refusal } from "./reading.ts";

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
