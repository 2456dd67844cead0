/** Older events, page by page, and what is said when the time for a page was up. */

import { match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { sendMany } from "./sent.ts";
import { browserTest, soon, Visit } from "./visit.ts";

/** The users from one to another, downwards, as a page shows them. */
function down(from: number, to: number): string[] {
  return Array.from({ length: from - to + 1 }, (_, n) => String(from - n));
}

async function users(visit: Visit): Promise<readonly (string | undefined)[]> {
  return (await visit.rows("events-table")).map((row) => row[1]);
}

for (const hash of ["/events", "/events?range=1h"]) {
  browserTest(
    `older pages follow without a gap, and newer ones lead back: #${hash}`,
    async (browser) => {
      await using collector = await CollectorProcess.start();
      await sendMany(collector, 130);
      await using visit = await Visit.begin(browser, { url: collector.url, hash });
      const { page } = visit;
      const shows = async (first: number, last: number) => {
        const firstCell = page.locator("#events-table tbody tr").first().locator("td").nth(1);
        await firstCell.filter({ hasText: new RegExp(`^${first}$`) }).waitFor();
        await soon(() => users(visit), down(first, last));
      };
      await shows(130, 81);
      await page.getByRole("button", { name: "Older" }).click();
      await shows(80, 31);
      const link = page.url();
      await page.getByRole("button", { name: "Older" }).click();
      await shows(30, 1);
      await visit.shows("events-note", /^30 events, no older ones/);
      await soon(() => page.getByRole("button", { name: "Older" }).isVisible(), false);
      await page.getByRole("button", { name: "Newer" }).click();
      await shows(80, 31);
      await page.getByRole("button", { name: "Newer" }).click();
      await shows(130, 81);
      await page.goBack();
      await shows(80, 31);
      await page.getByRole("button", { name: "Newest" }).click();
      await shows(130, 81);
      equal(page.url().split("#")[1], hash);
      await using other = await Visit.begin(browser, {
        url: collector.url,
        hash: link.split("#")[1] ?? "",
      });
      await other.untilRows("events-table", 50);
      await soon(() => users(other), down(80, 31));
      visit.quiet();
      other.quiet();
    },
  );
}

browserTest(
  "a page that was cut by the time budget says so, and is gone on with",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendMany(collector, 60);
    await using visit = await Visit.begin(browser, { url: collector.url, hash: "/connect" });
    const { page } = visit;
    // The budget is not to be used up on purpose: a cut answer is made of a real shorter one.
    const asked: string[] = [];
    await page.route(/\/events\?/, async (route) => {
      const url = new URL(route.request().url());
      asked.push(url.search);
      if (asked.length > 1) return await route.continue();
      url.searchParams.set("limit", "3");
      const response = await route.fetch({ url: url.href });
      const text = (await response.text()).replace('"complete":true', '"complete":false');
      await route.fulfill({ response, body: text });
    });
    await visit.view("Events");
    await visit.untilRows("events-table", 3);
    await visit.shows("events-cut", /There was no time to look at everything.*oldest found so far/);
    await visit.shows("events-note", /^3 events, search cut short/);
    await page.getByRole("button", { name: "Search on" }).click();
    await visit.untilRows("events-table", 50);
    await soon(() => users(visit), down(60, 11));
    await visit.id("events-cut").waitFor({ state: "hidden" });
    match(asked[1] ?? "", /limit=47&after=/);
    visit.quiet();
  },
);
