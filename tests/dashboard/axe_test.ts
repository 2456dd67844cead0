/** axe-core finds nothing wrong for those who use the page another way: every view, every look. */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import axe from "axe-core";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { createTokens } from "../e2e/firehouse_command.ts";
import { TempFolder } from "../e2e/sending.ts";
import { sendLenient, sendMany, sendTyped } from "./sent.ts";
import { browserTest, LAPTOP, PHONE, Visit } from "./visit.ts";

interface Result {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** Asserts that axe finds no violation of WCAG 2.2 A and AA nor of its own best practices. */
async function accessible(visit: Visit, what: string): Promise<void> {
  // The page's policy forbids to add a script: the debugger is not bound by it.
  await visit.page.evaluate(`if (!globalThis.axe) { ${axe.source} }`);
  const { violations }: Result = await visit.page.evaluate("axe.run(document)");
  const found = violations.map(({ id, help, nodes }) => ({
    ...{ id, help },
    nodes: nodes.slice(0, 3).map((
      { html, failureSummary },
    ) => [html.slice(0, 200), failureSummary]),
  }));
  deepEqual(found, [], what);
}

for (const scheme of ["light", "dark"] as const) {
  for (const [name, size] of [["laptop", LAPTOP], ["phone", PHONE]] as const) {
    browserTest(`axe finds nothing in any view, ${scheme}, on a ${name}`, async (browser) => {
      await using collector = await CollectorProcess.start();
      const { url } = collector;
      await using visit = await Visit.begin(browser, { url, scheme, size, expected: /of 400/ });
      const { page } = visit;
      await visit.shows("first-event", /No events yet/);
      await accessible(visit, "the first page");
      await sendMany(collector, 20);
      await sendTyped(collector, "Signed up", ["u1", "u2"]);
      await sendLenient(collector, ["bad", "worse"]);
      await fetch(`${url}/event`, { method: "POST", body: "{" });
      await visit.untilRows("newest", 8);
      await accessible(visit, "live");
      await visit.view("Events");
      await visit.untilRows("events-table", 22);
      const filters = page.locator("#filter-box");
      if (await filters.getAttribute("open") === null) await page.getByText("Filters").click();
      await page.getByRole("combobox", { name: "Received" }).selectOption("custom");
      await page.getByRole("button", { name: "Filter by a metadata member" }).click();
      await accessible(visit, "events");
      await page.locator("#events-table a").first().click();
      await visit.shows("event-dialog", /metadata/);
      await page.getByText("As sent").click();
      await accessible(visit, "detail");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Export …" }).click();
      await visit.shows("export-dialog", /at present/);
      await accessible(visit, "export");
      await page.keyboard.press("Escape");
      await visit.go("/events?from=x");
      await visit.shows("events-problem", /^Expected/);
      await accessible(visit, "a problem");
      await visit.go("/trends?by=type");
      await visit.until(`document.querySelectorAll("#trends-legend tbody tr").length === 2`);
      await visit.until(`document.querySelectorAll("#top-sources tbody tr").length === 2`);
      await page.getByText("The numbers as a table").click();
      await accessible(visit, "trends");
      await visit.go("/tail");
      await visit.untilRows("tail-table", 20);
      await page.getByRole("button", { name: "Pause" }).click();
      await accessible(visit, "tail");
      await visit.view("Dead letters");
      await visit.untilRows("letters-table", 2);
      await accessible(visit, "dead letters");
      await page.getByRole("button", { name: "Open dead letter 1" }).click();
      await accessible(visit, "a dead letter");
      await page.locator("#letter-dialog").getByRole("button", { name: "Purge …" }).click();
      await visit.shows("confirm-dialog", /for good/);
      await accessible(visit, "the question");
      await page.keyboard.press("Escape");
      await visit.view("Connect");
      await accessible(visit, "connect");
      visit.quiet();
    });
  }

  browserTest(
    `axe finds nothing where a token is asked for, nor once the collector is gone, ${scheme}`,
    async (browser) => {
      await using folder = new TempFolder();
      const { me } = await createTokens(folder.database, { me: ["--scopes", "read"] });
      await using collector = await CollectorProcess.start({ folder: folder.path, token: me });
      const visiting = {
        url: collector.url,
        scheme,
        expected: /status of (401|503)|ERR_CONNECTION/,
      };
      await using visit = await Visit.begin(browser, visiting);
      await visit.giveToken("fh_wrong");
      await visit.shows("token-problem", "This token is not valid.");
      await accessible(visit, "token");
      await visit.giveToken(me);
      await visit.shows("health", /^up /);
      await collector.stop();
      await visit.shows("gone", /does not answer/);
      await accessible(visit, "gone");
      visit.quiet();
    },
  );
}
