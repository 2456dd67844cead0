/** PostHog's client for Node, `posthog-node`, which sends gzip by default. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { PostHog } from "posthog-node";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullThenFrees, stoppedAndStarted, wrongToken } from "./scenarios.ts";
import { columns } from "./stored.ts";

const CLIENT: Client = { name: "posthog-node", npm: "posthog-node" };
const WHEN = "2026-11-24T11:03:40.123Z";

function open(url: string, token: string, options = {}): { posthog: PostHog; said: string[] } {
  const posthog = new PostHog(token, { host: url, flushInterval: 100, ...options });
  const said: string[] = [];
  posthog.on("error", (error) => said.push(String(error)));
  return { posthog, said };
}

const ADAPTER: Adapter = {
  open(url, token) {
    const retries = { fetchRetryCount: 10, fetchRetryDelay: 300 };
    const { posthog, said } = open(url, token, { flushAt: 3, ...retries });
    return {
      send: (mark) => {
        posthog.capture({ distinctId: "u1", event: "Sent", properties: { mark } });
        return Promise.resolve(null);
      },
      close: async () => {
        await posthog.shutdown();
        return said.join("\n");
      },
    };
  },
  markOf: ({ properties }) => properties.mark,
};

cell(
  CLIENT,
  "a",
  { expects: "captures, identify, alias and groups are stored as sent" },
  async () => {
    await using live = await Live.start({ tokens: { "web-shop": [] } });
    const { posthog, said } = open(live.url, live.token("web-shop"), { flushAt: 100 });
    const uuids = [1, 2].map((n) => `01890a5d-ac96-774b-bcce-b302099a805${n}`);
    const properties = { total: 1e21, name: "Zoë \u{1f525} \u2028", list: [null, 0.1] };
    const capture = { distinctId: "42", event: "order completed", timestamp: new Date(WHEN) };
    posthog.capture({ ...capture, properties, uuid: uuids[0] ?? "" });
    posthog.capture({ ...capture, distinctId: "anon", uuid: uuids[1] ?? "" });
    posthog.identify({ distinctId: "u1", properties: { plan: "pro" } });
    posthog.alias({ distinctId: "u1", alias: "a1" });
    posthog.groupIdentify({ groupType: "company", groupKey: "g1", properties: { size: 3 } });
    await posthog.shutdown();
    await live.stop();
    deepEqual(said, []);
    const rows = live.rows();
    deepEqual(rows.slice(0, 2).map(columns), [
      ["web-shop", "order completed", "42", 42n, WHEN, uuids[0]],
      ["web-shop", "order completed", "anon", null, WHEN, uuids[1]],
    ]);
    deepEqual(rows.slice(2).map(({ source, type, actor }) => [source, type, actor]), [
      ["web-shop", "$identify", "u1"],
      ["web-shop", "$create_alias", "u1"],
      ["web-shop", "$groupidentify", "$company_g1"],
    ]);
    deepEqual(rows.map(({ event_id }) => event_id), rows.map(({ metadata }) => metadata.uuid));
    const own = Object.entries(rows[0]?.metadata.properties).filter(([name]) =>
      !name.startsWith("$")
    );
    deepEqual(Object.fromEntries(own), properties);
    equal(rows[0]?.metadata.properties.$lib, "posthog-node");
    deepEqual(rows[3]?.metadata.properties.alias, "a1");
  },
);

cell(CLIENT, "b", {
  expects: "after 503 it sends again, and all is stored once",
  isTuned: true,
  note:
    "Run with fetchRetryDelay 300 ms and fetchRetryCount 10. By default it tries 3 times again, " +
    "3 s apart, whatever Retry-After says, and then drops the batch.",
}, () => fullThenFrees(ADAPTER));

cell(CLIENT, "c", {
  expects: "what failed is sent again, and all is stored once",
  isTuned: true,
  note:
    "Run with fetchRetryDelay 300 ms and fetchRetryCount 10. When its tries are used up, it keeps " +
    "the batch for the next flush after a network error, and drops it after a 503.",
}, () => stoppedAndStarted(ADAPTER));

cell(CLIENT, "d", {
  expects: "200, the good ones are stored, the bad one is a dead letter",
  note:
    "The client lets an event without a name pass. It is not told: it would drop the good ones " +
    "too.",
}, async () => {
  await using live = await Live.start();
  const { posthog, said } = open(live.url, "any", { flushAt: 100 });
  for (const event of ["first", "", "last"]) posthog.capture({ distinctId: "u1", event });
  await posthog.shutdown();
  await live.stop();
  deepEqual(said, []);
  deepEqual(live.rows().map(({ type }) => type), ["first", "last"]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  match(letter?.reason ?? "", /^missing at \/batch\/1\/event: /);
  equal(JSON.parse(letter?.raw ?? "").event, "");
});

cell(CLIENT, "token", { expects: "401, nothing is stored" }, () => wrongToken(ADAPTER, /401/));
