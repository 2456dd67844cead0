/** A web page that uses no client at all: `fetch`, and `sendBeacon` when it is left. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CHROMIUM, NO_CHROMIUM, Site } from "./browser.ts";
import { cell, type Client } from "./cell.ts";
import { Live, SMALL_QUEUE } from "./live.ts";
import { columns, type Json } from "./stored.ts";

const CLIENT: Client = {
  name: `web page without a client (Chromium ${CHROMIUM ?? "missing"})`,
  npm: null,
};
const WHEN = "2026-11-24T11:03:40.123Z";

function event(mark: string, rest = {}): string {
  return JSON.stringify({ user_id: 42, timestamp: WHEN, metadata: { mark }, ...rest });
}

/** Sends by `fetch` with a token in Authorization, which needs a preflight, and reads the answer. */
async function post(
  site: Site,
  url: string,
  { token, body, prefer }: { token: string; body: string; prefer?: string },
): Promise<{ status: number; retryAfter: string | null; body: Json }> {
  const init = {
    method: "POST",
    headers: {
      "authorization": `Bearer ${token}`,
      "content-type": "application/json",
      ...prefer === undefined ? {} : { prefer },
    },
    body,
  };
  return await site.evaluate(`
    fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then(async (response) => ({
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      body: await response.json(),
    }))
  `) as Json;
}

cell(CLIENT, "a", {
  expects: "fetch with Authorization is stored and read, sendBeacon on pagehide is stored",
  skip: NO_CHROMIUM,
}, async () => {
  await using site = new Site();
  await using live = await Live.start({ tokens: { "web-shop": ["--origins", site.origin] } });
  const token = live.token("web-shop");
  site.show();
  deepEqual(await post(site, `${live.url}/event`, { token, body: event("fetch", { id: "e1" }) }), {
    status: 202,
    retryAfter: null,
    body: { status: "accepted", stored: "committed" },
  });
  const beacon = [`${live.url}/event?token=${token}`, event("beacon \u{1f525}")];
  const args = beacon.map((each) => JSON.stringify(each)).join();
  await site.evaluate(`
    addEventListener("pagehide", () => navigator.sendBeacon(${args})), null
  `);
  await site.leave("/next");
  await live.untilRows(2);
  await live.stop();
  deepEqual(live.rows().map(columns), [
    ["web-shop", null, null, 42n, WHEN, "e1"],
    ["web-shop", null, null, 42n, WHEN, null],
  ]);
  deepEqual(live.rows().map(({ metadata }) => metadata.mark), ["fetch", "beacon \u{1f525}"]);
});

cell(CLIENT, "b", {
  expects: "the page reads 503 and Retry-After, and nothing refused is stored",
  isLimit: true,
  note: "fetch does not send again: the page has to. It can read Retry-After.",
  skip: NO_CHROMIUM,
}, async () => {
  await using site = new Site();
  await using live = await Live.start({ args: [...SMALL_QUEUE, "--allowed-origins", site.origin] });
  site.show();
  const full = await live.fill(), to = `${live.url}/event`;
  const { status, retryAfter, body } = await post(site, to, { token: "any", body: event("1") });
  deepEqual([status, body.type, body.stored], [503, "/problems/queue-full", "none"]);
  match(retryAfter ?? "", /^[1-9]\d*$/);
  await full.release();
  equal((await post(site, to, { token: "any", body: event("2") })).status, 202);
  await live.stop();
  deepEqual(live.rows().map(({ metadata }) => metadata.mark), ["2"]);
});

cell(CLIENT, "d", {
  expects:
    "with Prefer: handling=lenient 202, the good ones are stored, the bad one is a dead letter",
  note:
    "With `Prefer: handling=lenient`; without it the request is refused whole, 422, and the answer names the bad one.",
  skip: NO_CHROMIUM,
}, async () => {
  await using site = new Site();
  await using live = await Live.start({ args: ["--allowed-origins", site.origin] });
  site.show();
  const bad = event("bad", { user_id: "42" });
  const to = `${live.url}/events`;
  const events = { token: "any", body: `[${event("1")},${bad},${event("2")}]` };
  const strict = await post(site, to, events);
  const lenient = await post(site, to, { ...events, prefer: "handling=lenient" });
  deepEqual([strict.status, strict.body.stored], [422, "none"]);
  deepEqual([lenient.status, lenient.body.accepted, lenient.body.rejected], [202, 2, 1]);
  for (const { body: { errors } } of [strict, lenient]) equal(errors[0].pointer, "/1/user_id");
  await live.stop();
  deepEqual(live.rows().map(({ metadata }) => metadata.mark), ["1", "2"]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  equal(letter?.raw, bad);
});

cell(CLIENT, "token", { expects: "401, nothing is stored", skip: NO_CHROMIUM }, async () => {
  await using site = new Site();
  await using live = await Live.start({ tokens: { right: ["--origins", site.origin] } });
  site.show();
  const wrong = { token: "fh_wrong", body: event("1") };
  const { status, body } = await post(site, `${live.url}/event`, wrong);
  deepEqual([status, body.type], [401, "/problems/unauthorized"]);
  await live.stop();
  deepEqual([live.rows(), live.deadLetters()], [[], []]);
});
