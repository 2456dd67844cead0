/** Tinybird's client, `@tinybirdco/sdk`, which waits until its rows are committed (`wait=true`). */

import { deepStrictEqual as deepEqual, match, ok } from "node:assert/strict";
import { createTinybirdApi, type TinybirdApi, TinybirdApiError } from "@tinybirdco/sdk/api";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullThenFrees, stoppedAndTold, wrongToken } from "./scenarios.ts";
import { columns } from "./stored.ts";

const CLIENT: Client = { name: "tinybird sdk", npm: "@tinybirdco/sdk" };
const WHEN = "2026-11-24T11:03:40.123Z";

function open(url: string, token: string): TinybirdApi {
  return createTinybirdApi({ baseUrl: url, token });
}

const ADAPTER: Adapter = {
  open(url, token) {
    const api = open(url, token);
    return {
      send: async (mark) => {
        try {
          await api.ingest("orders", { mark }, { maxRetries: 10 });
          return null;
        } catch (error) {
          return error instanceof TinybirdApiError
            ? `${error.statusCode} ${error.responseBody}`
            : String(error);
        }
      },
      close: () => Promise.resolve(""),
    };
  },
  markOf: ({ mark }) => mark,
};

cell(
  CLIENT,
  "a",
  { expects: "rows are committed before it is answered, as they were sent" },
  async () => {
    await using live = await Live.start({ tokens: { "web-shop": [] } });
    const api = open(live.url, live.token("web-shop"));
    const rows = [
      { timestamp: WHEN, total: 1e21, name: "Zoë \u{1f525} \u2028", list: [null, 0.1] },
      { timestamp: "2026-11-24 11:03:41", nested: { id: 2n } },
    ];
    const answers = [
      await api.ingestBatch("orders", rows),
      await api.ingest("visits", { path: "/" }, { wait: false }),
    ];
    ok(live.rows().length >= rows.length, "what was waited for is committed");
    deepEqual(answers, [
      { successful_rows: 2, quarantined_rows: 0 },
      { successful_rows: 1, quarantined_rows: 0 },
    ]);
    await live.stop();
    deepEqual(live.rows().map(({ metadata }) => metadata), [
      rows[0],
      { ...rows[1], nested: { id: "2" } },
      { path: "/" },
    ]);
    const [first, second, third] = live.rows().map(columns);
    deepEqual(first, ["web-shop", "orders", null, null, WHEN, null]);
    deepEqual(second?.slice(0, 4), ["web-shop", "orders", null, null]);
    deepEqual(third?.slice(0, 4), ["web-shop", "visits", null, null]);
  },
);

cell(CLIENT, "b", {
  expects: "after 429 it sends again, and all is stored once",
  isTuned: true,
  note: "Run with maxRetries 10; without that option it never sends again, and throws.",
}, () => fullThenFrees(ADAPTER));

cell(CLIENT, "c", {
  expects: "what is stored is what it was told is accepted, once each",
  isLimit: true,
  note: "Even with maxRetries it does not send again when the connection is refused: it throws. " +
    "After 503 it does.",
}, () => stoppedAndTold(ADAPTER));

cell(CLIENT, "d", {
  expects: "quarantined_rows: 1, the good ones are stored, the bad one is a dead letter",
  note: "The bad row is one of 300 kB, longer than --max-event-bytes.",
}, async () => {
  await using live = await Live.start();
  const rows = [{ name: "first" }, { name: "x".repeat(300_000) }, { name: "last" }];
  deepEqual(await open(live.url, "any").ingestBatch("orders", rows), {
    successful_rows: 2,
    quarantined_rows: 1,
  });
  await live.stop();
  deepEqual(live.rows().map(({ metadata }) => metadata), [rows[0], rows[2]]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  match(letter?.reason ?? "", /^event-too-large/);
  deepEqual(JSON.parse(letter?.raw ?? ""), rows[1]);
});

cell(CLIENT, "token", { expects: "403, nothing is stored" }, () => wrongToken(ADAPTER, /^403 /));
