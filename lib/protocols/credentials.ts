/** The places where protocols put their tokens. */

import { Buffer } from "node:buffer";
import type { Credential, RequestHead } from "../protocol.ts";

/** Longest Authorization header that is looked at, in characters. */
const HEADER_LENGTH_MAX = 1024;
const BASE64 = /^[A-Za-z\d+/_-]*={0,2}$/;

/** `Authorization: <scheme> <token>`; the scheme is one of these, in lower case. */
export function schemeToken(head: RequestHead, schemes: readonly string[]): Credential | null {
  const header = head.headers.get("authorization");
  if (header === null || header.length > HEADER_LENGTH_MAX) return null;
  const space = header.indexOf(" ");
  if (space < 0 || !schemes.includes(header.slice(0, space).toLowerCase())) return null;
  return { token: header.slice(space + 1).trim(), isInUrl: false };
}

/** `Authorization: Bearer <token>`. */
export function bearerToken(head: RequestHead): Credential | null {
  return schemeToken(head, ["bearer"]);
}

/** `Authorization: Basic <base64 of user:password>`: one of the two; the colon may be missing. */
export function basicToken(head: RequestHead, part: "user" | "password"): Credential | null {
  const basic = schemeToken(head, ["basic"]);
  // Buffer reads what it can: of two headers, which are joined, that would be the first.
  if (basic === null || !BASE64.test(basic.token)) return null;
  const text = Buffer.from(basic.token, "base64").toString("utf8");
  const colon = text.indexOf(":");
  const user = colon < 0 ? text : text.slice(0, colon);
  return { token: part === "user" ? user : text.slice(colon + 1), isInUrl: false };
}

/** A parameter of the query. */
export function queryToken({ query }: RequestHead, name: string): Credential | null {
  if (!query.includes(name)) return null;
  const token = new URLSearchParams(query).get(name);
  return token === null ? null : { token, isInUrl: true };
}
