/** Segment's client for browsers, `@segment/analytics-next`, in Chromium, on a page of another origin. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import sdk from "@segment/analytics-next/dist/umd/index.js" with { type: "text" };
import { NO_CHROMIUM, Site } from "./browser.ts";
import { cell, type CellOptions, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullThenFrees, stoppedAndStarted, wrongToken } from "./scenarios.ts";
import type { Json, Row } from "./stored.ts";

const CLIENT: Client = {
  name: "segment analytics-next (Chromium)",
  npm: "@segment/analytics-next",
};
const SDK = { "/sdk.js": sdk };

interface Loading {
  readonly url: string;
  readonly token: string;
  /** How it sends; default: each event by itself. */
  readonly deliveryStrategy?: unknown;
}

/** Loads the client in the page, with its settings given inline: it asks no other host for them. */
async function load(site: Site, { url, token, deliveryStrategy }: Loading): Promise<void> {
  const segment = { apiKey: token, apiHost: `${new URL(url).host}/v1`, protocol: "http" };
  const settings = {
    writeKey: token,
    cdnURL: site.origin,
    cdnSettings: { integrations: { "Segment.io": segment } },
  };
  const options = { integrations: { "Segment.io": { ...segment, deliveryStrategy } } };
  const args = `${JSON.stringify(settings)}, ${JSON.stringify(options)}`;
  await site.evaluate(`
    window.failures = [];
    window.analytics = AnalyticsNext.AnalyticsBrowser.load(${args});
    analytics.on("error", ({ reason }) => failures.push(String(reason)));
    analytics.ready().then(() => null)
  `);
}

function adapterOf(site: Site): Adapter {
  return {
    async open(url, token) {
      site.show();
      await load(site, { url, token });
      return {
        send: async (mark) => {
          await site.evaluate(`analytics.track("Sent", { mark: "${mark}" }).then(() => null)`);
          return null;
        },
        close: async () => (await site.evaluate("failures") as string[]).join("\n"),
      };
    },
    markOf: ({ properties }) => properties.mark,
  };
}

function browserCell(
  column: Parameters<typeof cell>[1],
  options: CellOptions,
  run: (site: Site) => Promise<void>,
): void {
  cell(CLIENT, column, { ...options, skip: NO_CHROMIUM }, async () => {
    await using site = new Site(SDK);
    await run(site);
  });
}

browserCell(
  "a",
  {
    expects: "its calls are stored, and by a token for the page's origin",
    note: "In an alias of a user that was identified the client itself sends the known id as both.",
  },
  async (site) => {
    await using live = await Live.start({ tokens: { "web-shop": ["--origins", site.origin] } });
    site.show();
    await load(site, { url: live.url, token: live.token("web-shop") });
    const properties = { total: 1e21, name: "Zoë \u{1f525} \u2028", list: [null, 0.1] };
    const calls = [
      'page("Home")',
      'identify("42", { plan: "pro" })',
      `track("Order Completed", ${JSON.stringify(properties)})`,
      'group("g1", { size: 3 })',
      'alias("new")',
    ];
    const sent: Json[] = [];
    for (const call of calls) {
      sent.push(await site.evaluate(`analytics.${call}.then(({ event }) => event)`));
    }
    deepEqual(await site.evaluate("failures"), []);
    await live.untilRows(calls.length);
    await live.stop();
    const rows = live.rows(), { anonymousId } = sent[0];
    deepEqual(rows.map(({ source, type, actor, user_id }) => [source, type, actor, user_id]), [
      ["web-shop", "page", anonymousId, null],
      ["web-shop", "identify", "42", 42n],
      ["web-shop", "Order Completed", "42", 42n],
      ["web-shop", "group", "42", 42n],
      ["web-shop", "alias", "42", 42n],
    ]);
    deepEqual(
      rows.map(({ event_id, timestamp }) => [event_id, timestamp]),
      sent.map(({ messageId, timestamp }) => [messageId, timestamp]),
    );
    const asSent = ({ metadata }: Row, index: number) =>
      Object.fromEntries(Object.keys(sent[index]).map((name) => [name, metadata[name]]));
    deepEqual(rows.map(asSent), sent);
    deepEqual(rows[2]?.metadata.properties, properties);
    equal(rows[0]?.metadata.context.page.url, `${site.origin}/`);
  },
);

browserCell("b", {
  expects: "after 429 it sends again, and all is stored once",
  note:
    "Retry-After is heeded since Access-Control-Expose-Headers names it. At most 10 tries again; " +
    "what a closed page still holds is kept in localStorage.",
}, (site) => fullThenFrees(adapterOf(site), { args: ["--allowed-origins", site.origin] }));

browserCell("c", {
  expects: "what failed is sent again, and all is stored once",
  note: "At most 10 tries again, after 0.5 to 60 s.",
}, (site) => stoppedAndStarted(adapterOf(site), { args: ["--allowed-origins", site.origin] }));

browserCell("d", {
  expects: "200, the good ones are stored, the bad one is a dead letter",
  note: "In a batch (deliveryStrategy). The bad event is one of 300 kB, longer than " +
    "--max-event-bytes.",
}, async (site) => {
  await using live = await Live.start({ args: ["--allowed-origins", site.origin] });
  site.show();
  const deliveryStrategy = { strategy: "batching", config: { size: 3, timeout: 5000 } };
  await load(site, { url: live.url, token: "any", deliveryStrategy });
  await site.evaluate(`Promise.all([
    analytics.track("First"),
    analytics.track("Bad", { text: "x".repeat(300000) }),
    analytics.track("Last"),
  ]).then(() => null)`);
  await live.untilRows(2);
  await live.stop();
  deepEqual(live.rows().map(({ type }) => type), ["First", "Last"]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  match(letter?.reason ?? "", /^event-too-large at \/batch\/1: /);
  ok((letter?.raw.length ?? 0) > 300_000);
});

browserCell(
  "token",
  { expects: "401, nothing is stored" },
  (site) => wrongToken(adapterOf(site), /Non-retryable error: 401/, ["--origins", site.origin]),
);
