/** Segment's client for Node, `@segment/analytics-node`. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { Analytics } from "@segment/analytics-node";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullThenFrees, stoppedAndStarted, wrongToken } from "./scenarios.ts";
import { columns, type Json } from "./stored.ts";

const CLIENT: Client = { name: "segment analytics-node", npm: "@segment/analytics-node" };
const WHEN = "2026-11-24T11:03:40.123Z";

const ADAPTER: Adapter = {
  open(url, token) {
    const analytics = new Analytics({ host: url, writeKey: token, flushAt: 3, flushInterval: 150 });
    analytics.on("error", () => {}); // or it throws
    return {
      send: (mark) =>
        new Promise((resolve) => {
          const track = { userId: "u1", event: "Sent", properties: { mark } };
          analytics.track(track, (error) => resolve(error ? String(error) : null));
        }),
      close: async () => {
        await analytics.closeAndFlush();
        return "";
      },
    };
  },
  markOf: ({ properties }) => properties.mark,
};

cell(CLIENT, "a", { expects: "all six calls are stored as they were sent" }, async () => {
  await using live = await Live.start({ tokens: { "web-shop": [] } });
  const sent: Json[] = [];
  const analytics = new Analytics({
    host: live.url,
    writeKey: live.token("web-shop"),
    flushAt: 6,
    flushInterval: 10_000,
  });
  analytics.on("http_request", ({ body }) => sent.push(...JSON.parse(String(body)).batch));
  const user = { userId: "42", timestamp: new Date(WHEN) };
  const properties = { total: 1e21, name: "Zoë \u{1f525} \u2028", list: [null, 0.1] };
  analytics.identify({ ...user, traits: { plan: "pro" }, messageId: "id-1" });
  analytics.track({ ...user, event: "Order Completed", properties, messageId: "id-2" });
  analytics.page({ anonymousId: "anon", timestamp: WHEN, name: "Home", messageId: "id-3" });
  analytics.screen({ anonymousId: "anon", timestamp: WHEN, name: "Main", messageId: "id-4" });
  analytics.group({ ...user, groupId: "g1", messageId: "id-5" });
  analytics.alias({ userId: "new", previousId: "old", timestamp: WHEN, messageId: "id-6" });
  await analytics.closeAndFlush();
  await live.stop();
  deepEqual(live.rows().map(columns), [
    ["web-shop", "identify", "42", 42n, WHEN, "id-1"],
    ["web-shop", "Order Completed", "42", 42n, WHEN, "id-2"],
    ["web-shop", "page", "anon", null, WHEN, "id-3"],
    ["web-shop", "screen", "anon", null, WHEN, "id-4"],
    ["web-shop", "group", "42", 42n, WHEN, "id-5"],
    ["web-shop", "alias", "new", null, WHEN, "id-6"],
  ]);
  deepEqual(live.rows().map(({ metadata }) => metadata), sent);
  deepEqual(live.rows()[1]?.metadata.properties, properties);
});

cell(CLIENT, "b", {
  expects: "after 429 it sends again, and all is stored once",
  note: "429 with Retry-After does not count against maxRetries; it gives up after " +
    "maxRetries + 20 tries (30 by default) or 12 hours.",
}, () => fullThenFrees(ADAPTER));

cell(CLIENT, "c", {
  expects: "what failed is sent again, and all is stored once",
  note: "By default 10 tries again, after 1 to 60 s; Retry-After of a 503 is not looked at.",
}, () => stoppedAndStarted(ADAPTER));

cell(CLIENT, "d", {
  expects: "200, the good ones are stored, the bad one is a dead letter",
  note:
    "The client itself lets a track without a name pass. It is not told: after a 4xx it would " +
    "drop the good ones too.",
}, async () => {
  await using live = await Live.start();
  const analytics = new Analytics({ host: live.url, writeKey: "any", flushAt: 3 });
  const statuses: number[] = [], errors: unknown[] = [];
  analytics.on("http_response", ({ status }) => statuses.push(status));
  analytics.on("error", (error) => errors.push(error));
  for (const event of ["First", "", "Last"]) analytics.track({ userId: "u1", event });
  await analytics.closeAndFlush();
  await live.stop();
  deepEqual({ statuses, errors }, { statuses: [200], errors: [] });
  deepEqual(live.rows().map(({ type }) => type), ["First", "Last"]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  match(letter?.reason ?? "", /^missing at \/batch\/1\/event: /);
  equal(JSON.parse(letter?.raw ?? "").event, "");
});

cell(CLIENT, "token", { expects: "401, nothing is stored" }, () => wrongToken(ADAPTER, /\[401\]/));
