/** Events found again as a person looks for them: by user, type, source, id, time, metadata. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "./collector_process.ts";
import { step } from "./expect.ts";
import { WAYS } from "./protocol_requests.ts";
import {
  allIds,
  eventText,
  type PageJson,
  parameters,
  read,
  readJson,
  refusal,
} from "./reading.ts";
import { type StoredEvent, storedEvents } from "./rows.ts";

const NATIVE = [
  '{"id":"n1","user_id":-9223372036854775808,"timestamp":"2026-11-24T11:03:40Z","metadata":' +
  '{"path":"/checkout", "n" : 9223372036854775807,"x":1.0,"n":2, "deep":{"a":[{"b":true}]}}}',
  '{"user_id":9223372036854775807,"timestamp":"2026-11-24T11:03:40.000000001Z","metadata":' +
  '{\n  "pretty": [\r\n    1e400, null\n  ],\n  "path": "/\\u00e9" \n}}',
  '{"user_id":17,"timestamp":"2026-11-24T11:03:40+01:00","metadata":{"path":"/é","empty":""}}',
];

/** Sends a few events in the words of every protocol. */
async function sendAll(collector: CollectorProcess): Promise<void> {
  for (const body of NATIVE) equal((await collector.post("/event", body)).status, 202);
  for (const { name, target, headers, takesMany, body } of WAYS) {
    const marks = takesMany ? [`${name} 1`, `${name} 2`] : [`${name} 1`];
    const { status, text } = await collector.post(target, new Blob([body(marks)]), { ...headers });
    ok(status === 202 || status === 200, `${name}: ${status} ${text}`);
  }
  await collector.settled();
}

/** Every way to narrow a query, and which rows it must find. */
function filters(rows: readonly StoredEvent[]): [Record<string, string | number>, Row][] {
  const middle = rows[Math.floor(rows.length / 2)]?.received_at ?? 0n;
  const iso = new Date(Number(middle)).toISOString();
  return [
    [{}, () => true],
    [{ user_id: "9223372036854775807" }, ({ user_id }) => user_id === 9223372036854775807n],
    [{ user_id: "-9223372036854775808" }, ({ user_id }) => user_id === -9223372036854775808n],
    [{ user_id: "9007199254740992" }, () => false],
    [{ user_id: "u1" }, ({ actor }) => actor === "u1"],
    [{ user_id: "17" }, ({ user_id, actor }) => user_id === 17n || actor === "17"],
    [{ user_id: "017" }, () => false],
    [{ type: "Bought" }, ({ type }) => type === "Bought"],
    [{ type: "bought" }, ({ type }) => type === "bought"],
    [{ source: "cloudevents" }, ({ source }) => source === "cloudevents"],
    [{ source: "nobody" }, () => false],
    [{ event_id: "n1" }, ({ event_id }) => event_id === "n1"],
    [{ event_id: "native 2" }, ({ event_id }) => event_id === "native 2"],
    [{ from: iso }, ({ received_at }) => received_at >= middle],
    [{ to: String(middle) }, ({ received_at }) => received_at < middle],
    [{ from: "2020-01-01", to: "2021-01-01" }, () => false],
    [{ "where[path]": "/checkout" }, ({ metadata }) => metadata.includes("/checkout")],
    [{ "where[path]": "/é" }, ({ metadata }) => /\/é|u00e9/.test(metadata)],
    [{ "where[deep.a.0.b]": "true" }, ({ metadata }) => metadata.includes('"deep"')],
    [{ "where[empty]": "" }, ({ metadata }) => metadata.includes('"empty":""')],
    [{ "where[properties.m]": "posthog 1" }, ({ metadata }) => /"m":"posthog 1"/.test(metadata)],
    [
      { type: "bought", source: "posthog", user_id: 17, "where[properties.m]": "posthog 2" },
      ({ source, metadata }) => source === "posthog" && metadata.includes('"m":"posthog 2"'),
    ],
  ];
}

type Row = (row: StoredEvent) => boolean;

Deno.test("events of every protocol are found again by all that is known of them", async (t) => {
  await using collector = await CollectorProcess.start();
  await sendAll(collector);
  const rows = storedEvents(collector.database), all = rows.map(({ id }) => Number(id));
  ok(rows.length >= 20 && new Set(rows.map(({ source }) => source)).size === 7);
  const get = (target: string, init?: RequestInit) => read(collector, target, init);

  await step(
    t,
    "all filters, alone and together, in both orders, in pages of any size",
    async () => {
      for (const [filter, isMeant] of filters(rows)) {
        const expected = rows.filter(isMeant).map(({ id }) => Number(id));
        for (const limit of [1, 4, 1000]) {
          const query = parameters({ ...filter, limit });
          deepEqual(await allIds(collector, `${query}&order=asc`), expected, query);
          deepEqual(await allIds(collector, query), expected.toReversed(), query);
        }
      }
    },
  );

  await step(t, "each event is shown as it was sent, by pages, lines and itself", async () => {
    const page = await get("/events?limit=1000&order=asc");
    const lines = await get("/events?limit=1000&order=asc&format=ndjson");
    equal(lines.text, rows.map((row) => eventText(row) + "\n").join(""));
    equal(
      page.text,
      `{"events":[${rows.map(eventText).join(",\n")}],"next":null,"complete":true}\n`,
    );
    for (const row of rows) {
      const one = await get(`/events/${row.id}`);
      equal(one.text, `${eventText(row)}\n`);
      equal(one.headers.get("content-type"), "application/json");
    }
    const [first = "", second = ""] = lines.text.split("\n");
    match(first, /"user_id":-9223372036854775808,/);
    ok(first.endsWith(NATIVE[0]?.slice(NATIVE[0].indexOf('{"path"')) ?? "?"), "byte for byte");
    match(second, /"metadata":\{ {3}"pretty": \[ {6}1e400, null {3}\],/);
  });

  await step(
    t,
    "NDJSON: by Accept or format; Link leads on to the end, through every event",
    async () => {
      const found: number[] = [];
      let target: string | undefined = `/events?${parameters({ limit: 7, order: "asc" })}`;
      while (target !== undefined) {
        const { status, headers, text } = await get(target, {
          headers: { accept: "application/x-ndjson" },
        });
        equal(status, 200, text);
        equal(headers.get("content-type"), "application/x-ndjson");
        const lines = text.split("\n");
        equal(lines.pop(), "");
        found.push(...lines.map((line) => JSON.parse(line).id));
        const link: string | null = headers.get("link");
        target = link === null ? undefined : /^<(.+)>; rel="next"$/.exec(link)?.[1];
        ok(link === null || target !== undefined, link ?? "");
      }
      deepEqual(found, all);
    },
  );

  await step(t, "a page that events come to meanwhile goes on where it was", async () => {
    const first: PageJson = await readJson(collector, "/events?limit=3");
    equal((await collector.post("/event", NATIVE[2] ?? "")).status, 202);
    const rest = await allIds(collector, "limit=3", first.next);
    deepEqual([...first.events.map(({ id }) => id), ...rest], all.toReversed());
  });

  await step(t, "HEAD and OPTIONS tell of each path; other methods get 405 and Allow", async () => {
    for (const path of ["/events/1", "/series", "/top", "/export", "/tail"]) {
      const head = await get(path, { method: "HEAD" });
      deepEqual([head.status, head.text], [200, ""], path);
      const asked = await get(path, { method: "OPTIONS" });
      deepEqual([asked.status, asked.headers.get("allow")], [204, "GET, HEAD, OPTIONS"], path);
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        const other = await get(path, { method });
        deepEqual(refusal(other), [405, "method"], `${method} ${path}`);
        equal(other.headers.get("allow"), "GET, HEAD, OPTIONS");
      }
    }
    const allow = "GET, HEAD, POST, OPTIONS";
    deepEqual([(await get("/events", { method: "HEAD" })).status], [200]);
    const asked = await get("/events", { method: "OPTIONS" });
    deepEqual([asked.status, asked.headers.get("allow")], [204, allow]);
    const other = await get("/events", { method: "DELETE" });
    deepEqual([...refusal(other), other.headers.get("allow")], [405, "method", allow]);
    for (let i = 0; i < 8; i++) await get("/export", { method: "POST" });
    match((await get("/stats")).text, /"tails": ?\{\s*"open": 0,/);
    equal((await get("/export")).status, 200, "what nobody reads is still open");
  });

  await step(t, "what is not there is 404, and says so", async () => {
    for (const id of [0, 999, 999999999999999]) {
      deepEqual(refusal(await get(`/events/${id}`)), [404, "unknown-event"]);
    }
    for (
      const path of ["/events/", "/events/x", "/events/-1", "/events/1/", "/events/1.0", "/tail/"]
    ) {
      deepEqual(refusal(await get(path)), [404, "not-found"], path);
    }
  });
});
