/** Counts by time and by value, and the way from a count to its events. */

import { ok } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { sendMany, sendTyped } from "./sent.ts";
import { browserTest, soon, Visit } from "./visit.ts";

const USERS = Array.from({ length: 7 }, (_, n) => `u${n}`);

/** The texts of a table's cells, row by row. */
async function table(visit: Visit, id: string): Promise<string[][]> {
  return await visit.page.evaluate(
    `[...document.querySelectorAll("#${id} tbody tr")].map((row) =>
      [...row.cells].map((cell) => cell.textContent.trim()).filter((text) => text !== ""))`,
  );
}

browserTest("counts by type and source add up, and lead to their events", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendMany(collector, 30);
  await sendTyped(collector, "Signed up", USERS);
  await sendTyped(collector, "Left", ["u1", "u2"]);
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/trends" });
  const { page } = visit;
  await visit.shows("trends-note", /^39 events · one point is \d+ (m?s|min) · America\/St_Johns$/);
  await visit.id("trends-chart").locator("canvas").waitFor();
  await page.locator("#trends-by").selectOption("type");
  await visit.until(`document.querySelectorAll("#trends-legend tbody tr").length === 3`);
  await visit.until(`document.querySelectorAll("#top-types tbody tr").length === 3`);
  await visit.until(`document.querySelectorAll("#top-sources tbody tr").length === 2`);
  await soon(() => table(visit, "trends-legend"), [["–", "30"], ["Signed up", "7"], ["Left", "2"]]);
  await soon(() => table(visit, "top-types"), [["–", "30"], ["Signed up", "7"], ["Left", "2"]]);
  await soon(() => table(visit, "top-sources"), [["native", "30"], ["segment", "9"]]);
  await page.locator("#trends-interval").selectOption("1s");
  await visit.untilHash("#/trends?by=type&interval=1s");
  await page.getByText("The numbers as a table").click();
  const sums = async () =>
    (await table(visit, "trends-numbers")).reduce(
      (all, [, ...cells]) => all.map((sum, at) => sum + Number(cells[at])),
      [0, 0, 0],
    );
  await soon(sums, [30, 7, 2]);
  await page.locator("#top-types").getByRole("link", { name: "Signed up" }).click();
  await visit.untilRows("events-table", 7);
  await visit.untilHash("#/events?type=Signed+up");
  visit.quiet();
});

browserTest(
  "drawing across the chart narrows the time, for the other views too",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendMany(collector, 30);
    await using visit = await Visit.begin(browser, {
      url: collector.url,
      hash: "/trends?range=1h",
    });
    const { page } = visit, chart = visit.id("trends-chart").locator(".u-over");
    await chart.waitFor();
    const box = await chart.boundingBox();
    ok(box !== null && box.width > 300);
    await page.mouse.move(box.x + 40, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 140, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await visit.until(`/^#\\/trends\\?from=.*&to=/.test(location.hash)`);
    const range = page.getByRole("combobox", { name: "Received" });
    await soon(() => range.inputValue(), "custom");
    await visit.shows("trends-note", /^0 events/); // the beginning of the hour
    await visit.view("Events");
    await visit.shows("events-table", "No event is like this.");
    await range.selectOption("all");
    await visit.untilRows("events-table", 30);
    visit.quiet();
  },
);

browserTest("the cursor tells the numbers of an interval", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendMany(collector, 30);
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/trends?range=5m" });
  const chart = visit.id("trends-chart").locator(".u-over");
  await chart.waitFor();
  await chart.hover({ position: { x: 60, y: 40 } });
  await visit.shows("trends-readout", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  await soon(() => table(visit, "trends-legend"), [["events", "30", "0"]]);
  visit.quiet();
});

browserTest("what was not counted since the time was up is said", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendMany(collector, 3);
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/connect" });
  // The time budget is not to be used up on purpose.
  await visit.page.route(/\/series\?interval(?!=1s)|\/series\?.*limit=8/, async (route) => {
    const response = await route.fetch();
    const json = { ...await response.json(), complete: false };
    await route.fulfill({ response, json });
  });
  await visit.view("Trends");
  await visit.shows("trends-cut", /There was no time to count everything: .* is missing\.$/);
  visit.quiet();
});
