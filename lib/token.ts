/**
 * Tokens: who may send and read, how much, and from which web pages. What is kept of a token is its
 * SHA-256, which serves to recognize it and not to make it.
 */

import { hash, randomBytes } from "node:crypto";

/** What a request needs a token for. */
export type Scope =
  /** To send events. */
  | "ingest"
  /** To read events and figures. */
  | "read"
  /** To read, and to change what is stored. */
  | "admin";

/** Every scope. */
export const SCOPES: readonly Scope[] = ["ingest", "read", "admin"];

/** How much may be sent with a token; null is as much as without one. */
export interface TokenLimits {
  /** Events a second, on average; twice as many at once. */
  readonly eventsPerSecond: number | null;
  /** Bytes of bodies as sent, a second on average; twice as many at once. */
  readonly bytesPerSecond: number | null;
  /** Bytes of the largest body as sent. */
  readonly bodyBytes: number | null;
}

/** A token, as it is kept. */
export interface Token extends TokenLimits {
  /** Its name, which no other token has: the `source` of events sent with it. */
  readonly name: string;
  /** SHA-256 of what a client sends, in hexadecimal. */
  readonly sha256: string;
  /** What it may be used for, at least one thing. */
  readonly scopes: readonly Scope[];
  /** Origins of the web pages that may use it, see `origin.ts`. */
  readonly origins: readonly string[];
  /** When it was made, RFC 3339 in UTC. */
  readonly created: string;
}

/** Largest value of each limit; the smallest is 1. */
export const LIMITS_MAX: Readonly<Record<keyof TokenLimits, number>> = {
  eventsPerSecond: 1_000_000_000,
  bytesPerSecond: 1024 ** 4,
  bodyBytes: 1024 ** 3,
};

/** Names of the protocols: events that come without a token have them as `source`. */
const PROTOCOLS = [
  "native",
  "segment",
  "otlp",
  "cloudevents",
  "splunk_hec",
  "posthog",
  "tinybird",
];

/** Whether a text can be a token's name. */
export function isTokenName(text: string): boolean {
  return /^[A-Za-z\d][A-Za-z\d._-]{0,63}$/.test(text) && !PROTOCOLS.includes(text);
}

/** What {@linkcode isTokenName} expects, in words. */
export const TOKEN_NAME_EXPECTED: string =
  "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or a digit, and no " +
  `protocol's name (${PROTOCOLS.join(", ")})`;

/** Whether what is given are scopes: at least one, none twice. */
export function areScopes(texts: readonly unknown[]): texts is readonly Scope[] {
  return texts.length > 0 && new Set(texts).size === texts.length &&
    texts.every((text) => SCOPES.some((scope) => scope === text));
}

/** What {@linkcode areScopes} expects, in words. */
export const SCOPES_EXPECTED: string = `one or several of ${SCOPES.join(", ")}, none twice`;

/** Whether a token may be used for a scope: what may change may read. */
export function hasScope({ scopes }: Token, scope: Scope): boolean {
  return scopes.includes(scope) || (scope === "read" && scopes.includes("admin"));
}

const RANDOM_BYTES = 32;

/** Makes what a client sends: nobody can guess it. */
export function newSecret(): string {
  return `fh_${randomBytes(RANDOM_BYTES).toString("base64url")}`;
}

/** What is kept of what a client sends. */
export function sha256Of(secret: string): string {
  return hash("sha256", secret, "hex");
}
