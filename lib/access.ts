/**
 * Who may do what: the token of a request decides, or, without one, where the collector listens.
 *
 * What a client sends is looked up by its SHA-256. How long that takes can tell of the hashes at most,
 * and no hash leads back to 32 random bytes. Hashing takes a fifth of the time that a small request
 * takes, so tokens that were found good are remembered in memory, in a hash table: it compares only
 * texts whose hashes, seeded for this process, are equal.
 */

import { AuthFailures, FAILURES_MAX } from "./auth_failures.ts";
import type { Config } from "./config.ts";
import { CollectorError, type Refusal } from "./errors.ts";
import { isLoopback } from "./loopback.ts";
import { listItems } from "./option_value.ts";
import { includesOrigin } from "./origin.ts";
import type { Credential } from "./protocol.ts";
import { hasScope, type Scope, SCOPES, sha256Of, type Token } from "./token.ts";
import { TokenBucket } from "./token_bucket.ts";
import { tokensPath } from "./token_file.ts";

export type { Scope } from "./token.ts";

/** The settings it keeps to: see `options.ts`. */
export type AccessSettings = Pick<Config, "host" | "anonymous" | "allowedOrigins">;

/** What a request wants, and who asks. */
export interface AccessRequest {
  /** What it wants to do. */
  readonly scope: Scope;
  /** Origin of the web page that sent it; null if none did, or a page of this server. */
  readonly origin: string | null;
  /** The address it came from, at the other end of the connection. */
  readonly remote: () => string;
}

/** What a request may do. */
export interface Grant {
  /** Name of its token; null if it has none. */
  readonly source: string | null;
  /** Largest body as sent; null if its token sets no limit. */
  readonly maxBodyBytes: number | null;
  /** Takes so many bytes from what its token may send, or refuses. */
  readonly takeBytes: (bytes: number) => Refusal | null;
  /** Takes so many events from what its token may send, or refuses. */
  readonly takeEvents: (events: number) => Refusal | null;
}

/** Longest token that is looked at, in characters. */
const TOKEN_LENGTH_MAX = 512;
/** How many good tokens are remembered. */
const GOOD_MAX = 1000;

/** A token in force. */
interface Entry {
  readonly token: Token;
  /** The token as text: another text is another definition. */
  readonly definition: string;
  readonly origins: ReadonlySet<string>;
  readonly grant: Grant;
}

/** The tokens in force, all at once. */
interface Table {
  readonly bySha256: ReadonlyMap<string, Entry>;
  /** What is granted without a token. */
  readonly anonymous: readonly Scope[];
  /** Origins that any page may have that is served. */
  readonly origins: ReadonlySet<string>;
}

/** See the head of this file. */
export class Access {
  readonly #settings: AccessSettings;
  #allowedOrigins: ReadonlySet<string> = new Set();
  readonly #nowMs: () => number;
  readonly #failures: AuthFailures;
  readonly #onWrongToken: (remote: string) => void;
  #table: Table;
  /** Of the tokens in force, those that were sent. */
  readonly #good = new Map<string, Entry>();

  /** Knows no tokens: {@linkcode Access.replace} gives it some. `nowMs` does not go back. */
  constructor(
    settings: AccessSettings,
    nowMs: () => number = () => performance.now(),
    onWrongToken: (remote: string) => void = () => {},
  ) {
    this.#onWrongToken = onWrongToken;
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.#failures = new AuthFailures(nowMs);
    this.#table = this.#tableOf([], new Map());
    this.refresh();
  }

  /**
   * Puts these tokens in force, in place of all others. What was granted stays granted; a token that
   * is the same as before has no more left of its limits than before.
   */
  replace(tokens: readonly Token[]): void {
    this.#table = this.#tableOf(tokens, this.#table.bySha256);
    this.#good.clear();
  }

  /** Puts the settings in force as they are now, for the tokens there are. */
  refresh(): void {
    this.#allowedOrigins = new Set(listItems(this.#settings.allowedOrigins));
    this.replace([...this.#table.bySha256.values()].map(({ token }) => token));
  }

  /** What a request may do, or why it may not do what it wants. */
  authorize(credential: Credential | null, request: AccessRequest): Grant | Refusal {
    const entry = credential === null ? null : this.#find(credential.token);
    if (credential === null || entry === null) return this.#withoutToken(credential, request);
    const { token, origins, grant } = entry, { scope, origin } = request;
    if (credential.isInUrl && hasScope(token, "read")) return TOKEN_IN_URL;
    if (!hasScope(token, scope)) return lacksScope(scope);
    return origin === null || includesOrigin(origins, origin) ? grant : ORIGIN;
  }

  /** Whether a page of this origin may be served at all, with some token or without one. */
  allowsOrigin(origin: string): boolean {
    return includesOrigin(this.#table.origins, origin);
  }

  #find(secret: string): Entry | null {
    const { bySha256 } = this.#table;
    if (bySha256.size === 0 || secret.length > TOKEN_LENGTH_MAX) return null;
    const known = this.#good.get(secret);
    if (known !== undefined) return known;
    const entry = bySha256.get(sha256Of(secret)) ?? null;
    if (entry !== null && this.#good.size < GOOD_MAX) this.#good.set(secret, entry);
    return entry;
  }

  /** What a request may do that has no token, or none that is known. */
  #withoutToken(credential: Credential | null, request: AccessRequest): Grant | Refusal {
    const { bySha256, anonymous } = this.#table, { scope, origin } = request;
    // Where there are no tokens, what clients send for one has no meaning.
    const isAnonymous = credential === null || bySha256.size === 0;
    if (!isAnonymous || !anonymous.includes(scope)) {
      return credential === null ? TOKEN_MISSING : this.#tokenWrong(request);
    }
    const allowed = this.#allowedOrigins;
    // A page that nobody named may send, but not read what others have sent.
    const isAllowed = origin === null || allowed.has(origin) ||
      (scope === "ingest" && includesOrigin(allowed, origin));
    return isAllowed ? ANONYMOUS : ORIGIN;
  }

  #tokenWrong({ remote }: AccessRequest): Refusal {
    const address = remote(), seconds = this.#failures.record(address);
    this.#onWrongToken(address);
    if (seconds === 0) return TOKEN_WRONG;
    return {
      code: "too-many-auth-failures",
      detail: `More than ${FAILURES_MAX} wrong tokens came from this address within a minute.`,
      headers: { "retry-after": String(seconds) },
    };
  }

  #tableOf(tokens: readonly Token[], before: ReadonlyMap<string, Entry>): Table {
    const entries = tokens.map((token): [string, Entry] => {
      const definition = JSON.stringify(token), same = before.get(token.sha256);
      if (same?.definition === definition) return [token.sha256, same];
      const origins = new Set(token.origins), grant = grantOf(token, this.#nowMs);
      return [token.sha256, { token, definition, origins, grant }];
    });
    const anonymous = anonymousScopes(this.#settings, tokens.length);
    const origins = tokens.flatMap((token) => token.origins);
    return {
      bySha256: new Map(entries),
      anonymous,
      origins: new Set(anonymous.length > 0 ? [...origins, ...this.#allowedOrigins] : origins),
    };
  }
}

/**
 * Refuses to start where everyone could come in, or no one.
 *
 * @throws {CollectorError} if it would listen beyond this machine, without tokens and without having
 * been told that this is wanted.
 */
export function refuseOpenDoor(
  config: Pick<Config, "host" | "anonymous" | "db" | "tokens">,
  tokenCount: number,
): void {
  if (tokenCount > 0 || config.anonymous === "always" || isLoopback(config.host)) return;
  throw new CollectorError(
    "config",
    `Cannot start: ${config.host} is reached from other machines, and there are no tokens.`,
    {
      hint: "Make one with `firehouse token create NAME --tokens " +
        `${tokensPath(config)}\`, or let everyone send with --anonymous always.`,
    },
  );
}

/** What is granted without a token. */
function anonymousScopes(
  { host, anonymous }: AccessSettings,
  tokenCount: number,
): readonly Scope[] {
  if (tokenCount === 0 && isLoopback(host)) return SCOPES;
  return anonymous === "always" ? ["ingest"] : [];
}

const ANONYMOUS: Grant = {
  source: null,
  maxBodyBytes: null,
  takeBytes: () => null,
  takeEvents: () => null,
};

/** What a token grants, with its limits all unused. */
function grantOf(token: Token, nowMs: () => number): Grant {
  const { name, bodyBytes, bytesPerSecond, eventsPerSecond } = token;
  const takeEvents = taker(eventsPerSecond, "events", nowMs);
  return {
    source: name,
    maxBodyBytes: bodyBytes,
    takeBytes: taker(bytesPerSecond, "bytes", nowMs),
    takeEvents: (events) => {
      const refusal = takeEvents(events);
      return refusal === null ? null : { ...refusal, events };
    },
  };
}

/** Takes amounts from a bucket of its own, or refuses; without a limit it takes any. */
function taker(
  perSecond: number | null,
  unit: "bytes" | "events",
  nowMs: () => number,
): (amount: number) => Refusal | null {
  if (perSecond === null) return () => null;
  const bucket = new TokenBucket(perSecond, nowMs);
  return (amount) => {
    const seconds = bucket.take(amount);
    if (seconds === 0) return null;
    return {
      code: "rate-limited",
      detail: `Expected at most ${perSecond} ${unit} a second with this token.`,
      headers: { "retry-after": String(seconds) },
    };
  };
}

const CHALLENGE = { "www-authenticate": "Bearer" };
const TOKEN_MISSING: Refusal = {
  code: "token-missing",
  detail: "Expected a token.",
  headers: CHALLENGE,
};
const TOKEN_WRONG: Refusal = {
  code: "unauthorized",
  detail: "The token is not valid.",
  headers: CHALLENGE,
};
const TOKEN_IN_URL: Refusal = {
  code: "token-in-url",
  detail: "This token may do more than send, and its URL is kept in logs: expected a header.",
};
const ORIGIN: Refusal = { code: "origin", detail: "This page's origin is not allowed." };

function lacksScope(scope: Scope): Refusal {
  return { code: "forbidden", detail: `The token lacks the scope ${scope}.` };
}
