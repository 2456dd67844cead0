/** The collector stops and comes back: the page says so, keeps what it shows, and goes on by itself. */

import { strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { TempFolder } from "../e2e/sending.ts";
import { sendMany, sendNative } from "./sent.ts";
import { browserTest, Visit } from "./visit.ts";

/** While it stops, and once it is gone. */
const UNREACHABLE = /status of 503|ERR_(CONNECTION|EMPTY_RESPONSE|INCOMPLETE)/;

browserTest("it stops and comes back under the live view and the tail", async (browser) => {
  await using folder = new TempFolder();
  let collector = await CollectorProcess.start({ folder: folder.path });
  const { url } = collector, { port } = new URL(url);
  try {
    await sendMany(collector, 5);
    await using live = await Visit.begin(browser, { url, expected: UNREACHABLE });
    await using tail = await Visit.begin(browser, { url, hash: "/tail", expected: UNREACHABLE });
    await live.untilRows("newest", 5);
    await live.shows("tiles", /5 in all/);
    await tail.untilRows("tail-table", 5);

    equal(await collector.stop(), 0);
    for (const visit of [live, tail]) {
      await visit.shows("gone", /^The collector does not answer since \d\d:\d\d:\d\d\./);
    }
    await live.shows("tiles", /5 in all/);
    await live.untilRows("newest", 5);
    await tail.untilRows("tail-table", 5);

    collector = await CollectorProcess.start({ folder: folder.path, args: ["--port", port] });
    await sendNative(collector, "4711", "{}");
    for (const visit of [live, tail]) await visit.id("gone").waitFor({ state: "hidden" });
    await live.untilRows("newest", 6);
    await live.shows("tiles", /1 in all/); // it counts anew
    await tail.untilRows("tail-table", 6);
    equal((await tail.rows("tail-table"))[0]?.[1], "4711");
    await tail.id("tail-problem").waitFor({ state: "hidden" });
    live.quiet();
    tail.quiet();
  } finally {
    await collector[Symbol.asyncDispose]();
  }
});

browserTest("a search while it is gone says so, and works once it is back", async (browser) => {
  await using folder = new TempFolder();
  let collector = await CollectorProcess.start({ folder: folder.path });
  const { url } = collector, { port } = new URL(url);
  try {
    await sendMany(collector, 3);
    const visiting = { url, hash: "/events", expected: UNREACHABLE };
    await using visit = await Visit.begin(browser, visiting);
    await visit.untilRows("events-table", 3);
    await collector.stop("SIGKILL");
    await visit.page.getByLabel("User", { exact: true }).fill("2");
    await visit.page.keyboard.press("Enter");
    await visit.shows("events-problem", "The collector does not answer.");
    await visit.untilRows("events-table", 3);
    collector = await CollectorProcess.start({ folder: folder.path, args: ["--port", port] });
    await visit.id("gone").waitFor({ state: "hidden" });
    await visit.page.getByRole("button", { name: "Apply" }).click();
    await visit.untilRows("events-table", 1);
    await visit.id("events-problem").waitFor({ state: "hidden" });
    visit.quiet();
  } finally {
    await collector[Symbol.asyncDispose]();
  }
});
