/**
 * CloudEvents in binary mode (HTTP protocol binding 1.0.2 §3.1): attributes in headers, data as the
 * body. They are put together as the JSON format has them: that is what is checked and stored.
 */

import { Buffer, isUtf8 } from "node:buffer";
import { type EventProblem, isRefusal, type Refusal } from "../errors.ts";
import type { HeaderReader } from "../protocol.ts";
import { REQUIRED_ATTRIBUTES } from "./cloudevents_event.ts";
import { openJson, problemOf } from "./json_events.ts";

/** What an attribute's header is called before the attribute's name. */
export const HEADER_PREFIX = "ce-";

/** Header values as they may be put together, or what is wrong with them. */
interface Attributes {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly EventProblem[];
}

/** A media type and the charset it names, both in lower case; empty if not there. */
export interface MediaType {
  /** Without parameters. */
  readonly essence: string;
  /** Value of the parameter `charset`. */
  readonly charset: string;
}

/** The event in the JSON format, as UTF-8; or why there is none. */
export function composeCloudEvent(headers: HeaderReader, body: Uint8Array): Uint8Array | Refusal {
  const { values, problems } = attributesIn(headers);
  const contentType = headers.get("content-type") ?? "";
  const data = dataMember(body, contentType);
  if (isRefusal(data)) return data;
  if (problems.length > 0) return unfitHeaders(problems);
  const members = [...values].map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  if (contentType !== "") members.push(`"datacontenttype":${JSON.stringify(contentType)}`);
  if (data.text !== "") members.push(data.text);
  return Buffer.from(`{${members.join()}}`);
}

/** The attributes in the headers: those that are required first, the others in their order. */
function attributesIn(headers: HeaderReader): Attributes {
  const values = new Map<string, string>(), problems: EventProblem[] = [];
  for (const name of REQUIRED_ATTRIBUTES) {
    if (headers.has(HEADER_PREFIX + name)) values.set(name, "");
  }
  for (const [header, value] of headers) {
    if (!header.startsWith(HEADER_PREFIX)) continue;
    const name = header.slice(HEADER_PREFIX.length);
    if (!/^[a-z0-9]+$/.test(name) || RESERVED.has(name)) {
      problems.push(BAD_NAME);
      continue;
    }
    const text = headerText(value);
    if (text === null) problems.push(problemOf(`/${name}`, "header", BAD_VALUE));
    else values.set(name, text);
  }
  return { values, problems };
}

/** The data has a header of its own for its type, and no header for itself. */
const RESERVED = new Set(["data", "datacontenttype"]);
const BAD_NAME = problemOf(
  "",
  "header",
  "Expected ce-* headers named by lower-case letters and digits, and not ce-data or " +
    "ce-datacontenttype.",
);
const BAD_VALUE = "Expected ASCII, everything else percent-encoded as UTF-8.";

function unfitHeaders(errors: readonly EventProblem[]): Refusal {
  const detail = "Not all ce-* headers hold attributes of a CloudEvent.";
  return { code: "invalid-event", detail, errors, errorsTotal: errors.length, events: 1 };
}

/**
 * What a header value says (§3.1.3.2): double quotes undone, then percent-encoding, once. Null if
 * it can say nothing. Headers of one name come joined by a comma and a space, so a header that was
 * sent twice looks like one with such a value.
 */
export function headerText(value: string): string | null {
  const unquoted = unquote(value);
  if (unquoted === null || /[^\x20-\x7e]|%(?![0-9A-Fa-f]{2})/.test(unquoted)) return null;
  if (!unquoted.includes("%")) return unquoted;
  const latin1 = unquoted.replaceAll(
    /%(..)/g,
    (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const bytes = Buffer.from(latin1, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : null;
}

/** A text without its double quotes (RFC 7230 §3.2.6); null if one does not close. */
function unquote(value: string): string | null {
  if (!value.includes('"')) return value;
  let text = "", isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    let c = value.charAt(at);
    if (c === '"') {
      isQuoted = !isQuoted;
      continue;
    }
    if (isQuoted && c === "\\") c = value.charAt(++at);
    text += c;
  }
  return isQuoted ? null : text;
}

/** The member that holds the data, empty if there is none; or why there can be none. */
function dataMember(body: Uint8Array, contentType: string): { readonly text: string } | Refusal {
  if (body.length === 0) return { text: "" };
  const { essence, charset } = mediaTypeOf(contentType);
  if (/\/json$|\+json$/.test(essence)) {
    if (!isUtf8(body)) return NOT_UTF8;
    const opened = openJson(body);
    if (!isRefusal(opened)) return { text: `"data":${opened.document.raw(opened.root)}` };
    return opened.code === "too-deep" ? opened : NOT_JSON;
  }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const isText = /^text\/|[/+]xml$/.test(essence) || charset !== "";
  return isText && isUtf8Name(charset) && isUtf8(body)
    ? { text: `"data":${JSON.stringify(bytes.toString("utf8"))}` }
    : { text: `"data_base64":"${bytes.toString("base64")}"` };
}

const NOT_UTF8: Refusal = {
  code: "invalid-utf8",
  detail: "Expected data that is JSON to be UTF-8.",
  events: 1,
};
const NOT_JSON: Refusal = {
  code: "malformed-json",
  detail: "Expected the body to be JSON (RFC 8259), as its Content-Type says.",
  events: 1,
};

/** A Content-Type header in parts. */
export function mediaTypeOf(header: string): MediaType {
  const [essence = "", ...parameters] = header.toLowerCase().split(";");
  const charset = parameters.map((parameter) => /^\s*charset="?([^"]*)"?\s*$/.exec(parameter)?.[1])
    .find((value) => value !== undefined) ?? "";
  return { essence: essence.trim(), charset: charset.trim() };
}

/** Whether a charset is UTF-8, or ASCII, or not named at all. */
export function isUtf8Name(charset: string): boolean {
  return /^(?:utf-?8|us-ascii)?$/.test(charset);
}
