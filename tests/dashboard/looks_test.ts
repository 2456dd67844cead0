/** How it looks: on a phone and a laptop, light and dark, in either zone, by keyboard alone. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { storedEvents } from "../e2e/rows.ts";
import { sendLenient, sendMany, sendNative, sendTyped } from "./sent.ts";
import { browserTest, PHONE, soon, Visit } from "./visit.ts";

const VIEWS = ["live", "events", "trends", "tail", "dead-letters", "connect"];
const LONG = "https://shop.example/" + "a-very-long-path/".repeat(40);

async function filled(): Promise<CollectorProcess> {
  const collector = await CollectorProcess.start();
  await sendMany(collector, 60);
  await sendTyped(collector, "Signed up with a rather long name of an event", ["u1", LONG]);
  await sendLenient(collector, ["bad", LONG]);
  return collector;
}

for (const width of [320, 360, 700, 1024, 1920]) {
  browserTest(`no view can be scrolled sideways at ${width} px`, async (browser) => {
    await using collector = await filled();
    const size = { width, height: 740 };
    await using visit = await Visit.begin(browser, { url: collector.url, size });
    await visit.untilRows("newest", 8);
    for (const view of VIEWS) {
      await visit.go(`/${view}?type=${LONG.slice(0, 300)}`);
      await visit.id(view).waitFor();
      await visit.go(`/${view}`);
      await visit.page.waitForTimeout(300);
      equal(await visit.overflow(), 0, view);
    }
    await visit.go("/events?id=62");
    await visit.shows("event-dialog", /Event 62/);
    equal(await visit.overflow(), 0, "detail");
    visit.quiet();
  });
}

browserTest(
  "on a phone an event is a card with the names of its columns, and the filters are folded",
  async (browser) => {
    await using collector = await filled();
    const visiting = { url: collector.url, size: PHONE, hash: "/events" };
    await using visit = await Visit.begin(browser, visiting);
    await visit.untilRows("events-table", 50);
    const row = `document.querySelector("#events-table tbody tr")`;
    await soon(() => visit.page.evaluate(`getComputedStyle(${row}).display`), "block");
    const label = `getComputedStyle(${row}.cells[1], "::before").content`;
    await soon(() => visit.page.evaluate(label), '"User"');
    await soon(() => visit.page.locator("#events-table thead").isVisible(), false);
    await soon(() => visit.page.getByLabel("Type", { exact: true }).isVisible(), false);
    await visit.page.getByText("Filters", { exact: false }).first().click();
    await visit.page.getByLabel("Type", { exact: true }).fill("Nothing");
    await visit.page.getByRole("button", { name: "Apply" }).click();
    await visit.shows("events-table", "No event is like this.");
    await visit.shows("filter-summary", "type Nothing");
    visit.quiet();
  },
);

browserTest(
  "the theme is the system's, or the one that was chosen, which is kept",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    const ground = "getComputedStyle(document.body).backgroundColor";
    await using light = await Visit.begin(browser, { url: collector.url });
    await using visit = await Visit.begin(browser, { url: collector.url, scheme: "dark" });
    const [white, black]: [string, string] = [
      await light.page.evaluate(ground),
      await visit.page.evaluate(ground),
    ];
    ok(white !== black, white);
    await visit.id("throughput-chart").locator("canvas").waitFor();
    await visit.page.getByLabel("Theme").selectOption("light");
    await soon(() => visit.page.evaluate(ground), white);
    await visit.page.reload();
    await soon(() => visit.page.evaluate(ground), white);
    await soon(() => visit.page.getByLabel("Theme").inputValue(), "light");
    await visit.page.getByLabel("Theme").selectOption("system");
    await soon(() => visit.page.evaluate(ground), black);
    await visit.page.emulateMedia({ colorScheme: "light" });
    await soon(() => visit.page.evaluate(ground), white);
    visit.quiet();
  },
);

browserTest(
  "times are in the reader's zone or in UTC, in the table, the fields and the filter",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendNative(collector, "1", "{}");
    const [stored] = storedEvents(collector.database), ms = Number(stored?.received_at);
    const utc = new Date(ms).toISOString().slice(0, 23).replace("T", " ");
    const zone = "America/St_Johns";
    const local = new Date(ms).toLocaleString("sv", { timeZone: zone });
    const visiting = { url: collector.url, hash: "/events", expected: /status of 400/ };
    await using visit = await Visit.begin(browser, visiting);
    const { page } = visit;
    await visit.untilRows("events-table", 1);
    const time = async () => (await visit.rows("events-table"))[0]?.[0];
    await soon(async () => (await time())?.slice(0, 19), local);
    await page.getByLabel("Times").selectOption("utc");
    await soon(time, utc);

    await page.getByRole("combobox", { name: "Received" }).selectOption("custom");
    const [from, to] = [
      page.getByLabel("From", { exact: true }),
      page.getByLabel("To, not included"),
    ];
    const startOfDay = (ms: number) => `${new Date(ms).toISOString().slice(0, 10)}T00:00`;
    await soon( // a field wants all its parts: they are filled in, for today
      async () => [await from.inputValue(), await to.inputValue()].map((text) => text.slice(0, 16)),
      [startOfDay(Date.now()), startOfDay(Date.now() + 86_400_000)],
    );
    await from.fill(utc.replace(" ", "T"));
    await to.fill("");
    await page.getByRole("button", { name: "Apply" }).click();
    await visit.untilHash(`#/events?from=${encodeURIComponent(new Date(ms).toISOString())}`);
    await visit.untilRows("events-table", 1); // from is inclusive
    await to.fill(utc.replace(" ", "T"));
    await page.getByRole("button", { name: "Apply" }).click();
    await visit.shows("events-problem", "Expected from to be before to.");
    await page.getByLabel("Times").selectOption("local");
    await soon(async () => (await from.inputValue()).slice(0, 19).replace("T", " "), local);
    visit.quiet();
  },
);

browserTest(
  "by keyboard alone: skip, choose a view, filter, open an event and come back",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendMany(collector, 3);
    await using visit = await Visit.begin(browser, { url: collector.url });
    const { page } = visit, { keyboard } = page;
    await visit.untilRows("newest", 3);
    await keyboard.press("Tab");
    const focused = "document.activeElement.textContent.trim()";
    await soon(() => page.evaluate(focused), "Skip to the content");
    const outline: string = await page.evaluate(
      "getComputedStyle(document.activeElement).outlineStyle",
    );
    equal(outline, "solid");
    for (let tab = 0; await page.evaluate(focused) !== "Events"; tab++) {
      ok(tab < 10, "Events is not reached");
      await keyboard.press("Tab");
    }
    await keyboard.press("Enter");
    await visit.untilRows("events-table", 3);
    await soon(() => page.evaluate(focused), "Events");
    await page.locator(".skip").focus();
    await keyboard.press("Enter");
    await soon(() => page.evaluate("document.activeElement.id"), "main");
    await soon(() => page.title(), "Events · Firehouse");
    await page.getByLabel("User", { exact: true }).focus();
    await keyboard.type("2");
    await keyboard.press("Enter");
    await visit.untilRows("events-table", 1);
    await page.locator("#events-table a").focus();
    await keyboard.press("Enter");
    await visit.shows("event-dialog", /Event 2/);
    await keyboard.press("Escape");
    await visit.untilHash("#/events?user_id=2");
    await soon(
      () => page.evaluate("document.activeElement.closest('#events-table') !== null"),
      true,
    );
    visit.quiet();
  },
);

browserTest("who wants less motion gets none", async (browser) => {
  await using collector = await CollectorProcess.start();
  const visiting = { url: collector.url, reducedMotion: "reduce" } as const;
  await using visit = await Visit.begin(browser, visiting);
  await visit.shows("health", /^up /);
  const moving: number = await visit.page.evaluate("document.getAnimations().length");
  equal(moving, 0);
  visit.quiet();
});
