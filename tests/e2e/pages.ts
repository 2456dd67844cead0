/** Requests as browsers send them for web pages, and what they make of the answers. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import type { Answer } from "./expect.ts";

/** The origins of two pages. */
export const APP = "https://app.example", OTHER = "https://other.example";
/** What a page may send without a preflight. */
export const PLAIN = { "content-type": "text/plain" };
/** The header that lets a page read an answer. */
export const ALLOW_ORIGIN = "access-control-allow-origin";

/** The header that carries a token. */
export const bearer = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
});

/** Sends a request and reads the whole answer. */
export async function ask(
  url: string,
  method: string,
  headers: Record<string, string>,
  body: BodyInit | null = null,
): Promise<Answer> {
  const response = await fetch(url, { method, headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Asks as a browser does before it lets a page send. */
export async function preflight(url: string, origin: string, method = "POST"): Promise<Answer> {
  return await ask(url, "OPTIONS", {
    origin,
    "access-control-request-method": method,
    "access-control-request-headers": "authorization,content-type,idempotency-key,x-retry-count",
  });
}

/** The headers that grant a page something; a page that is granted nothing sees none of them. */
function granting({ headers }: Answer): string[] {
  return [...headers.keys()].filter((name) => name.startsWith("access-control-"));
}

/** Asserts that a page was refused for its origin, and may not even see that. */
export function refusedPage(answer: Answer, what: string): void {
  equal(answer.status, 403, `${what}: ${answer.text}`);
  deepEqual(granting(answer), [], what);
}

/** Asserts that a page may see an answer, and what it says of waiting. */
export function readable(answer: Answer, status: number): void {
  equal(answer.status, status, answer.text);
  equal(answer.headers.get(ALLOW_ORIGIN), APP);
  match(answer.headers.get("access-control-expose-headers") ?? "", /\bretry-after\b/);
  match(answer.headers.get("vary") ?? "", /\borigin\b/i);
  equal(answer.headers.get("access-control-allow-credentials"), null);
}

/** Origins that are not that of {@linkcode APP}. */
export const FOREIGN: readonly string[] = [
  OTHER,
  "null",
  "http://app.example",
  "https://app.example:8443",
  "https://sub.app.example",
  "https://app.example.other.example",
  "HTTPS://APP.EXAMPLE",
  `${APP}, ${OTHER}`,
  "*",
  "",
];
