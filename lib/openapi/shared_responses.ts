/** Makes the document smaller: answers that several operations have are written once. */

import type { OpenApiDocument, Operation, PathItem, Ref, Responses, ResponseSpec } from "./spec.ts";

/** The document with answers that come twice or more as components, named after tag and status. */
export function withSharedResponses(document: OpenApiDocument): OpenApiDocument {
  const shared = new SharedResponses(document);
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]): [string, PathItem] => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, operation]) => [method, {
          ...operation,
          responses: shared.shortened(operation),
        }]),
      ),
    ]),
  );
  return { ...document, paths, components: { ...document.components, responses: shared.byName } };
}

/** The answers that are shared, each from when it is met first. */
class SharedResponses {
  readonly byName: Record<string, ResponseSpec>;
  /** How often each is there, by its JSON. */
  readonly #uses = new Map<string, number>();
  readonly #names = new Map<string, string>();

  constructor({ paths, components }: OpenApiDocument) {
    this.byName = { ...components.responses };
    for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
      for (const response of Object.values(operation.responses)) {
        const json = JSON.stringify(response);
        this.#uses.set(json, (this.#uses.get(json) ?? 0) + 1);
      }
    }
  }

  /** An operation's answers, with names in place of those that are shared. */
  shortened({ tags: [tag], responses }: Operation): Responses {
    const entries = Object.entries(responses).map(
      ([status, response]): [string, ResponseSpec | Ref] => {
        if ("$ref" in response || (this.#uses.get(JSON.stringify(response)) ?? 0) < 2) {
          return [status, response];
        }
        const name = this.#nameOf(response, tag.replaceAll(/\W/g, "") + status);
        return [status, { $ref: `#/components/responses/${name}` }];
      },
    );
    return Object.fromEntries(entries);
  }

  /** The name of an answer: `wished`, if no other answer has it. */
  #nameOf(response: ResponseSpec, wished: string): string {
    const json = JSON.stringify(response), known = this.#names.get(json);
    if (known !== undefined) return known;
    let name = wished;
    for (let nth = 2; Object.hasOwn(this.byName, name); nth++) name = `${wished}-${nth}`;
    this.#names.set(json, name);
    this.byName[name] = response;
    return name;
  }
}
