/** Dead letters: seen, mended, replayed and purged by somebody who may. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { allLetters } from "../e2e/dead_letters.ts";
import { createTokens } from "../e2e/firehouse_command.ts";
import { TempFolder } from "../e2e/sending.ts";
import { allowEvents, refuseEvents } from "../e2e/dead_letters.ts";
import { line, sendLenient, sendNative, storedMetadata } from "./sent.ts";
import { browserTest, soon, Visit } from "./visit.ts";

/** The texts of the letters that are shown. */
async function texts(visit: Visit): Promise<readonly (string | undefined)[]> {
  return (await visit.rows("letters-table")).map((row) => row[4]);
}

browserTest("a dead letter is seen with its reason, mended and replayed", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendLenient(collector, ["bad", line(1, '{"good":1}'), '{"user_id":"x"}']);
  await using visit = await Visit.begin(browser, { url: collector.url });
  const { page } = visit, dialog = visit.id("letter-dialog");
  await visit.shows("letters-badge", /^2$/);
  await visit.view("Dead letters");
  await visit.shows("letters-note", "2 letters, the oldest first");
  await soon(() => texts(visit), ["bad", '{"user_id":"x"}']);
  match((await visit.rows("letters-table"))[0]?.[3] ?? "", /^malformed-json: Expected JSON\.$/);

  await page.getByRole("button", { name: "Replay dead letter 1" }).click();
  await visit.shows("letters-problem", /^Dead letter 1 was not replayed: /);
  await page.getByRole("button", { name: "Open dead letter 1" }).click();
  await soon(() => dialog.getByRole("textbox").inputValue(), "bad");
  await dialog.getByRole("textbox").fill(line(7, '{ "mended":1.0 }'));
  await dialog.getByRole("button", { name: "Replay" }).click();
  await visit.shows("letters-note", "Letter 1 was replayed: committed.");
  await visit.untilRows("letters-table", 1);
  await visit.shows("letters-badge", /^1$/);
  deepEqual(storedMetadata(collector), ['{"good":1}', '{ "mended":1.0 }']);
  deepEqual((await allLetters(collector)).map(({ id }) => id), [2]);
});

browserTest("what the database refused is replayed as it is, once it takes it", async (browser) => {
  await using collector = await CollectorProcess.start();
  refuseEvents(collector.database, "refuse");
  await sendNative(collector, "1", '{"m":"refuse"}').catch(() => {});
  await collector.settled();
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/dead-letters" });
  const replay = visit.page.getByRole("button", { name: /^Replay dead letter/ });
  await replay.click();
  await visit.shows("letters-note", "The database refused letter 1 again; it is a new one.");
  allowEvents(collector.database);
  await replay.click();
  await visit.shows("letters-table", /There are no dead letters/);
  deepEqual(storedMetadata(collector), ['{"m":"refuse"}']);
  visit.quiet();
});

browserTest("nothing is purged before it was asked, and Keep keeps it", async (browser) => {
  await using collector = await CollectorProcess.start();
  await sendLenient(collector, Array.from({ length: 60 }, (_, n) => `bad ${n}`));
  await using visit = await Visit.begin(browser, { url: collector.url, hash: "/dead-letters" });
  const { page } = visit, question = visit.id("confirm-dialog");
  await visit.shows("letters-note", "50 letters, the oldest first; there are more");
  await page.getByRole("button", { name: "Purge dead letter 2", exact: true }).click();
  await question.getByText("Purge dead letter 2?").waitFor();
  await question.getByRole("button", { name: "Keep" }).click();
  await page.getByRole("button", { name: "Purge dead letter 2", exact: true }).click();
  await page.keyboard.press("Escape");
  equal((await allLetters(collector)).length, 60);
  await page.getByRole("button", { name: "Purge dead letter 2", exact: true }).click();
  await question.getByRole("button", { name: "Purge" }).click();
  await visit.shows("letters-note", "Letter 2 was purged.");
  equal((await allLetters(collector)).length, 59);

  await page.getByRole("button", { name: "Next" }).click();
  await visit.untilRows("letters-table", 9);
  await page.getByRole("button", { name: "Oldest" }).click();
  await visit.untilRows("letters-table", 50);
  await page.getByRole("button", { name: "Purge all up to 51 …" }).click();
  await question.getByRole("button", { name: "Purge them" }).click();
  await visit.shows("letters-note", "All up to 51 were purged.");
  await soon(() => texts(visit), Array.from({ length: 9 }, (_, n) => `bad ${51 + n}`));
  visit.quiet();
});

browserTest(
  "who may only read is told which scope it takes, and nothing is changed",
  async (browser) => {
    await using folder = new TempFolder();
    const { reader, boss } = await createTokens(folder.database, {
      reader: ["--scopes", "read"],
      boss: ["--scopes", "admin,ingest"],
    });
    await using collector = await CollectorProcess.start({ folder: folder.path, token: reader });
    const headers = {
      authorization: `Bearer ${boss}`,
      "content-type": "application/x-ndjson",
      prefer: "handling=lenient",
    };
    await collector.post("/events", "bad", headers);
    const visiting = { url: collector.url, hash: "/dead-letters", expected: /status of 40[13]/ };
    await using visit = await Visit.begin(browser, visiting);
    await visit.giveToken(reader);
    await visit.page.getByRole("button", { name: "Purge dead letter 1" }).click();
    await visit.id("confirm-dialog").getByRole("button", { name: "Purge" }).click();
    await visit.shows("letters-problem", /^Nothing was purged: The token lacks the scope admin\./);
    await visit.page.getByRole("button", { name: "Forget token" }).click();
    await visit.giveToken(boss);
    await visit.page.getByRole("button", { name: "Purge dead letter 1" }).click();
    await visit.id("confirm-dialog").getByRole("button", { name: "Purge" }).click();
    await visit.shows("letters-note", "Letter 1 was purged.");
    visit.quiet();
  },
);
