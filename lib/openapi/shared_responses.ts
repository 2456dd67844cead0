/** Makes the document smaller: answers that several operations have are written once. */

import {
  type OpenApiDocument,
  type Operation,
  type PathItem,
  type Ref,
  type Responses,
  type ResponseSpec,
} from "./spec.ts";

/** The document with answers that come twice or more as components, named after tag and status. */
export function withSharedResponses(document: OpenApiDocument): OpenApiDocument {
  const uses = new Map<string, number>();
  for (const operation of operationsOf(document)) {
    for (const response of Object.values(operation.responses)) {
      const key = JSON.stringify(response);
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }
  const shared: Record<string, ResponseSpec> = { ...document.components.responses };
  const names = new Map<string, string>();
  const nameOf = (key: string, tag: string, status: string): string => {
    const known = names.get(key);
    if (known !== undefined) return known;
    const base = tag.replaceAll(/\W/g, "") + status;
    let name = base;
    for (let nth = 2; Object.hasOwn(shared, name); nth++) name = `${base}-${nth}`;
    names.set(key, name);
    shared[name] = JSON.parse(key);
    return name;
  };
  const short = ({ tags: [tag], responses }: Operation): Responses =>
    Object.fromEntries(
      Object.entries(responses).map(([status, response]): [string, ResponseSpec | Ref] => {
        const key = JSON.stringify(response);
        if ("$ref" in response || (uses.get(key) ?? 0) < 2) return [status, response];
        return [status, { $ref: `#/components/responses/${nameOf(key, tag, status)}` }];
      }),
    );
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]): [string, PathItem] => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, operation]) => [method, {
          ...operation,
          responses: short(operation),
        }]),
      ),
    ]),
  );
  return { ...document, paths, components: { ...document.components, responses: shared } };
}

function operationsOf({ paths }: OpenApiDocument): Operation[] {
  return Object.values(paths).flatMap((item) => Object.values(item));
}
