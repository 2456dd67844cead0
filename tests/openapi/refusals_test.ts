/** The OpenAPI document against a live collector: what is refused, and the answers without an end. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { METHODS, type Operation } from "../../lib/openapi/spec.ts";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { createTokens } from "../e2e/firehouse_command.ts";
import { TempFolder } from "../e2e/sending.ts";
import { Described } from "./described.ts";

interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operationsOf({ document: { paths } }: Described): Placed[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    })
  );
}

/** Something for each parameter, and those of the query that are needed. */
function target({ path, operation: { parameters = [] } }: Placed): string {
  const query = parameters.flatMap((each) =>
    "in" in each && each.in === "query" && each.required === true
      ? [`${each.name}=${each.example ?? 1}`]
      : []
  );
  return path.replaceAll(/\{\w+\}/g, "1") + (query.length === 0 ? "" : `?${query.join("&")}`);
}

async function describedBy(url: string): Promise<Described> {
  return new Described(await (await fetch(`${url}/openapi.json`)).json());
}

Deno.test("with tokens, each operation refuses who has none, a wrong one, or one that may not", async () => {
  await using folder = new TempFolder();
  const tokens = await createTokens(folder.database, {
    sender: ["--scopes", "ingest"],
    reader: ["--scopes", "read"],
  });
  await using collector = await CollectorProcess.start({
    folder: folder.path,
    token: tokens.reader,
  });
  const described = await describedBy(collector.url);
  let refused = 0;
  for (const each of operationsOf(described)) {
    const { method, path, operation } = each, isOpen = operation.security.length === 0;
    const isSent = operation.requestBody !== undefined;
    for (const token of ["", "fh_wrong", tokens.sender, tokens.reader]) {
      if (path === "/tail" && token === tokens.reader) continue; // it has no end
      const headers = {
        ...token === "" ? {} : { authorization: `Bearer ${token}` },
        ...isSent
          ? { "content-type": Object.keys(operation.requestBody?.content ?? {})[0] ?? "" }
          : {},
      };
      const sent = isSent ? { body: new Blob(["{"]) } : {};
      const { status } = await described.ask(method, collector.url + target(each), {
        ...{ path, headers, ...sent },
      });
      if (isOpen) ok(status !== 401 && status !== 403, `${method} ${path}: ${status}`);
      else if (token === "" || token === "fh_wrong") {
        ok([401, 403, 429, 503, 400].includes(status), `${method} ${path}: ${status}`);
        refused++;
      }
    }
  }
  ok(refused > 80, `only ${refused} were refused`);
});

Deno.test("what takes a body refuses one that is cut, empty, of another kind or coding", async () => {
  await using collector = await CollectorProcess.start();
  const described = await describedBy(collector.url);
  const bodies: readonly [body: string, headers: Record<string, string>][] = [
    ["{", {}],
    ["", {}],
    ["\xff", { "content-encoding": "gzip" }],
    ["{}", { "content-encoding": "snappy" }],
    ["{}", { "content-type": "image/png" }],
    ["x".repeat(2_000_000), {}],
    ["[".repeat(200), {}],
    ["[1,2]", {}],
  ];
  const silent: string[] = [];
  for (const each of operationsOf(described)) {
    const { method, path, operation: { requestBody } } = each;
    if (requestBody === undefined) continue;
    const [type = ""] = Object.keys(requestBody.content);
    let refused = 0;
    for (const [body, own] of bodies) {
      const headers = { "content-type": type, ...own };
      const sent = { path, headers, body: new Blob([body]) };
      const { status } = await described.ask(method, collector.url + target(each), sent);
      if (status >= 400) refused++;
    }
    if (refused < 3) silent.push(`${method} ${path}: ${refused}`);
  }
  deepEqual(silent, []);
});

Deno.test("any path refuses a URL that is too long, as it says", async () => {
  await using collector = await CollectorProcess.start();
  const described = await describedBy(collector.url);
  for (const each of operationsOf(described)) {
    const { method, path, operation } = each;
    if (method !== "get") continue;
    const target = `${collector.url}${path.replaceAll(/\{\w+\}/g, "1")}?x=${"y".repeat(9000)}`;
    equal((await described.ask(method, target, { path })).status, 414, path);
    ok("4XX" in operation.responses, path);
  }
});

Deno.test("wrong parameters of queries are refused as the document says", async () => {
  await using collector = await CollectorProcess.start();
  const described = await describedBy(collector.url);
  for (
    const [path, query] of [
      ["/events", "limit=0"],
      ["/events", "nonsense=1"],
      ["/events", "from=yesterday"],
      ["/events", "where[]=1"],
      ["/series", "interval=3s"],
      ["/series", "from=2026-11-24&to=2026-11-23"],
      ["/top", "by=weather"],
      ["/export", "format=xml"],
      ["/tail", "last=5000"],
      ["/dead-letters", "limit=x"],
    ] as const
  ) {
    const read = await described.ask("get", `${collector.url}${path}?${query}`, { path });
    equal(read.status, 400, `${path}?${query}: ${read.text}`);
  }
});

Deno.test("lines and the tail hold events as the document has them", async () => {
  await using collector = await CollectorProcess.start();
  const described = await describedBy(collector.url), { url } = collector;
  const sent =
    '{"id":"a","user_id":9007199254740993,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}';
  await collector.post("/event", new Blob([sent]));
  await collector.post("/v1/track", new Blob(['{"userId":"u1","event":"Paid","messageId":"m"}']));
  const lines = await described.ask("get", `${url}/events?format=ndjson`, { path: "/events" });
  const events = lines.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  equal(events.length, 2);
  for (const event of events) described.conforms(event, "Event");

  const ending = new AbortController();
  const response = await fetch(`${url}/tail?last=2`, { signal: ending.signal });
  const { status, headers } = response;
  described.check("get", "/tail", { status, type: headers.get("content-type"), text: "" });
  let text = "";
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.split("data: ").length > 2) break;
  }
  ending.abort();
  const [first = ""] = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => data);
  described.conforms(JSON.parse(first), "Event");
});
