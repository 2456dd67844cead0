/** What a collector's own OpenAPI document says of an answer, and whether the answer is so. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { ANYWHERE } from "../../lib/openapi/refusals.ts";
import type { Media, OpenApiDocument, Ref, ResponseSpec, Schema } from "../../lib/openapi/spec.ts";

/** An answer that was read. */
export interface Read {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

/** See the head of this file. */
export class Described {
  readonly document: OpenApiDocument;
  readonly #ajv: Ajv2020;

  constructor(document: OpenApiDocument) {
    this.document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    (ajvFormats as unknown as { default: (ajv: Ajv2020) => void }).default(this.#ajv);
    // Members that the document does not have are told: it is to know all of them.
    this.#ajv.addSchema(closed(document) as Schema, "document");
  }

  /** Asks for a path and checks that the document knows such an answer. */
  async ask(method: string, url: string, init: RequestInit & { path: string }): Promise<Read> {
    const response = await fetch(url, { ...init, method: method.toUpperCase() });
    const { status, headers } = response, type = headers.get("content-type");
    const read = { status, type, text: await response.text() };
    this.check(method, init.path, read);
    return read;
  }

  /** Fails if the document has no such answer at the path, by its template. */
  check(method: string, path: string, { status, type, text }: Read): void {
    const told = `${method} ${path}: ${status} ${type} ${text.slice(0, 600)}`;
    const { pointer, response } = this.#responseAt(method, path, status, told);
    const code = /"type":"\/problems\/([^"]*)"/.exec(text)?.[1] ?? "";
    const isGeneral = pointer.endsWith("/Refused");
    ok(!isGeneral || ANYWHERE.some((each) => each === code), `only in general: ${told}`);
    const { content } = response;
    if (content === undefined) return deepEqual(text, "", told);
    const essence = (type ?? "").split(";")[0] ?? "";
    const media: Media | undefined = content[essence];
    ok(media !== undefined, `${told}\nexpected one of ${Object.keys(content)}`);
    if (!/[/+]json$/.test(essence)) return;
    const validate = this.#validator(`${pointer}/content/${escaped(essence)}/schema`);
    ok(validate(JSON.parse(text)), `${told}\n${reasons(validate.errors)}`);
  }

  /** Fails if a value is not as a schema among the components says. */
  conforms(value: unknown, schema: string): void {
    const validate = this.#validator(`#/components/schemas/${schema}`);
    ok(validate(value), `${JSON.stringify(value)}\n${reasons(validate.errors)}`);
  }

  #responseAt(
    method: string,
    path: string,
    status: number,
    told: string,
  ): { readonly pointer: string; readonly response: ResponseSpec } {
    const { paths, components } = this.document;
    const operation = paths[path]?.[method as "get"];
    ok(operation !== undefined, `the document has no ${method} ${path}`);
    const range = `${String(status).charAt(0)}XX`;
    const key = String(status) in operation.responses ? String(status) : range;
    const found: ResponseSpec | Ref | undefined = operation.responses[key];
    ok(found !== undefined, `not in the document: ${told}`);
    if (!("$ref" in found)) {
      return { pointer: `#/paths/${escaped(path)}/${method}/responses/${key}`, response: found };
    }
    const response = components.responses[found.$ref.split("/").at(-1) ?? ""];
    ok(response !== undefined, `nothing is at ${found.$ref}`);
    return { pointer: found.$ref, response };
  }

  #validator(pointer: string): ValidateFunction {
    const validate = this.#ajv.getSchema(`document${encodeURI(pointer)}`);
    ok(validate !== undefined, `no schema at ${pointer}`);
    return validate;
  }
}

/** A part of a JSON Pointer. */
function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function reasons(errors: readonly ErrorObject[] | null | undefined): string {
  return (errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath || "/"} ${message} ${JSON.stringify(params)}`
  ).join("\n");
}

/** The same with no members allowed but those that are listed, wherever some are. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, closed(member)]);
  const isListed = "properties" in value && "type" in value && !("additionalProperties" in value);
  return Object.fromEntries([...members, ...isListed ? [["unevaluatedProperties", false]] : []]);
}
