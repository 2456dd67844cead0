/**
 * Pictures of the dashboard at work: throughput under load, an event found, an export. They are kept
 * in the folder that FIREHOUSE_SCREENSHOTS names; `docs/screenshots` has those of the README.
 */

import { ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { browserTest, LAPTOP, PHONE, SCREENSHOTS, Visit } from "./visit.ts";

const PICTURE_BYTES_MAX = 200_000;
const LOAD_MS = 45_000, STEP_MS = 100;
const TYPES = ["Page viewed", "Page viewed", "Product viewed", "Added to cart", "Order paid"];

/** Sends for a while, now more and now less, as a shop does. */
async function sendShop({ url }: CollectorProcess): Promise<void> {
  const headers = { "content-type": "application/json", authorization: `Basic ${btoa("x:")}` };
  const startMs = performance.now();
  for (let sent = 0; performance.now() - startMs < LOAD_MS;) {
    const seconds = (performance.now() - startMs) / 1000;
    const count = Math.round(60 + 35 * Math.sin(seconds / 3) + 15 * Math.sin(seconds * 1.7));
    const batch = Array.from({ length: count }, () => shopEvent(sent++));
    const body = JSON.stringify({ batch });
    await (await fetch(`${url}/v1/batch`, { method: "POST", headers, body })).text();
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

function shopEvent(n: number): object {
  const event = TYPES[(n * 7 + n % 3) % TYPES.length], userId = `u${1000 + n * 37 % 900}`;
  const properties = {
    ...{ sku: `A-${n % 97}`, price: 12.5 + n % 40, currency: "EUR", path: `/products/${n % 97}` },
    ...{ order: { id: 9_007_199_254_740_993 + n, items: [{ sku: `A-${n % 97}`, quantity: 1 }] } },
  };
  return { type: "track", messageId: `m${n}`, userId, event, properties };
}

browserTest(
  "pictures of it: under load, an event found, an export; each is small",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    const { url } = collector;
    const folder = SCREENSHOTS ?? Deno.makeTempDirSync({ prefix: "firehouse-screenshots-" });
    Deno.mkdirSync(folder, { recursive: true });
    const keep = async (visit: Visit, name: string) => {
      const path = `${folder}/${name}.png`;
      await visit.page.screenshot({ path });
      const { size } = Deno.statSync(path);
      ok(size < PICTURE_BYTES_MAX && size > 5000, `${name}: ${size} bytes`);
    };
    try {
      const load = sendShop(collector);
      await using light = await Visit.begin(browser, { url, size: LAPTOP });
      await using dark = await Visit.begin(browser, { url, size: LAPTOP, scheme: "dark" });
      await using phone = await Visit.begin(browser, { url, size: PHONE });
      await new Promise((resolve) => setTimeout(resolve, LOAD_MS - 15_000));
      await keep(light, "live-light");
      await keep(dark, "live-dark");
      await keep(phone, "live-phone");
      await load;

      await phone.go("/events?type=Order+paid");
      await phone.untilRows("events-table", 50);
      await keep(phone, "events-phone");
      await dark.go("/trends?by=type&interval=1s&range=5m");
      await dark.until(`document.querySelectorAll("#trends-legend tbody tr").length === 4`);
      await dark.until(`document.querySelectorAll("#top-sources tbody tr").length === 1`);
      await keep(dark, "trends-dark");
      await light.go("/events?range=1h&user_id=u1037&type=Added+to+cart");
      await light.until(`document.querySelector("#events-table tbody a") !== null`);
      await light.page.locator("#events-table tbody a").first().click();
      await light.shows("event-dialog", /metadata/);
      await keep(light, "event-light");
      await light.page.keyboard.press("Escape");
      await light.go("/events?range=today&type=Order+paid");
      await light.untilRows("events-table", 50);
      await light.page.getByRole("button", { name: "Export …" }).click();
      await light.shows("export-dialog", /at present/);
      await keep(light, "export-light");
      for (const visit of [light, dark, phone]) visit.quiet();
      equal((await collector.settled()).residual, 0);
    } finally {
      if (SCREENSHOTS === null) Deno.removeSync(folder, { recursive: true });
    }
  },
);
