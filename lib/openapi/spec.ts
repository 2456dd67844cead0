/** The parts of an OpenAPI 3.1 document, as far as this one has them. */

/** A JSON Schema (2020-12). */
export type Schema = Readonly<Record<string, unknown>>;

/** The name of something that stands under `components`. */
export interface Ref {
  /** Such as `#/components/schemas/Event`. */
  readonly $ref: string;
}

/** A body in one media type. */
export interface Media {
  /** What it is like. */
  readonly schema: Schema;
  /** One that is. */
  readonly example?: unknown;
}

/** A header of an answer. */
export interface Header {
  /** What it tells. */
  readonly description: string;
  /** What it is like. */
  readonly schema: Schema;
}

/** An answer. */
export interface ResponseSpec {
  /** When it comes. */
  readonly description: string;
  /** By name. */
  readonly headers?: Readonly<Record<string, Header | Ref>>;
  /** By media type; none if there is no body. */
  readonly content?: Readonly<Record<string, Media>>;
}

/** Answers by status. */
export type Responses = Readonly<Record<string, ResponseSpec | Ref>>;

/** A parameter of a request. */
export interface Parameter {
  /** Its name. */
  readonly name: string;
  /** Where it stands. */
  readonly in: "path" | "query" | "header";
  /** Whether it must be there. */
  readonly required?: true;
  /** What it means. */
  readonly description: string;
  /** What it is like. */
  readonly schema: Schema;
  /** One that is. */
  readonly example?: unknown;
  /** How an object is written. */
  readonly style?: "deepObject";
}

/** Ways to say who asks, by the names of security schemes: each is enough; none if it is empty. */
export type Security = readonly Readonly<Record<string, readonly string[]>>[];

/** What a method does at a path. */
export interface Operation {
  /** Its name for generated clients. */
  readonly operationId: string;
  /** The tag that it is listed under. */
  readonly tags: readonly [string];
  /** In a few words. */
  readonly summary: string;
  /** More of it; backquotes mark code, an empty line a new paragraph. */
  readonly description?: string;
  /** What it takes beside a body. */
  readonly parameters?: readonly (Parameter | Ref)[];
  /** The body it takes. */
  readonly requestBody?: {
    readonly required: boolean;
    readonly description?: string;
    readonly content: Readonly<Record<string, Media>>;
  };
  /** Who may ask. */
  readonly security: Security;
  /** What it answers. */
  readonly responses: Responses;
}

/** What can be done at a path, by method in lower case. */
export type PathItem = Readonly<Partial<Record<Method, Operation>>>;

/** Methods, in the order in which they are shown. */
export const METHODS = ["get", "post", "put", "delete"] as const;

/** A method. */
export type Method = typeof METHODS[number];

/** Paths by their templates. */
export type Paths = Readonly<Record<string, PathItem>>;

/** A heading that operations are listed under. */
export interface Tag {
  /** Its name. */
  readonly name: string;
  /** What they have in common. */
  readonly description: string;
}

/** A part of the API that is described by itself. */
export interface Part {
  /** Under which heading. */
  readonly tag: Tag;
  /** What can be done. */
  readonly paths: Paths;
  /** Schemas that its operations name. */
  readonly schemas?: Readonly<Record<string, Schema>>;
}

/** The whole. */
export interface OpenApiDocument {
  /** Version of the format. */
  readonly openapi: string;
  /** What is described. */
  readonly info: Readonly<Record<string, unknown>> & {
    readonly title: string;
    readonly version: string;
    readonly description: string;
  };
  /** Where it is, seen from the document. */
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  /** Headings. */
  readonly tags: readonly Tag[];
  /** What can be done. */
  readonly paths: Paths;
  /** What is named elsewhere. */
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, ResponseSpec>>;
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly headers: Readonly<Record<string, Header>>;
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

/** Names a schema. */
export function schemaRef(name: string): Ref & Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Names a parameter. */
export function parameterRef(name: string): Ref {
  return { $ref: `#/components/parameters/${name}` };
}

/** Names a header. */
export function headerRef(name: string): Ref {
  return { $ref: `#/components/headers/${name}` };
}

/** An object whose members are all there, but those listed as optional; it may have others too. */
export function objectOf(
  properties: Readonly<Record<string, Schema>>,
  options: { readonly optional?: readonly string[]; readonly description?: string } = {},
): Schema {
  const { optional = [], description } = options;
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return {
    type: "object",
    ...description === undefined ? {} : { description },
    ...required.length === 0 ? {} : { required },
    properties,
  };
}

/** An answer that is JSON. */
export function jsonAnswer(
  description: string,
  schema: Schema,
  example?: unknown,
): ResponseSpec {
  return {
    description,
    content: { "application/json": example === undefined ? { schema } : { schema, example } },
  };
}

/** A whole number that is not negative. */
export function count(description: string): Schema {
  return { type: "integer", minimum: 0, description };
}

/** An instant, RFC 3339 in UTC. */
export function instant(description: string): Schema {
  return { type: "string", format: "date-time", description };
}

/** A text. */
export function text(description: string): Schema {
  return { type: "string", description };
}

/** The same, or null. */
export function orNull(schema: Schema): Schema {
  return { ...schema, type: [schema.type, "null"] };
}
