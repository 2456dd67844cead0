/** The paths that take events, from the protocols themselves and from what is said of each here. */

import type { RefusalCode } from "../errors.ts";
import { problemAnswer } from "../problem.ts";
import type { IngestRoute, Protocol, Service } from "../protocol.ts";
import { merged, type RefusalSchemas, type Refuse, refusedResponses } from "./refusals.ts";
import {
  type Media,
  type Operation,
  type Parameter,
  type Part,
  type PathItem,
  type Ref,
  type Responses,
  type ResponseSpec,
  type Schema,
  schemaRef,
  type Security,
  type Tag,
} from "./spec.ts";

/** What there is to say of a path. */
export interface PathText {
  /** In a few words. */
  readonly summary: string;
  /** More of it. */
  readonly description?: string;
  /** What it takes beside the body. */
  readonly parameters?: readonly (Parameter | Ref)[];
  /** The body by media type; null if it takes none. */
  readonly body: Readonly<Record<string, Media>> | null;
  /** What becomes of a good request. */
  readonly accepted: Readonly<Record<string, ResponseSpec>>;
}

/** What there is to say of a protocol. */
export interface ProtocolText {
  /** Its heading. */
  readonly tag: Tag;
  /** Where its clients put a token. */
  readonly security: Security;
  /** What its decoder refuses. */
  readonly refuses: readonly RefusalCode[];
  /** How its refusals look. */
  readonly refusals: RefusalSchemas;
  /** Schemas of its own. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Of one of its paths, without a slash at the end. */
  readonly path: (path: string) => PathText;
}

/** What there is to say of a path, or an error that tells the maintainer what to write. */
export function known<T>(paths: Readonly<Record<string, T>>, path: string): T {
  const found = paths[path];
  if (found === undefined) throw new TypeError(`lib/openapi says nothing of ${path}.`);
  return found;
}

/** The part of the document about a protocol. */
export function ingestPart({ routes, services = new Map() }: Protocol, text: ProtocolText): Part {
  const all = [...routes.keys(), ...services.keys()];
  const paths = all.filter((path) => !path.endsWith("/")).map((path): [string, PathItem] => {
    const hasTwin = all.includes(`${path}/`), route = routes.get(path);
    if (route !== undefined) {
      return [path, { post: ingestOperation(path, { route, text, hasTwin }) }];
    }
    const service = services.get(path) as Service;
    const operation = serviceOperation(path, service, text);
    return [path, service.method === "GET" ? { get: operation } : { post: operation }];
  });
  return { tag: text.tag, schemas: text.schemas, paths: Object.fromEntries(paths) };
}

interface Way {
  readonly route: IngestRoute;
  readonly text: ProtocolText;
  /** Whether the path is also there with a slash at the end. */
  readonly hasTwin: boolean;
}

function ingestOperation(path: string, { route, text, hasTwin }: Way): Operation {
  const own = text.path(path);
  const formats = [...route.formats.values(), ...route.otherwise === null ? [] : [route.otherwise]];
  const refusers = new Set([route.refused, ...formats.map((format) => format.refused)]);
  const codes = [
    ...WHILE_RECEIVED,
    ...TOKEN,
    ...text.refuses,
    ...route.otherwise === null ? ["unsupported-type" as const] : [],
    ...route.hasKeys === true ? KEYS : [],
    ...WHILE_STORED,
  ];
  const twin = hasTwin ? `The same at \`${path}/\`.` : "";
  const refuse: Refuse = (refusal) => [...refusers].map((refused) => refused(refusal));
  return {
    ...operationOf("post", path, text),
    ...own.description === undefined && twin === ""
      ? {}
      : { description: [own.description ?? "", twin].filter((each) => each !== "").join("\n\n") },
    parameters: [{ $ref: "#/components/parameters/ContentEncoding" }, ...own.parameters ?? []],
    responses: responsesOf(own, codes, { refuse, refusals: text.refusals }),
  };
}

function serviceOperation(path: string, service: Service, text: ProtocolText): Operation {
  const own = text.path(path), isGet = service.method === "GET";
  const codes = [...service.needsToken ? TOKEN : [], ...isGet ? [] : WHILE_RECEIVED];
  const refuse: Refuse = (refusal) => [service.refused(refusal)];
  return {
    ...operationOf(isGet ? "get" : "post", path, text),
    ...own.description === undefined ? {} : { description: own.description },
    ...service.needsToken ? {} : { security: [] },
    ...own.parameters === undefined ? {} : { parameters: own.parameters },
    responses: responsesOf(own, codes, { refuse, refusals: text.refusals }),
  };
}

function operationOf(
  method: "get" | "post",
  path: string,
  text: ProtocolText,
): Omit<Operation, "responses"> {
  const { summary, body } = text.path(path);
  return {
    operationId: operationId(method, path),
    tags: [text.tag.name],
    summary,
    security: text.security,
    ...body === null ? {} : { requestBody: { required: true, content: body } },
  };
}

/** Such as `postV1Track` for `POST /v1/track`. */
export function operationId(method: string, path: string): string {
  const words = path.replaceAll(/[{}]/g, "").split(/[^A-Za-z\d]+/).filter((word) => word !== "");
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function responsesOf(
  { accepted }: PathText,
  codes: readonly RefusalCode[],
  { refuse, refusals }: { readonly refuse: Refuse; readonly refusals: RefusalSchemas },
): Responses {
  const internal = refusedResponses(["internal"], (refusal) => [problemAnswer(refusal)], {
    "application/problem+json": schemaRef("Problem"),
  });
  const refused = refusedResponses(codes, refuse, refusals);
  return {
    ...merged(accepted, merged(refused, internal)),
    "4XX": { $ref: "#/components/responses/Refused" },
  };
}

/** What is refused before or while the body comes. */
const WHILE_RECEIVED: readonly RefusalCode[] = [
  "body-incomplete",
  "body-timeout",
  "body-too-large",
  "content-coding",
  "decoded-too-large",
  "headers-too-large",
  "invalid-utf8",
  "length-required",
  "too-many-bodies",
  "unsupported-coding",
];
/** What is refused for the token, or for want of one. */
export const TOKEN: readonly RefusalCode[] = [
  "token-missing",
  "unauthorized",
  "forbidden",
  "origin",
  "token-in-url",
  "too-many-auth-failures",
];
const KEYS: readonly RefusalCode[] = ["idempotency-key", "key-in-flight", "key-reused"];
/** What is refused once the events are known. */
const WHILE_STORED: readonly RefusalCode[] = [
  "rate-limited",
  "too-many-events",
  "queue-full",
  "store-failing",
  "draining",
  "unconfirmed",
];
