/** The reference page: all of the document is on it, and nothing that its policy forbids. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { openApiDocument } from "../../lib/openapi/document.ts";
import { markup, prose } from "../../lib/openapi/html.ts";
import { referencePage } from "../../lib/openapi/page.ts";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { LIMITS, PROTOCOLS } from "./protocols.ts";

const DOCUMENT = openApiDocument(PROTOCOLS, LIMITS), PAGE = referencePage(DOCUMENT);

function all(pattern: RegExp): string[] {
  return [...PAGE.matchAll(pattern)].map(([, found = ""]) => found);
}

Deno.test("every operation, answer and schema is on the page, once", () => {
  const { paths, components: { schemas, responses } } = DOCUMENT;
  const operations = Object.values(paths).flatMap((item) => Object.values(item));
  const expected = [
    ...operations.map(({ operationId }) => operationId),
    ...Object.keys(responses).map((name) => `answer-${name}`),
    ...Object.keys(schemas).map((name) => `schema-${name}`),
  ];
  const ids = all(/ id="([^"]*)"/g);
  deepEqual(expected.filter((id) => ids.filter((each) => each === id).length !== 1), []);
  deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
});

Deno.test("every link on the page leads somewhere on it, or to this collector", () => {
  const ids = all(/ id="([^"]*)"/g), links = all(/<a [^>]*href="([^"]*)"/g);
  ok(links.length > 300, `only ${links.length}`);
  const lost = links.filter((link) => link.startsWith("#") && !ids.includes(link.slice(1)));
  deepEqual(lost, []);
  const elsewhere = links.filter((link) => !link.startsWith("#"));
  deepEqual(elsewhere, ["./", "openapi.json"]);
});

Deno.test("the page needs no script or style of its own inside, and nothing from elsewhere", () => {
  deepEqual(all(/ (?:src|href)="([^"#]*)"/g), [
    ...["dashboard/icon.svg", "dashboard/theme.js", "dashboard/theme.css", "reference/style.css"],
    ...["./", "openapi.json"],
  ]);
  deepEqual(all(/<(style)\b| (style|on\w+)=/g), []);
  deepEqual(all(/<script([^>]*)>(?!<\/script>)/g), []);
});

Deno.test("text is shown as text, whatever is in it", () => {
  equal(
    markup`<p title="${'"><script>'}">${["<b>", markup`<i>${"&'"}</i>`, null, 7]}</p>`.html,
    '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;<i>&amp;&#39;</i>7</p>',
  );
  equal(prose("a `<b>` c").html, "a <code>&lt;b&gt;</code> c");
  const info = { ...DOCUMENT.info, title: "<script>alert(1)</script>" };
  ok(!referencePage({ ...DOCUMENT, info }).includes("<script>alert"));
});

Deno.test("the collector serves page, style and document with a policy, and says what is unchanged", async () => {
  await using collector = await CollectorProcess.start();
  for (const path of ["/reference", "/reference/style.css", "/openapi.json"]) {
    const first = await fetch(collector.url + path), { headers } = first;
    equal(first.status, 200, path);
    ok((await first.text()).length > 1000, path);
    match(
      headers.get("content-security-policy") ?? "",
      /default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    equal(headers.get("x-content-type-options"), "nosniff");
    const known = { "if-none-match": headers.get("etag") ?? "" };
    const again = await fetch(collector.url + path, { headers: known });
    equal(again.status, 304, path);
    await again.body?.cancel();
    const posted = await collector.post(path, new Blob(["x"]));
    equal(posted.status, 405, path);
  }
  const missing = await fetch(`${collector.url}/reference/other.css`);
  equal(missing.status, 404);
  await missing.body?.cancel();
});

Deno.test("the document tells of the limits in force, also after they were changed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-openapi-" });
  try {
    const config = `${folder}/firehouse.conf`;
    Deno.writeTextFileSync(config, "max-body-bytes = 1111\n");
    await using collector = await CollectorProcess.start({ folder, args: ["--config", config] });
    const told = async () => (await (await fetch(`${collector.url}/openapi.json`)).text());
    match(await told(), /1111 bytes as sent/);
    Deno.writeTextFileSync(config, "max-body-bytes = 2222\n");
    collector.kill("SIGHUP");
    await collector.untilOutput(/max-body-bytes = 2222/);
    match(await told(), /2222 bytes as sent/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
