/** The live tail: watched, paused, filtered, cleared; and what it does when more comes than it shows. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { sendMany, sendNative, sendTyped } from "./sent.ts";
import { browserTest, soon, Visit } from "./visit.ts";

async function users(visit: Visit): Promise<readonly (string | undefined)[]> {
  return (await visit.rows("tail-table")).map((row) => row[1]);
}

browserTest(
  "events show as they are committed, the newest first, each with its detail",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendMany(collector, 30);
    await using visit = await Visit.begin(browser, { url: collector.url, hash: "/tail" });
    await visit.untilRows("tail-table", 20); // what was last before
    deepEqual((await users(visit))[0], "30");
    await sendNative(collector, "4711", '{"a":12345678901234567890}');
    await visit.untilRows("tail-table", 21);
    const [row] = await visit.rows("tail-table");
    deepEqual([row?.[1], row?.[5]], ["4711", '{"a":12345678901234567890}']);
    await visit.page.locator("#tail-table tbody tr").first().getByRole("link").click();
    await visit.id("event-dialog").getByText("Event 31", { exact: true }).waitFor();
    await sendNative(collector, "4712", "{}");
    await visit.untilRows("tail-table", 22); // it goes on behind
    await visit.page.keyboard.press("Escape");
    await visit.untilHash("#/tail");
    equal((await users(visit)).length, 22);
    visit.quiet();
  },
);

browserTest(
  "paused it stands still and counts what waits; resumed it shows that",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await using visit = await Visit.begin(browser, { url: collector.url, hash: "/tail" });
    const { page } = visit;
    await visit.shows("tail-table", /Nothing has come yet/);
    await sendNative(collector, "1", "{}");
    await visit.untilRows("tail-table", 1);
    await page.getByRole("button", { name: "Pause" }).click();
    await sendNative(collector, "2", "{}");
    await sendNative(collector, "3", "{}");
    await visit.shows("tail-note", "paused, 2 events waiting");
    await soon(() => users(visit), ["1"]);
    await page.getByRole("button", { name: "Resume" }).click();
    await visit.untilRows("tail-table", 3);
    await soon(() => users(visit), ["3", "2", "1"]);
    await page.getByRole("button", { name: "Clear" }).click();
    await visit.shows("tail-table", /Nothing has come yet/);
    await sendNative(collector, "4", "{}");
    await visit.untilRows("tail-table", 1);
    visit.quiet();
  },
);

browserTest("filtered it shows those alone; away and back it has missed none", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendTyped(collector, "Old", ["u0"]);
  await using visit = await Visit.begin(browser, {
    url: collector.url,
    hash: "/tail?type=Signed+up",
  });
  await visit.shows("tail-table", /Nothing has come yet/);
  await sendTyped(collector, "Left", ["u1"]);
  await sendTyped(collector, "Signed up", ["u2"]);
  await visit.untilRows("tail-table", 1);
  await visit.view("Live");
  await sendTyped(collector, "Left", ["u4"]);
  await sendNative(collector, "5", "{}");
  await sendTyped(collector, "Signed up", ["u6"]);
  await visit.page.goBack();
  await visit.untilRows("tail-table", 2);
  deepEqual((await visit.rows("tail-table")).map((row) => row[2]), ["Signed up", "Signed up"]);
  await visit.page.getByRole("button", { name: "Reset" }).click();
  await visit.untilRows("tail-table", 6); // begins anew with the last of all
  visit.quiet();
});

/** Waits until the event of a user is the newest row. */
async function untilNewest(visit: Visit, user: number): Promise<void> {
  await visit.until(
    `document.querySelector("#tail-table tbody td[data-label=User]")?.textContent === "${user}"`,
  );
}

browserTest("the last 500 rows stay", async (browser) => {
  await using collector = await CollectorProcess.start();
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/tail" });
  await visit.shows("tail-table", /Nothing has come yet/);
  for (const count of [241, 242, 243]) {
    await sendMany(collector, count);
    await untilNewest(visit, count);
  }
  await visit.untilRows("tail-table", 500);
  const shown = await users(visit);
  deepEqual([shown[0], shown[242], shown[243], shown[499]], ["243", "1", "242", "227"]);
  visit.quiet();
});

browserTest("when more comes than it can show, it says how many were left out", async (browser) => {
  await using collector = await CollectorProcess.start();
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/tail" });
  await sendNative(collector, "1", "{}");
  await visit.untilRows("tail-table", 1); // it is open: what came before would not be told
  for (let request = 0; request < 3; request++) await sendMany(collector, 5000);
  await sendNative(collector, "47110", "{}");
  await untilNewest(visit, 47110);
  const notices = await visit.page.locator("#tail-table .notice").allTextContents();
  ok(notices.length > 0, "nothing is said of what was left out");
  for (const notice of notices) match(notice, /^[\d,]+ (events? more came|were passed over)/);
  visit.quiet();
});
