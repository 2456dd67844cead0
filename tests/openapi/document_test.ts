/** The OpenAPI document by itself: well formed, and free of what linters warn of. */

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { deepStrictEqual as deepEqual, ok, throws } from "node:assert/strict";
import { openApiDocument } from "../../lib/openapi/document.ts";
import type { Operation } from "../../lib/openapi/spec.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import { LIMITS, PROTOCOLS } from "./protocols.ts";

const DOCUMENT = openApiDocument(PROTOCOLS, LIMITS);

/** What Redocly's recommended rules find. */
async function found(document: unknown): Promise<string[]> {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return problems.map(({ ruleId, severity, message, location: [at] }) =>
    `${severity} ${ruleId} at ${at?.pointer}: ${message}`
  );
}

function operations(): Operation[] {
  return Object.values(DOCUMENT.paths).flatMap((item) => Object.values(item));
}

Deno.test("a linter finds no error in the document and nothing to warn of", async () => {
  deepEqual(await found(DOCUMENT), []);
});

Deno.test("the linter would find an example that is not as its schema says", async () => {
  const text = JSON.stringify(DOCUMENT).replace('"user_id":42', '"user_id":"42"');
  ok(
    (await found(JSON.parse(text))).some((line) => line.includes("no-invalid-media-type-examples")),
  );
});

Deno.test("every operation has a name of its own, a heading that is described, and answers", () => {
  const ids = operations().map(({ operationId }) => operationId);
  deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
  const tags = new Set(DOCUMENT.tags.map(({ name }) => name));
  deepEqual(operations().filter(({ tags: [tag] }) => !tags.has(tag)), []);
  deepEqual(operations().filter(({ responses }) => Object.keys(responses).length < 2), []);
});

Deno.test("every kind of refusal is an answer of some operation, or of all", () => {
  const text = JSON.stringify(DOCUMENT);
  // A wrong method is not an answer of an operation.
  const codes = Object.keys(REFUSALS).filter((code) => code !== "method");
  deepEqual(
    codes.filter((code) => !text.includes(`(\`${code}\`)`) && !text.includes(`, \`${code}\``)),
    [],
  );
});

Deno.test("a protocol of which nothing is said is an error, not a gap in the document", () => {
  const [native] = PROTOCOLS;
  ok(native !== undefined);
  throws(() => openApiDocument([{ ...native, name: "new" }], LIMITS), TypeError);
  const route = native.routes.get("/event");
  ok(route !== undefined);
  const more = { ...native, routes: new Map([...native.routes, ["/more", route]]) };
  throws(() => openApiDocument([more], LIMITS), /says nothing of \/more/);
});

Deno.test("the limits in force are in the document", () => {
  const { info } = openApiDocument(PROTOCOLS, { ...LIMITS, maxBodyBytes: 12_345 });
  ok(info.description.includes("12345 bytes as sent"));
});
