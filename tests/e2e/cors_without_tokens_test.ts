/** Pages of the web where there are no tokens: on loopback every page in a browser there reaches it. */

import { strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { samples } from "./one_event.ts";
import { APP, ask, FOREIGN, OTHER, PLAIN, preflight, readable, refusedPage } from "./pages.ts";
import { storedCount } from "./rows.ts";

Deno.test("a foreign page can not use a collector on loopback without tokens, whatever needs no preflight", async () => {
  await using collector = await CollectorProcess.start();
  const { url, database } = collector;
  for (const origin of FOREIGN) {
    const post = await ask(`${url}/event`, "POST", { ...PLAIN, origin }, event(1));
    refusedPage(post, origin);
    refusedPage(await ask(`${url}/events`, "POST", { ...PLAIN, origin }, event(1)), origin);
    refusedPage(await preflight(`${url}/event`, origin), origin);
  }
  for (const [protocol, { request }] of samples()) {
    const { path, headers, body } = request();
    refusedPage(
      await ask(url + path, "POST", { ...headers, origin: OTHER }, new Blob([body])),
      protocol,
    );
  }
  for (const path of ["/stats", "/dead-letters", "/dead-letters/export"]) {
    refusedPage(await ask(url + path, "GET", { origin: OTHER }), path);
  }
  for (
    const [method, path] of [["DELETE", "?through=9"], ["DELETE", "/1"], [
      "POST",
      "/1/replay",
    ]] as const
  ) {
    refusedPage(
      await ask(`${url}/dead-letters${path}`, method, { origin: OTHER }),
      `${method} ${path}`,
    );
    refusedPage(await preflight(`${url}/dead-letters${path}`, OTHER, method), `${method} ${path}`);
  }
  equal(storedCount(database), 0);
  equal((await collector.stats()).refused_requests["origin"], 46);
});

Deno.test("requests of the collector's own pages pass, those of another port or name of its host do not", async () => {
  await using collector = await CollectorProcess.start();
  const own = [`http://localhost:${new URL(collector.url).port}`, collector.url];
  for (const url of own) {
    const headers = { ...PLAIN, origin: url };
    equal((await ask(`${url}/event`, "POST", headers, event(1))).status, 202, url);
    equal((await ask(`${url}/dead-letters?through=1`, "DELETE", { origin: url })).status, 200);
  }
  const [localhost = "", ip = ""] = own; // to a browser these are two
  for (const origin of [localhost, "http://127.0.0.1:1", "http://127.0.0.1", `${ip}.example`]) {
    refusedPage(await ask(`${ip}/event`, "POST", { ...PLAIN, origin }, event(1)), origin);
  }
  equal(storedCount(collector.database), 2);
});

Deno.test("--allowed-origins names pages that need no token; of * any may send, none may read or remove", async () => {
  for (const [list, isListed] of [[`${APP}, https://b.example`, true], ["*", false]] as const) {
    await using collector = await CollectorProcess.start({ args: ["--allowed-origins", list] });
    const { url } = collector, page = { origin: APP };
    readable(await ask(`${url}/event`, "POST", { ...PLAIN, ...page }, event(1)), 202);
    equal((await preflight(`${url}/event`, APP)).status, 204);
    const other = await ask(`${url}/event`, "POST", { ...PLAIN, origin: OTHER }, event(2));
    equal(other.status, isListed ? 403 : 202);
    refusedPage(await ask(`${url}/event`, "POST", { ...PLAIN, origin: "null" }, event(3)), "null");
    for (const origin of isListed ? [OTHER] : [APP, OTHER]) {
      equal((await ask(`${url}/stats`, "GET", { origin })).status, 403);
      const removing = await ask(`${url}/dead-letters?through=9`, "DELETE", { origin });
      equal(removing.status, 403, removing.text);
    }
    if (isListed) readable(await ask(`${url}/stats`, "GET", page), 200);
    equal(storedCount(collector.database), isListed ? 1 : 2);
  }
});
