/** Schemas for people: what a value is, member by member. */

import { type Html, type Inside, markup, prose } from "./html.ts";
import type { Schema } from "./spec.ts";

/** A schema in a line, and its members, if it is an object that has some. */
export function schemaHtml(schema: Schema): Html {
  return markup`<p class="type">${typeOf(schema)}${limitsOf(schema)}</p>${membersOf(schema)}`;
}

/** What a value is, in a line. */
export function typeOf(schema: Schema): Html {
  const { $ref, anyOf, enum: choices, type, items, format } = schema;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return markup`<a href="#schema-${name}">${name}</a>`;
  }
  if ("const" in schema) return markup`<code>${JSON.stringify(schema.const)}</code>`;
  if (Array.isArray(anyOf)) return joined(anyOf.map(typeOf), " or ");
  if (Array.isArray(choices)) {
    return joined(choices.map((each) => markup`<code>${JSON.stringify(each)}</code>`), ", ");
  }
  if (type === "array") return markup`array of ${typeOf(items as Schema)}`;
  if (type === undefined) return markup`anything`;
  const words = [type].flat().join(" or ");
  return markup`${words}${format === undefined ? "" : ` (${format})`}`;
}

/** Between which limits, and what it is by default. */
export function limitsOf(schema: Schema): Html {
  const limits = Object.entries(LIMITS).flatMap(([name, words]) =>
    schema[name] === undefined ? [] : [markup`, ${words} <code>${String(schema[name])}</code>`]
  );
  return markup`${limits}`;
}

const LIMITS = {
  minimum: "at least",
  maximum: "at most",
  minLength: "characters at least",
  maxLength: "characters at most",
  minItems: "items at least",
  maxItems: "items at most",
  maxProperties: "members at most",
  pattern: "like",
  default: "default",
} as const;

/** The members of an object, or of the objects in an array; nothing if there are none. */
export function membersOf(schema: Schema): Html | null {
  const { items, properties, required = [], additionalProperties } = schema;
  if (items !== undefined) return membersOf(items as Schema);
  if (properties === undefined) {
    if (typeof additionalProperties !== "object" || additionalProperties === null) return null;
    return markup`<p>Each member: ${typeOf(additionalProperties as Schema)}.</p>`;
  }
  const members = Object.entries(properties as Record<string, Schema>);
  const needed = required as readonly string[];
  return markup`
    <dl class="members">
      ${members.map(([name, member]) => memberHtml(name, member, needed))}
    </dl>
  `;
}

function memberHtml(name: string, schema: Schema, needed: readonly string[]): Html {
  const { description } = schema;
  return markup`
    <div>
      <dt><code>${name}</code>${
    needed.includes(name) ? null : markup` <small>optional</small>`
  }</dt>
      <dd>
        <span class="type">${typeOf(schema)}${limitsOf(schema)}</span>
        ${typeof description === "string" ? markup`<p>${prose(description)}</p>` : null}
        ${membersOf(schema)}
      </dd>
    </div>
  `;
}

function joined(pieces: readonly Html[], between: string): Html {
  return markup`${pieces.flatMap((each, i): Inside[] => i === 0 ? [each] : [between, each])}`;
}
