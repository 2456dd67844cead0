/** The API reference in a real Chromium: read on a laptop and a telephone, by day and by night. */

import axe from "axe-core";
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { browserTest, LAPTOP, PHONE, Visit } from "./visit.ts";

const UNFOLD = "for (const each of document.querySelectorAll('details')) each.open = true";

/** What axe finds wrong, by rule and place. */
async function violations(visit: Visit): Promise<string[]> {
  await visit.page.evaluate(axe.source);
  return await visit.page.evaluate(
    `axe.run().then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ": " + target)))`,
  );
}

browserTest("the reference can be read, wide and light as on a phone and dark", async (browser) => {
  await using collector = await CollectorProcess.start();
  for (const [size, scheme] of [[LAPTOP, "light"], [PHONE, "dark"]] as const) {
    await using visit = await Visit.begin(browser, { url: collector.url, size, scheme });
    await visit.page.goto(`${collector.url}/reference`);
    equal(await visit.overflow(), 0, scheme);
    await visit.page.evaluate(UNFOLD);
    equal(await visit.overflow(), 0, `unfolded, ${scheme}`);
    deepEqual(await violations(visit), [], scheme);
    visit.quiet();
  }
});

browserTest("a link to an operation, an answer or a schema unfolds it", async (browser) => {
  await using collector = await CollectorProcess.start();
  await using visit = await Visit.begin(browser, { url: collector.url });
  const { page } = visit;
  await page.goto(`${collector.url}/reference#getEvents`);
  await page.getByText("Newest first, page by page.").waitFor();
  const operation = page.locator("#getEvents");
  await operation.getByRole("link", { name: "How it looks" }).first().click();
  await page.locator(".schema[open] .inside").first().waitFor();
  await operation.locator("summary", { hasText: "A page." }).click();
  await operation.getByRole("link", { name: "Events", exact: true }).click();
  await page.locator("#schema-Events").getByText("The after of the next page").waitFor();
  visit.quiet();
});

browserTest("the reference has the colours that were chosen in the dashboard", async (browser) => {
  await using collector = await CollectorProcess.start();
  await using visit = await Visit.begin(browser, { url: collector.url, scheme: "light" });
  await visit.id("theme").selectOption("dark");
  await visit.page.goto(`${collector.url}/reference`);
  equal(await visit.page.evaluate("document.documentElement.dataset.theme"), "dark");
  visit.quiet();
});
