/** Where tokens are in force the page asks for one, and says in words what is wrong with it. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { createTokens } from "../e2e/firehouse_command.ts";
import { TempFolder } from "../e2e/sending.ts";
import { browserTest, soon, Visit } from "./visit.ts";

const REFUSED = /status of (401|403|429)/;

browserTest(
  "it is asked for once; a wrong one, one without the scope and a right one",
  async (browser) => {
    await using folder = new TempFolder();
    const { web, me } = await createTokens(folder.database, {
      web: ["--scopes", "ingest"],
      me: ["--scopes", "read"],
    });
    await using collector = await CollectorProcess.start({ folder: folder.path, token: me });
    const visiting = { url: collector.url, hash: "/events", expected: REFUSED };
    await using visit = await Visit.begin(browser, visiting);
    const { page } = visit, urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await visit.shows("token-dialog", /This collector needs a token/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await visit.shows("token-dialog", /This collector needs a token/);
    await visit.giveToken("fh_wrong");
    await visit.shows("token-problem", "This token is not valid.");
    await visit.giveToken("two words");
    await visit.shows("token-problem", /^A token has no spaces/);
    await visit.giveToken(web);
    await visit.shows("token-problem", "The token lacks the scope read.");
    await visit.giveToken(me);
    await visit.id("token-dialog").waitFor({ state: "hidden" });
    await visit.shows("health", /^up /);
    await visit.shows("events-table", "No event is like this.");

    await visit.view("Connect");
    await visit.shows("connect-note", /Put a token that may send in the place of TOKEN/);
    match(await visit.id("snippets").innerText(), /authorization: Bearer TOKEN/);
    await page.reload();
    await visit.shows("health", /^up /); // kept for this tab
    await soon(() => visit.id("token-dialog").isVisible(), false);
    await visit.page.getByRole("button", { name: "Forget token" }).click();
    await visit.shows("token-dialog", /This collector needs a token/);
    ok(!urls.some((url) => url.includes(me) || url.includes("fh_wrong")), "a token was in a URL");
    await soon(() => page.evaluate("localStorage.getItem('firehouse.token')"), null);
    visit.quiet();
  },
);

browserTest("a token that is revoked while the page is open is asked for anew", async (browser) => {
  await using folder = new TempFolder();
  const { me, other } = await createTokens(folder.database, {
    me: ["--scopes", "read"],
    other: ["--scopes", "read"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path, token: other });
  const visiting = { url: collector.url, expected: REFUSED };
  await using visit = await Visit.begin(browser, visiting);
  await visit.giveToken(me);
  await visit.shows("health", /^up /);
  const { firehouse } = await import("../e2e/firehouse_command.ts");
  equal((await firehouse("token", "revoke", "me", "--db", folder.database)).code, 0);
  await visit.shows("token-problem", "This token is not valid.");
  await visit.giveToken(other);
  await visit.id("token-dialog").waitFor({ state: "hidden" });
  await visit.shows("health", /^up /);
  visit.quiet();
});

browserTest("after too many wrong ones it says how long to wait", async (browser) => {
  await using folder = new TempFolder();
  const { me } = await createTokens(folder.database, { me: ["--scopes", "read"] });
  await using collector = await CollectorProcess.start({ folder: folder.path, token: me });
  const visiting = { url: collector.url, hash: "/connect", expected: REFUSED };
  await using visit = await Visit.begin(browser, visiting);
  for (let tries = 0; tries < 12; tries++) {
    await visit.giveToken(`fh_wrong${tries}`);
    await visit.id("token-problem").filter({ hasText: /not valid|Too many/ }).waitFor();
  }
  await visit.shows("token-problem", /^Too many wrong tokens came from here\. Wait \d+ s\.$/);
  await visit.giveToken(me); // a good one is served all the same
  await visit.shows("health", /^up /);
  visit.quiet();
});
