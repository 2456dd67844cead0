/** Tokens as the tests like them. */

import { sha256Of, type Token } from "../../lib/token.ts";

/** A token without limits, for sending; what a client sends for it is `secretOf` its name. */
export function tokenOf(name: string, more: Partial<Token> = {}): Token {
  return {
    name,
    sha256: sha256Of(secretOf(name)),
    scopes: ["ingest"],
    eventsPerSecond: null,
    bytesPerSecond: null,
    bodyBytes: null,
    origins: [],
    created: "2027-01-31T12:00:00.000Z",
    ...more,
  };
}

/** What a client sends for the token of this name. */
export function secretOf(name: string): string {
  return `fh_secret-of-${name}`;
}
