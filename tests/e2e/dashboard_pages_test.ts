/** The files of the dashboard: what is served, with which headers, and nothing else. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { ASSETS } from "../../lib/dashboard/assets.ts";
import { CollectorProcess } from "./collector_process.ts";
import { problem, step } from "./expect.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const FILES = [...ASSETS.keys()].map((name) => name === "" ? "/" : `/dashboard/${name}`);
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function ask(url: string, init: { method?: string; headers?: Record<string, string> } = {}) {
  const response = await fetch(url, { ...init, headers: { accept: BROWSER, ...init.headers } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

Deno.test("the dashboard's files are served to whoever asks, and nothing beside them", async (t) => {
  await using collector = await CollectorProcess.start();
  const { url } = collector;

  await step(t, "a browser gets the page at /, others the JSON index", async () => {
    const page = await ask(url);
    equal(page.status, 200);
    equal(page.text, ASSETS.get("")?.text);
    equal(page.headers.get("vary"), "accept");
    for (const accept of ["*/*", "application/json", ""]) {
      const index = await ask(url, { headers: { accept } });
      equal(index.headers.get("content-type"), "application/json");
      equal(JSON.parse(index.text).name, "Firehouse Collector");
    }
  });

  await step(
    t,
    "each file comes whole, with its type and the headers that lock it in",
    async () => {
      for (const path of FILES) {
        const { status, headers, text } = await ask(url + path);
        const asset = ASSETS.get(path.replace(/^\/(dashboard\/)?/, ""));
        deepEqual(
          [status, text, headers.get("content-type")],
          [200, asset?.text, asset?.type],
          path,
        );
        match(headers.get("content-type") ?? "", /^(text|image)\/[a-z+]+; charset=utf-8$/);
        equal(headers.get("content-security-policy"), POLICY);
        equal(headers.get("x-content-type-options"), "nosniff");
        equal(headers.get("referrer-policy"), "no-referrer");
        equal(headers.get("cross-origin-opener-policy"), "same-origin");
        equal(headers.get("cache-control"), "no-cache");
      }
    },
  );

  await step(t, "HEAD gives the same headers and no body", async () => {
    for (const path of ["/", "/dashboard/app.js"]) {
      const [head, get] = [await ask(url + path, { method: "HEAD" }), await ask(url + path)];
      deepEqual([head.status, head.text], [200, ""]);
      for (const name of ["etag", "content-type", "content-security-policy"]) {
        equal(head.headers.get(name), get.headers.get(name));
      }
    }
  });

  await step(t, "a browser that has a file is told so, by its ETag, which is strong", async () => {
    const etags = new Set<string>();
    for (const path of FILES) {
      const etag = (await ask(url + path)).headers.get("etag") ?? "";
      match(etag, /^"[\w-]{20,}"$/);
      etags.add(etag);
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const again = await ask(url + path, { headers: { "if-none-match": known } });
        deepEqual([again.status, again.text, again.headers.get("etag")], [304, "", etag]);
      }
      for (const other of ['"x"', etag.slice(0, -2) + '"', ""]) {
        equal((await ask(url + path, { headers: { "if-none-match": other } })).status, 200);
      }
    }
    equal(etags.size, FILES.length, "two files have the same ETag");
  });

  await step(t, "no other name is found, however it is written", async () => {
    for (
      const name of [
        ...["assets.ts", "deno.json", "APP.JS", "app.js/", "app.js%00", "./", "x", "%61pp.js"],
        ...["..%2f..%2fmain.ts", "%2e%2e/main.ts", "app.js%2f", "__proto__", "constructor"],
      ]
    ) problem(await ask(`${url}/dashboard/${name}`), "not-found");
    problem(await ask(`${url}/dashboard`), "not-found");
  });

  await step(t, "only GET and HEAD", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await ask(`${url}/dashboard/app.js`, { method });
      problem(answer, "method");
      equal(answer.headers.get("allow"), "GET, HEAD, OPTIONS");
    }
  });
});

Deno.test("no token is needed for the page: it holds no data", async () => {
  const args = ["--anonymous", "always", "--host", "0.0.0.0"];
  await using collector = await CollectorProcess.start({ args });
  const url = collector.url.replace("0.0.0.0", "127.0.0.1");
  equal((await ask(`${url}/stats`)).status, 401);
  const page = await ask(url);
  equal(page.status, 200);
  ok(page.text.includes("<title>Firehouse Collector</title>"));
  equal((await ask(`${url}/dashboard/app.js`)).status, 200);
});
