/**
 * The text of a tokens file: JSON that a person can read and mend.
 *
 * ```json
 * {
 *   "version": 1,
 *   "tokens": [
 *     {
 *       "name": "web",
 *       "sha256": "4a44dc15364204a80fe80e9039455cc1608281820fe2b24f1e5233ade6af1dd5",
 *       "scopes": ["ingest"],
 *       "events_per_second": 100,
 *       "bytes_per_second": null,
 *       "body_bytes": null,
 *       "origins": ["https://app.example"],
 *       "created": "2027-01-31T12:00:00.000Z"
 *     }
 *   ]
 * }
 * ```
 */

import { ANY_ORIGIN, isOrigin } from "./origin.ts";
import {
  areScopes,
  isTokenName,
  LIMITS_MAX,
  SCOPES_EXPECTED,
  type Token,
  TOKEN_NAME_EXPECTED,
} from "./token.ts";

/** Most tokens in a file. */
export const TOKENS_MAX = 10_000;
/** Most origins of a token. */
export const ORIGINS_MAX = 100;

const VERSION = 1;

/** One member of a token in the file. */
interface Member {
  /** Its name there. */
  readonly key: string;
  /** Whether it may have this value. */
  readonly isValid: (value: unknown) => boolean;
  /** What it may have, in words. */
  readonly expected: string;
}

/** The members in their order. */
const MEMBERS: Readonly<Record<keyof Token, Member>> = {
  name: {
    key: "name",
    isValid: (value) => typeof value === "string" && isTokenName(value),
    expected: TOKEN_NAME_EXPECTED,
  },
  sha256: {
    key: "sha256",
    isValid: (value) => typeof value === "string" && /^[\da-f]{64}$/.test(value),
    expected: "a SHA-256 of 64 lower-case hexadecimal digits",
  },
  scopes: {
    key: "scopes",
    isValid: (value) => Array.isArray(value) && areScopes(value),
    expected: `a list of ${SCOPES_EXPECTED}`,
  },
  eventsPerSecond: limit("events_per_second", LIMITS_MAX.eventsPerSecond),
  bytesPerSecond: limit("bytes_per_second", LIMITS_MAX.bytesPerSecond),
  bodyBytes: limit("body_bytes", LIMITS_MAX.bodyBytes),
  origins: {
    key: "origins",
    isValid: (value) =>
      Array.isArray(value) && value.length <= ORIGINS_MAX &&
      value.every((origin) => typeof origin === "string" && isOrigin(origin)),
    expected: `a list of at most ${ORIGINS_MAX} origins such as https://app.example, or of ` +
      `${ANY_ORIGIN}`,
  },
  created: {
    key: "created",
    isValid: (value) =>
      typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) &&
      !Number.isNaN(Date.parse(value)),
    expected: "an RFC 3339 time in UTC",
  },
};

/** The tokens of a file's text, or what is wrong with it and where. */
export function parseTokens(text: string): readonly Token[] | string {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    return `it is not JSON: ${(error as Error).message}`;
  }
  if (!isObject(file)) return "it must be a JSON object";
  if (file["version"] !== VERSION) return `version must be ${VERSION}`;
  const entries = file["tokens"];
  const unknown = Object.keys(file).find((key) => key !== "version" && key !== "tokens");
  if (unknown !== undefined) return `${JSON.stringify(unknown)} is unknown`;
  if (!Array.isArray(entries) || entries.length > TOKENS_MAX) {
    return `tokens must be a list of at most ${TOKENS_MAX}`;
  }
  const tokens: Token[] = [];
  for (const [index, entry] of entries.entries()) {
    const token = parseToken(entry);
    if (typeof token === "string") return `tokens[${index}]${token}`;
    tokens.push(token);
  }
  return repeated(tokens) ?? tokens;
}

/** The text of a file with these tokens. */
export function formatTokens(tokens: readonly Token[]): string {
  const entries = tokens.map((token) =>
    Object.fromEntries(members().map(([name, { key }]) => [key, token[name]]))
  );
  return JSON.stringify({ version: VERSION, tokens: entries }, null, 2) + "\n";
}

/** One token, or what is wrong with it, to follow its place. */
function parseToken(entry: unknown): Token | string {
  if (!isObject(entry)) return " must be an object";
  const token: Partial<Record<keyof Token, unknown>> = {};
  for (const [name, { key, isValid, expected }] of members()) {
    if (!Object.hasOwn(entry, key)) return `.${key} is missing`;
    if (!isValid(entry[key])) return `.${key} must be ${expected}`;
    token[name] = entry[key];
  }
  const keys = members().map(([, { key }]) => key);
  const unknown = Object.keys(entry).find((key) => !keys.includes(key));
  return unknown === undefined ? token as Token : `: ${JSON.stringify(unknown)} is unknown`;
}

/** Which token there is twice; null if none. */
function repeated(tokens: readonly Token[]): string | null {
  for (const name of ["name", "sha256"] as const) {
    const indexes = new Map<string, number>();
    for (const [index, { [name]: value }] of tokens.entries()) {
      const first = indexes.get(value);
      if (first !== undefined) return `tokens[${index}].${name} is that of tokens[${first}]`;
      indexes.set(value, index);
    }
  }
  return null;
}

function members(): [keyof Token, Member][] {
  return Object.entries(MEMBERS) as [keyof Token, Member][];
}

function limit(key: string, max: number): Member {
  return {
    key,
    isValid: (value) =>
      value === null || (Number.isInteger(value) && value as number >= 1 && value as number <= max),
    expected: `null or an integer from 1 to ${max}`,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
