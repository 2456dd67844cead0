/** What is filtered is exported: without a token by a plain download, with one by the page. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { parquetReadObjects } from "hyparquet";
import { parse } from "csv-parse/sync";
import type { Page } from "playwright-core";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { createTokens } from "../e2e/firehouse_command.ts";
import { type StoredEvent, storedEvents } from "../e2e/rows.ts";
import { TempFolder } from "../e2e/sending.ts";
import { sendMany, sendNative, sendTyped } from "./sent.ts";
import { browserTest, Visit } from "./visit.ts";

/** Saves by the dialog's button or link, and gives the bytes and the name of the file. */
async function saved(page: Page): Promise<{ bytes: Uint8Array<ArrayBuffer>; name: string }> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator("#export-dialog .primary").click(),
  ]);
  const path = await download.path();
  const bytes = await Deno.readFile(path);
  return { bytes, name: download.suggestedFilename() };
}

/** A stored event as an exported line has it. */
function lineOf(event: StoredEvent): string {
  const text = (value: string | null) => JSON.stringify(value);
  return `{"id":${event.id},"user_id":${event.user_id},"actor":${text(event.actor)},` +
    `"timestamp":${text(event.timestamp)},` +
    `"received_at":"${new Date(Number(event.received_at)).toISOString()}",` +
    `"source":${text(event.source)},"type":${text(event.type)},` +
    `"event_id":${text(event.event_id)},"metadata":${event.metadata}}\n`;
}

browserTest(
  "today's events of one source are saved in each format, as they are in the database",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await sendNative(collector, "-9223372036854775808", '{"n":12345678901234567890,"f":1.0}');
    await sendMany(collector, 700);
    await sendTyped(collector, "Signed up", ["u1", "=cmd", 'a "b"\n, c']);
    const hash = "/events?range=today";
    await using visit = await Visit.begin(browser, { url: collector.url, hash });
    const { page } = visit, dialog = visit.id("export-dialog");
    await page.getByLabel("Source", { exact: true }).fill("native");
    await page.keyboard.press("Enter");
    await visit.shows("events-note", /^50 events, there are older ones/);
    await page.getByRole("button", { name: "Export …" }).click();
    await dialog.getByText("Events: received today, source native; the oldest first.")
      .waitFor();
    await dialog.getByText("701 events at present.").waitFor();

    const expected = storedEvents(collector.database).filter(({ source }) => source === "native");
    const ndjson = await saved(page);
    match(ndjson.name, /\.ndjson$/);
    equal(new TextDecoder().decode(ndjson.bytes), expected.map(lineOf).join(""));

    await dialog.getByLabel("CSV").check();
    const csv = await saved(page);
    match(csv.name, /\.csv$/);
    const rows: string[][] = parse(csv.bytes, { bom: true });
    deepEqual(rows.slice(1).map((row) => row[0]), expected.map(({ id }) => String(id)));
    equal(rows[1]?.at(-1), '{"n":12345678901234567890,"f":1.0}');

    await dialog.getByLabel("Parquet").check();
    const parquet = await saved(page);
    match(parquet.name, /\.parquet$/);
    const objects = await parquetReadObjects({ file: parquet.bytes.buffer });
    deepEqual(
      objects.map(({ id, user_id }) => [id, user_id]),
      expected.map((each) => [
        ...[each.id, each.user_id],
      ]),
    );
    await visit.go("/trends?by=type"); // it was about what was filtered there
    await dialog.waitFor({ state: "hidden" });
    visit.quiet();
  },
);

browserTest("the command it shows saves the same file", async (browser) => {
  await using folder = new TempFolder();
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await sendTyped(collector, "it's", ["u1", "u2"]);
  await sendMany(collector, 3);
  const hash = "/events?type=it%27s";
  await using visit = await Visit.begin(browser, { url: collector.url, hash });
  await visit.page.getByRole("button", { name: "Export …" }).click();
  const command = await visit.id("export-dialog").locator("pre").innerText();
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", command],
    cwd: folder.path,
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  const events = storedEvents(collector.database).filter(({ type }) => type === "it's");
  equal(Deno.readTextFileSync(`${folder.path}/events.ndjson`), events.map(lineOf).join(""));
  visit.quiet();
});

browserTest(
  "with a token the page saves it by itself, and neither file nor URL has the token",
  async (browser) => {
    await using folder = new TempFolder();
    const { me } = await createTokens(folder.database, { me: ["--scopes", "read,ingest"] });
    await using collector = await CollectorProcess.start({ folder: folder.path, token: me });
    const headers = { authorization: `Bearer ${me}`, "content-type": "application/x-ndjson" };
    const line = '{"user_id":1,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}\n';
    equal((await collector.post("/events", line.repeat(2000), headers)).status, 202);
    const visiting = { url: collector.url, hash: "/events", expected: /status of 401/ };
    await using visit = await Visit.begin(browser, visiting);
    const { page } = visit, urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await visit.giveToken(me);
    await visit.untilRows("events-table", 50);
    await page.getByRole("button", { name: "Export …" }).click();
    const { bytes, name } = await saved(page);
    equal(name, "events.ndjson");
    equal(
      new TextDecoder().decode(bytes),
      storedEvents(collector.database).map(lineOf).join(""),
    );
    await visit.shows("export-dialog", /Saved .* as events\.ndjson/);
    match(await visit.id("export-dialog").innerText(), /authorization: Bearer TOKEN/);
    ok(!page.url().includes(me) && !urls.some((url) => url.includes(me)), "the token is in a URL");
    ok(!(await page.content()).includes(me), "the token is on the page");
    visit.quiet();
  },
);

browserTest(
  "what is too large to be collected is given up, with the command instead",
  async (browser) => {
    await using folder = new TempFolder();
    const { me } = await createTokens(folder.database, { me: ["--scopes", "read,ingest"] });
    await using collector = await CollectorProcess.start({ folder: folder.path, token: me });
    const visiting = { url: collector.url, hash: "/connect", expected: /status of 401/ };
    await using visit = await Visit.begin(browser, visiting);
    const { page } = visit;
    // Half a GiB is not to be stored for this: the answer is made up, the page's own limit is real.
    await page.route(/\/dashboard\/download\.js$/, async (route) => {
      const response = await route.fetch();
      const text = (await response.text()).replace("512 * 1024 * 1024", "100 * 1000");
      await route.fulfill({ response, body: text });
    });
    await page.reload();
    await visit.giveToken(me);
    const headers = { authorization: `Bearer ${me}`, "content-type": "application/x-ndjson" };
    const line = '{"user_id":1,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}\n';
    equal((await collector.post("/events", line.repeat(2000), headers)).status, 202);
    await visit.view("Events");
    await page.getByRole("button", { name: "Export …" }).click();
    await page.locator("#export-dialog .primary").click();
    await visit.shows("export-dialog", /larger than 97\.7 KiB.*Use the command below/);
    visit.quiet();
  },
);
