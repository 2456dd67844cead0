/** One event is found among many, and looked at digit for digit. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { storedEvents } from "../e2e/rows.ts";
import { sendMany, sendNative, sendTyped, storedMetadata } from "./sent.ts";
import { browserTest, soon, Visit } from "./visit.ts";

/** What `JSON.parse` would change: large integers, 1.0, a name twice, escapes, spaces. */
const EXACT = '{ "n" : 12345678901234567890, "one":1.0,"big":1e400, "a":1, "a":2,' +
  '"escaped":"\\u003cb\\u003e \\/ \\ud83d\\ude00","list":[ ],"deep":{"x":[true,null]} }';
const USER = "9223372036854775807";

browserTest(
  "one event is found by user and time; its detail is exact to the digit",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendMany(collector, 200);
    await sendNative(collector, USER, EXACT);
    await sendMany(collector, 200);
    await using visit = await Visit.begin(browser, { url: collector.url, hash: "/events" });
    await visit.untilRows("events-table", 50);
    const { page } = visit;

    await page.getByRole("combobox", { name: "Received" }).selectOption("15m");
    await page.getByLabel("User", { exact: true }).fill(USER);
    await page.getByRole("button", { name: "Apply" }).click();
    await visit.untilRows("events-table", 1);
    await visit.shows("events-note", /^1 event, no older ones/);
    const [row] = await visit.rows("events-table");
    deepEqual([row?.[1], row?.[2], row?.[3], row?.[5]], [USER, "–", "native", EXACT.slice(0, 240)]);
    await visit.untilHash("#/events?range=15m&user_id=9223372036854775807");

    await page.locator("#events-table tbody tr").click();
    const dialog = visit.id("event-dialog");
    await dialog.getByText("Event 201", { exact: true }).waitFor();
    await visit.shows("event-dialog", /user_id/);
    const columns = await dialog.locator(".columns").innerText();
    match(columns, /user_id\s+9223372036854775807\s/);
    match(columns, /timestamp\s+2026-11-24T11:03:40\.123Z/);
    ok(columns.includes(new Date(Number(storedEvents(collector.database)[200]?.received_at))
      .toISOString()));
    await dialog.getByText("As sent").click();
    await soon(() => dialog.locator("pre.raw").textContent(), EXACT);
    const pretty = await dialog.locator("pre").first().textContent() ?? "";
    equal(
      pretty,
      `{
  "n": 12345678901234567890,
  "one": 1.0,
  "big": 1e400,
  "a": 1,
  "a": 2,
  "escaped": "\\u003cb\\u003e \\/ \\ud83d\\ude00",
  "list": [],
  "deep": {
    "x": [
      true,
      null
    ]
  }
}`,
    );
    await dialog.getByRole("button", { name: "Copy metadata" }).click();
    await dialog.getByText("Copied").waitFor();
    await soon(() => page.evaluate("navigator.clipboard.readText()"), EXACT);
    equal(storedMetadata(collector)[200], EXACT);
    const raw = await dialog.getByRole("link", { name: "Raw JSON" }).getAttribute("href");
    equal(raw, `${collector.url}/events/201`);
    ok((await (await fetch(raw ?? "")).text()).includes(`"metadata":${EXACT}}`));
    visit.quiet();
  },
);

browserTest(
  "a link leads to the same event and filter again, and back leads out of it",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendTyped(collector, "Signed up", ["u1", "u2"]);
    const hash = "/events?type=Signed+up&id=2";
    await using visit = await Visit.begin(browser, { url: collector.url, hash });
    const { page } = visit, dialog = visit.id("event-dialog");
    await dialog.getByText("Event 2", { exact: true }).waitFor();
    await soon(() => page.getByLabel("Type", { exact: true }).inputValue(), "Signed up");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await visit.untilHash("#/events?type=Signed+up");
    await page.goBack();
    await dialog.getByText("Event 2", { exact: true }).waitFor();
    await dialog.locator("div", { hasText: "event_id" }).getByRole("link").last().click();
    await visit.untilRows("events-table", 1);
    await visit.untilHash("#/events?event_id=Signed+up-u2");
    visit.quiet();
  },
);

browserTest(
  "it is narrowed by type, source, event id and a member of metadata",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendMany(collector, 5);
    await sendTyped(collector, "Signed up", ["u1", "u2", "u3"]);
    await sendTyped(collector, "Left", ["u1"]);
    await using visit = await Visit.begin(browser, { url: collector.url, hash: "/events" });
    const { page } = visit;
    await visit.untilRows("events-table", 9);
    const narrow = async (label: string, value: string, count: number) => {
      await page.getByLabel(label, { exact: true }).fill(value);
      await page.keyboard.press("Enter");
      await visit.untilRows("events-table", count);
    };
    await narrow("Source", "segment", 4);
    await narrow("Type", "Signed up", 3);
    await narrow("User", "u3", 1);
    await page.getByRole("button", { name: "Reset" }).click();
    await visit.untilRows("events-table", 9);
    await narrow("Event id", "Left-u1", 1);
    await page.getByRole("button", { name: "Reset" }).click();
    await page.getByRole("button", { name: "Filter by a metadata member" }).click();
    await page.getByLabel("Member of metadata").fill("properties.n");
    await page.getByLabel("is", { exact: true }).fill("0");
    await page.keyboard.press("Enter");
    await visit.untilRows("events-table", 2);
    await visit.untilHash("#/events?where%5Bproperties.n%5D=0");
    await narrow("Type", "Nothing", 0);
    await visit.shows("events-table", "No event is like this.");
    visit.quiet();
  },
);

browserTest("what the filter can not be is said in the collector's words", async (browser) => {
  await using collector = await CollectorProcess.start();
  const hash = "/events?where%5Ba..b%5D=1", expected = /status of 400/;
  await using visit = await Visit.begin(browser, { url: collector.url, hash, expected });
  await visit.shows("events-problem", /^Expected where\[path\] to name a member of metadata/);
  await visit.go("/events?from=yesterday");
  await visit.shows("events-problem", /^Expected from to be a time such as/);
  await visit.go("/events");
  await visit.id("events-problem").waitFor({ state: "hidden" });
  visit.quiet();
});
