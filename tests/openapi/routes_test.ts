/** The OpenAPI document against the program: which paths there are. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { openApiDocument } from "../../lib/openapi/document.ts";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { LIMITS, PROTOCOLS } from "./protocols.ts";

const HTTP = new URL("../../lib/http/", import.meta.url);
const { paths } = openApiDocument(PROTOCOLS, LIMITS);

/** Templates with what stands in braces left out: its name is nobody's but the document's. */
const known = new Set(Object.keys(paths).map(plain));

function plain(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, "{}");
}

Deno.test("every path of every protocol is in the document, by the method that it takes", () => {
  const missing = PROTOCOLS.flatMap(({ routes, services = new Map() }) => [
    ...[...routes.keys()].filter((path) => paths[withoutSlash(path)]?.post === undefined),
    ...[...services].filter(([path, { method }]) =>
      paths[path]?.[method === "GET" ? "get" : "post"] === undefined
    ).map(([path]) => path),
  ]);
  deepEqual(missing, []);
});

Deno.test("a path that is also served with a slash at the end says so", () => {
  const all = PROTOCOLS.flatMap(({ routes }) => [...routes.keys()]);
  const twins = all.filter((path) => path.endsWith("/")).map(withoutSlash);
  ok(twins.length > 15, `only ${twins.length}`);
  deepEqual(twins.filter((path) => !all.includes(path)), []);
  const silent = twins.filter((path) =>
    !paths[path]?.post?.description?.includes(`The same at \`${path}/\`.`)
  );
  deepEqual(silent, []);
});

Deno.test("every path that the collector's index lists is in the document, and the other way", async () => {
  await using collector = await CollectorProcess.start();
  const index: { send: Record<string, string>; read: Record<string, string> } = await (
    await fetch(`${collector.url}/`)
  ).json();
  const listed = [...Object.keys(index.send), ...Object.keys(index.read)].map((each) => {
    const [method = "", path = ""] = each.split(" ");
    return { method: method.toLowerCase() as "get" | "post", path: withoutSlash(path) };
  });
  deepEqual(listed.filter(({ method, path }) => paths[path]?.[method] === undefined), []);
  const reads = Object.keys(index.read).map((each) => plain(each.replace("GET ", "")));
  const unlisted = Object.entries(paths).filter(([path, { get, post }]) =>
    get !== undefined && post === undefined && !reads.includes(plain(path)) && !isBelow(path)
  );
  deepEqual(unlisted.map(([path]) => path), []);
});

/** Paths that the index does not list: it names where to begin. */
function isBelow(path: string): boolean {
  return ["/", "/dashboard/{name}", "/reference/style.css"].includes(path) ||
    path.startsWith("/dead-letters/") || path.startsWith("/services/");
}

Deno.test("every path that lib/http names is in the document", () => {
  const named = [...Deno.readDirSync(HTTP)].flatMap(({ name }) => {
    const text = Deno.readTextFileSync(new URL(name, HTTP));
    const code = text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
    return [...code.matchAll(/"(\/[a-z][a-z\d./-]*[a-z])"/g)].map(([, path = ""]) => path);
  });
  ok(named.includes("/readyz") && named.includes("/tail"), `${named}`);
  deepEqual(named.filter((path) => !known.has(path)), []);
});

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
