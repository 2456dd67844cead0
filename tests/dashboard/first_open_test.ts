/** The first time: nothing is there yet, then load comes in and the page shows it happen. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { LoadProcess } from "../bench/load_process.ts";
import { storedEvents } from "../e2e/rows.ts";
import { sendMany } from "./sent.ts";
import { browserTest, soon, Visit } from "./visit.ts";

/** What is drawn on a chart, so that two moments can be compared. */
function drawing(id: string): string {
  return `document.querySelector("#${id} canvas").toDataURL()`;
}

/** The figure of a tile. */
function tile(name: string): string {
  return `Number([...document.querySelectorAll("#tiles dt")]
    .find((each) => each.textContent === ${JSON.stringify(name)})
    .nextElementSibling.querySelector(".value").textContent.replaceAll(",", ""))`;
}

browserTest(
  "without events it says how to send one, and the command it shows works",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await using visit = await Visit.begin(browser, { url: collector.url });
    await visit.shows("first-event", /No events yet/);
    await visit.page.getByRole("button", { name: "Copy the first event" }).click();
    await visit.until(`document.querySelector("#status").textContent === "Copied"`);
    const command: string = await visit.page.evaluate("navigator.clipboard.readText()");
    match(command, /^curl http:\/\/127\.0\.0\.1:\d+\/event /);
    const { success } = await new Deno.Command("sh", { args: ["-c", `${command} -sf`] }).output();
    ok(success, command);
    await visit.untilRows("newest", 1);
    await visit.id("first-event").waitFor({ state: "hidden" });
    const [row] = await visit.rows("newest");
    equal(row?.[1], "42");
    equal(row?.[5], '{"path": "/checkout"}');
    visit.quiet();
  },
);

browserTest("load comes in: rates, totals, charts and the newest events move", async (browser) => {
  await using collector = await CollectorProcess.start();
  await using visit = await Visit.begin(browser, { url: collector.url });
  await visit.shows("tiles", /Committed a second/);
  await visit.id("throughput-chart").locator("canvas").waitFor();
  const before = await visit.page.evaluate(drawing("throughput-chart"));
  const load = new LoadProcess(collector.url, ["--duration", "6", "--rate", "300"]);
  await visit.until(`${tile("Received a second")} > 100`);
  await visit.until(`${tile("Committed a second")} > 100`);
  await visit.untilRows("newest", 8);
  await visit.until(`${drawing("throughput-chart")} !== ${JSON.stringify(before)}`);
  const label =
    /^Events a second\. Last 5 minutes: now [\d,.]+, at most [\d,.]+ committed a second\.$/;
  await soon(
    async () => label.test(await visit.id("throughput-chart").getAttribute("aria-label") ?? ""),
    true,
  );
  const { code, stdout, stderr } = await load.finished;
  equal(code, 0, stdout + stderr);
  const { committed = 0 } = await collector.settled();
  const total = committed.toLocaleString("en");
  await visit.shows("tiles", `${total} in all`);
  await visit.shows("account-facts", new RegExp(`Committed${total}`));
  await visit.shows("account-facts", /Residual0 the account adds up/);
  visit.quiet();
});

browserTest("what was stored before the page was opened is in its chart", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendMany(collector, 500);
  await new Promise((resolve) => setTimeout(resolve, 1100)); // until that second is over
  await using visit = await Visit.begin(browser, { url: collector.url });
  await visit.shows("throughput-note", /at most [1-9]\d\d/);
  visit.quiet();
});

browserTest("what is refused is counted by its reason", async (browser) => {
  await using collector = await CollectorProcess.start();
  await using visit = await Visit.begin(browser, { url: collector.url });
  await visit.shows("refusals", /None since the start/);
  const headers = { "content-type": "application/json" };
  for (const body of ["{", "[]", "[]"]) {
    await (await fetch(`${collector.url}/event`, { method: "POST", body, headers })).text();
  }
  await visit.shows("refusals", /invalid-event2/);
  await visit.shows("refusals", /malformed-json1/);
  equal(storedEvents(collector.database).length, 0);
  visit.quiet();
});
