/** Which path a request is for, and whether this server is the one it is for. */

import type { Refusal } from "../errors.ts";
import { isLoopback } from "../loopback.ts";

const URL_LENGTH_MAX = 8192;
const REMEMBERED_MAX = 64;

/** What a request is for. */
export interface Target {
  /** The path, percent-encoding as sent. */
  readonly path: string;
  /** The query without its question mark; empty if there is none. */
  readonly query: string;
  /** Scheme, host and port as the client sees them. */
  readonly origin: string;
}

/** The target of a request URL, or why it is not served. */
export class TargetResolver {
  readonly #hostnames: ReadonlySet<string> | null;
  readonly #remembered = new Map<string, Target>();
  readonly #rememberPaths: ReadonlySet<string>;

  /**
   * Remembers nothing yet.
   *
   * @param hostnames The only names served, against DNS rebinding; null for any.
   * @param rememberPaths Paths whose URLs are remembered, so that parsing is paid once a client.
   */
  constructor(hostnames: ReadonlySet<string> | null, rememberPaths: Iterable<string>) {
    this.#hostnames = hostnames;
    this.#rememberPaths = new Set(rememberPaths);
  }

  /** The target of a URL. */
  resolve(url: string): Target | Refusal {
    return this.#remembered.get(url) ?? this.#parse(url);
  }

  #parse(text: string): Target | Refusal {
    if (text.length > URL_LENGTH_MAX) {
      return {
        code: "uri-too-long",
        detail: `Expected a URL of at most ${URL_LENGTH_MAX} characters.`,
      };
    }
    const url = URL.parse(text);
    if (url === null || url.username !== "") {
      return { code: "host", detail: "Expected a Host header with a host name." };
    }
    if (this.#hostnames !== null && !this.#hostnames.has(url.hostname)) {
      return {
        code: "misdirected",
        detail: "This host name is not served here; --allowed-hosts names those that are.",
      };
    }
    const target = { path: url.pathname, query: url.search.slice(1), origin: url.origin };
    if (this.#rememberPaths.has(target.path) && this.#remembered.size < REMEMBERED_MAX) {
      this.#remembered.set(text, target);
    }
    return target;
  }
}

/**
 * The Host names to serve: those listed, or, without a list, any; on a loopback address only the
 * names of loopback, since a page of the web may have its own name resolve to 127.0.0.1.
 */
export function servedHostnames(list: string, listenHost: string): ReadonlySet<string> | null {
  const listed = list.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (listed.length > 0) return new Set(listed.map(asInUrl));
  return isLoopback(listenHost)
    ? new Set(["localhost", "127.0.0.1", "[::1]", asInUrl(listenHost)])
    : null;
}

/** A name as `URL` spells it: lower case, IDN in ASCII, IPv6 shortened and in brackets. */
function asInUrl(name: string): string {
  const isBareIpv6 = name.includes(":") && !name.startsWith("[");
  return URL.parse(`http://${isBareIpv6 ? `[${name}]` : name}`)?.hostname ?? name;
}
