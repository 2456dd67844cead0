/** RudderStack's client for Node, `@rudderstack/rudder-sdk-node`, which sends gzip by default. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import Rudder from "@rudderstack/rudder-sdk-node";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullThenFrees, stoppedAndStarted, wrongToken } from "./scenarios.ts";
import { columns, type Json } from "./stored.ts";

const CLIENT: Client = { name: "rudderstack sdk-node", npm: "@rudderstack/rudder-sdk-node" };
const WHEN = "2026-11-24T11:03:40.123Z";

function open(url: string, token: string, options: Record<string, unknown> = {}): Rudder {
  return new Rudder(token, {
    dataPlaneUrl: url,
    flushInterval: 100,
    logLevel: "none",
    errorHandler: () => {}, // without one it throws where nobody catches
    ...options,
  });
}

/** What a call is given: null, or what went wrong; and the batch as it was sent, gzip and all. */
type Callback = (error?: unknown, body?: Uint8Array) => void;

/** Sends by any of its calls and resolves to what it tells of that. */
function told(call: (callback: Callback) => void): Promise<string | null> {
  return new Promise((resolve) => call((error) => resolve(error ? String(error) : null)));
}

const ADAPTER: Adapter = {
  open(url, token) {
    const rudder = open(url, token, { flushAt: 3, retryCount: 10 });
    return {
      send: (mark) =>
        told((callback) =>
          rudder.track({ userId: "u1", event: "Sent", properties: { mark } }, callback)
        ),
      close: async () => {
        await rudder.flush();
        return "";
      },
    };
  },
  markOf: ({ properties }) => properties.mark,
};

cell(CLIENT, "a", { expects: "all six calls are stored as they were sent" }, async () => {
  await using live = await Live.start({ tokens: { "web-shop": [] } });
  const rudder = open(live.url, live.token("web-shop"));
  const user = { userId: "42", timestamp: new Date(WHEN) };
  const anonymous = { anonymousId: "anon", timestamp: new Date(WHEN) };
  const properties = { total: 1e21, name: "Zoë \u{1f525} \u2028", list: [null, 0.1] };
  const calls: ((done: Callback) => void)[] = [
    (done) => rudder.identify({ ...user, traits: { plan: "pro" } }, done),
    (done) => rudder.track({ ...user, event: "Order Completed", properties }, done),
    (done) => rudder.page({ ...anonymous, name: "Home" }, done),
    (done) => rudder.screen({ ...anonymous, name: "Main" }, done),
    (done) => rudder.group({ ...user, groupId: "g1" }, done),
    (done) => rudder.alias({ userId: "new", previousId: "old", timestamp: new Date(WHEN) }, done),
  ];
  const bodies = new Set<Uint8Array>(); // as sent: each callback is given that of its batch
  const answers = calls.map((call) =>
    told((done) =>
      call((error, body) => {
        if (body !== undefined) bodies.add(body);
        done(error);
      })
    )
  );
  deepEqual(await Promise.all(answers), calls.map(() => null));
  const sent: Json[] = [...bodies].flatMap((body) => JSON.parse(String(gunzipSync(body))).batch);
  await live.stop();
  const rows = live.rows();
  deepEqual(rows.map(columns).map((each) => each.slice(0, 5)), [
    ["web-shop", "identify", "42", 42n, WHEN],
    ["web-shop", "Order Completed", "42", 42n, WHEN],
    ["web-shop", "page", "anon", null, WHEN],
    ["web-shop", "screen", "anon", null, WHEN],
    ["web-shop", "group", "42", 42n, WHEN],
    ["web-shop", "alias", "new", null, WHEN],
  ]);
  deepEqual(rows.map(({ event_id }) => event_id), rows.map(({ metadata }) => metadata.messageId));
  equal(new Set(rows.map(({ event_id }) => event_id)).size, calls.length);
  deepEqual(rows[1]?.metadata.properties, properties);
  deepEqual(rows.map(({ metadata }) => metadata), sent);
});

cell(CLIENT, "b", {
  expects: "after 429 it sends again, and all is stored once",
  isTuned: true,
  note: "Run with retryCount 10. By default it tries 3 times again, each after Retry-After or " +
    "longer, and then drops the batch.",
}, () => fullThenFrees(ADAPTER));

cell(CLIENT, "c", {
  expects: "what failed is sent again, and all is stored once",
  isTuned: true,
  note: "Run with retryCount 10. By default it gives up after 3 tries again, some 1.4 s after a " +
    "connection is refused, and drops the batch.",
}, () => stoppedAndStarted(ADAPTER));

cell(CLIENT, "d", {
  expects: "200, the good ones are stored, the bad one is a dead letter",
  note: "The bad event is a track whose messageId is a number, which the client lets pass.",
}, async () => {
  await using live = await Live.start();
  const rudder = open(live.url, "any", { flushAt: 3 });
  const track = (event: string, rest = {}) =>
    told((callback) => rudder.track({ userId: "u1", event, ...rest }, callback));
  const answers = [
    track("Alone, since its first event is not batched"),
    track("First"),
    track("Bad", { messageId: 42 }),
    track("Last"),
  ];
  deepEqual(await Promise.all(answers), answers.map(() => null));
  await live.stop();
  deepEqual(live.rows().slice(1).map(({ type }) => type), ["First", "Last"]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  match(letter?.reason ?? "", /^id at \/batch\/1\/messageId: /);
  equal(JSON.parse(letter?.raw ?? "").event, "Bad");
});

cell(CLIENT, "token", { expects: "401, nothing is stored" }, () => wrongToken(ADAPTER, /401/));
