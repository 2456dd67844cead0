/** Values of OTLP messages in JSON: proto3 JSON with the rules of OTLP, as lenient as these are. */

import type { JsonDocument, Span } from "./json_document.ts";

/** Largest `fixed64`. */
const UINT64_MAX = 2n ** 64n - 1n;

/** Whether a member is not there: proto3 JSON takes null for that. */
export function isMissing(document: JsonDocument, span: Span | undefined): boolean {
  return span === undefined ||
    (document.kind(span) === "literal" && document.raw(span) === "null");
}

/** A time in ns since the Unix epoch; 0, which means none, if it is missing; null if it is bad. */
export function nanosecondsOf(document: JsonDocument, span: Span | undefined): bigint | null {
  if (span === undefined || isMissing(document, span)) return 0n;
  const text = document.kind(span) === "number" ? document.raw(span) : document.string(span);
  return text === null ? null : fixed64(text);
}

/**
 * The whole number that a JSON number or string spells. From its digits: a double has 53 bits, too
 * few for nanoseconds. With exponent too (`1.7e+18`), as clients send that compute with doubles.
 */
function fixed64(text: string): bigint | null {
  const [, whole, fraction = "", exponent = "0"] =
    /^(\d{1,20})(?:\.(\d{1,20}))?(?:[eE]\+?(\d{1,2}))?$/.exec(text) ?? [];
  if (whole === undefined) return null;
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > Number(exponent)) return null;
  const value = BigInt(whole + digits.padEnd(Number(exponent), "0"));
  return value <= UINT64_MAX ? value : null;
}

/** Whether a trace or span id is written in hex; it may be missing, and as long as it likes. */
export function isHexId(document: JsonDocument, span: Span | undefined): boolean {
  // One of another length is to be read as none, says OTLP, not to be refused.
  return isMissing(document, span) ||
    /^(?:[0-9a-f]{2})*$/i.test(document.string(span) ?? "not hex");
}

/** The elements of an array that was checked, one after the other: there may be millions. */
function* elementsOf(document: JsonDocument, array: Span): Generator<Span> {
  let at = document.skipSpace(array.start + 1);
  while (at < array.end - 1) {
    const element = document.valueAt(at);
    if (typeof element === "number") return;
    yield element;
    at = document.skipSpace(document.skipSpace(element.end) + 1); // behind a comma or the end
  }
}

/** The attributes that columns are taken from, by key: where their values lie. */
export type Attributes = ReadonlyMap<string, Span>;

const WANTED: ReadonlySet<string> = new Set([
  "enduser.id",
  "event.name",
  "log.record.uid",
  "user.id",
]);

/** The wanted attributes of a message; what is no attribute is passed over. */
export function attributesOf(document: JsonDocument, message: Span | undefined): Attributes {
  const found = new Map<string, Span>();
  if (message === undefined || document.kind(message) !== "object") return found;
  const list = document.members(message).get("attributes");
  if (list === undefined || document.kind(list) !== "array") return found;
  for (const attribute of elementsOf(document, list)) {
    if (document.kind(attribute) !== "object") continue;
    const members = document.members(attribute);
    const key = document.string(members.get("key")), value = members.get("value");
    if (key === null || value === undefined || !WANTED.has(key)) continue;
    if (document.kind(value) === "object") found.set(key, value);
  }
  return found;
}

/** What an attribute says if it is a string; empty if not. */
export function stringAttribute(
  document: JsonDocument,
  attributes: Attributes,
  key: string,
): string {
  const value = attributes.get(key);
  return value === undefined
    ? ""
    : document.string(document.members(value).get("stringValue")) ?? "";
}

/** The user that attributes name; empty if none. */
export function userOf(document: JsonDocument, attributes: Attributes): string {
  for (const key of ["enduser.id", "user.id"]) {
    const user = stringAttribute(document, attributes, key) ||
      integerAttribute(document, attributes, key);
    if (user !== "") return user;
  }
  return "";
}

/** The digits of an attribute that is an integer: so services send users whose ids are numbers. */
function integerAttribute(document: JsonDocument, attributes: Attributes, key: string): string {
  const value = attributes.get(key);
  const span = value === undefined ? undefined : document.members(value).get("intValue");
  if (span === undefined) return "";
  const text = document.string(span) ?? document.raw(span);
  return /^-?\d{1,19}$/.test(text) ? text : "";
}
