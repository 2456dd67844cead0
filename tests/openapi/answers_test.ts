/** The OpenAPI document against a live collector: it answers every operation as the document says. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Method, Operation, Parameter, Ref } from "../../lib/openapi/spec.ts";
import { METHODS } from "../../lib/openapi/spec.ts";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { Described, type Read } from "./described.ts";

/** Sends a call that is no call: it becomes a dead letter, whose number is given. */
async function makeLetter(url: string): Promise<string> {
  const body = new Blob(['{"batch":[{"type":"track","userId":"u1"}]}']);
  await (await fetch(`${url}/v1/batch`, { method: "POST", body })).text();
  const { dead_letters } = await (await fetch(`${url}/dead-letters?limit=1000`)).json();
  return String(dead_letters.at(-1).id);
}

/** Sends an event and gives the name of its receipt. */
async function makeReceipt(url: string): Promise<string> {
  const { headers, body } = await fetch(`${url}/event`, {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "respond-async" },
    body: new Blob(['{"user_id":1,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}']),
  });
  await body?.cancel();
  return (headers.get("location") ?? "").split("/").at(-1) ?? "";
}

/** What is put in place of a parameter in a path, where its example would not do. */
const MADE: Readonly<Record<string, (url: string) => Promise<string>>> = {
  "/dead-letters/{id}": makeLetter,
  "/dead-letters/{id}/replay": makeLetter,
  "/receipts/{id}": makeReceipt,
};
/** Bodies in place of the examples. */
const BODIES: Readonly<Record<string, Readonly<Record<string, BodyInit>>>> = {
  "put /export-points/{name}": { "application/json": '{"id":1}' },
  "post /v1/logs": { "application/x-protobuf": new Uint8Array(0) },
  "post /dead-letters/{id}/replay": {
    "*/*": '{"type":"track","userId":"u1","event":"mended"}',
  },
  "post /cloudevents": { "*/*": "data" },
};
const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "post /cloudevents */*": {
    "content-type": "text/plain",
    ...{ "ce-specversion": "1.0", "ce-id": "b1", "ce-source": "/shop", "ce-type": "t" },
  },
  "post /services/collector/ack application/json": { "x-splunk-request-channel": "a17" },
};

interface Asked {
  readonly described: Described;
  readonly url: string;
  readonly method: Method;
  readonly path: string;
  readonly operation: Operation;
}

/** Asks once with each of an operation's bodies, as its examples have them. */
async function askAll(asked: Asked): Promise<Read[]> {
  const { described, url, method, path, operation } = asked, key = `${method} ${path}`;
  const bodies: [string | null, BodyInit | null][] = [];
  for (const [type, { example }] of Object.entries(operation.requestBody?.content ?? {})) {
    const text = typeof example === "string" ? example : JSON.stringify(example);
    const body = BODIES[key]?.[type] ?? text;
    ok(body !== undefined, `no example of ${type} for ${key}`);
    const isForm = type === "application/x-www-form-urlencoded";
    bodies.push([type, isForm ? new URLSearchParams(example as { data: string }) : body]);
  }
  if (bodies.length === 0) bodies.push([null, null]);
  const reads: Read[] = [];
  for (const [type, body] of bodies) {
    const target = url + await targetOf(asked);
    const own = HEADERS[`${key} ${type}`] ?? {};
    const headers = { ...type === null ? {} : { "content-type": type }, ...own };
    const sent = body === null ? {} : { body: body instanceof URLSearchParams ? body : blob(body) };
    reads.push(await described.ask(method, target, { path, headers, ...sent }));
  }
  return reads;
}

/** Deno's fetch sends text again when a connection breaks. */
function blob(body: BodyInit): Blob {
  return new Blob([body as string]);
}

/** The path with its parameters, and those of the query that are needed. */
async function targetOf({ described, url, path, operation }: Asked): Promise<string> {
  const parameters = (operation.parameters ?? []).map((each) => resolved(described, each));
  const made = await MADE[path]?.(url);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const example = made ?? parameters.find((each) => each.name === name)?.example;
    ok(example !== undefined, `no example of ${name} for ${path}`);
    return encodeURIComponent(String(example));
  });
  const query = new URLSearchParams(
    parameters.filter((each) => each.in === "query" && each.required === true)
      .map(({ name, example = 1 }): [string, string] => [name, String(example)]),
  );
  return query.size === 0 ? filled : `${filled}?${query}`;
}

function resolved({ document }: Described, each: Parameter | Ref): Parameter {
  if (!("$ref" in each)) return each;
  const found = document.components.parameters[each.$ref.split("/").at(-1) ?? ""];
  ok(found !== undefined, `nothing is at ${each.$ref}`);
  return found;
}

async function describedBy(collector: CollectorProcess): Promise<Described> {
  return new Described(await (await fetch(`${collector.url}/openapi.json`)).json());
}

Deno.test("each operation answers its own examples with success, as the document has it", async () => {
  await using collector = await CollectorProcess.start();
  const described = await describedBy(collector), { url } = collector;
  const failed: string[] = [];
  let count = 0;
  for (const [path, item] of Object.entries(described.document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined || path === "/tail") continue; // it has no end
      const reads = await askAll({ described, url, method, path, operation });
      failed.push(
        ...reads.filter(({ status }) => status >= 300)
          .map(({ status, text }) => `${method} ${path}: ${status} ${text}`),
      );
      count++;
    }
  }
  deepEqual(failed, []);
  ok(count > 55, `only ${count} operations`);
  equal((await collector.stats()).residual, 0);
});
