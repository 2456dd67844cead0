/** Who may do what: the request's side of `access.ts`, and the rules of browsers (CORS). */

import type { Access, Grant, Scope } from "../access.ts";
import type { Refusal } from "../errors.ts";
import type { Credential, RequestHead } from "../protocol.ts";

/** A request that arrived, and for whom. */
export interface Arrived {
  /** As the runtime gave it. */
  readonly request: Request;
  /** Its head. */
  readonly head: RequestHead;
  /** Origin of the page that sent it; null if none did, or one of this server. */
  readonly page: string | null;
  /** Address of the client. */
  readonly remote: () => string;
}

const ORIGIN: Refusal = { code: "origin", detail: "This page's origin is not allowed." };
/** How long a browser may remember the answer to a preflight, in s. */
const PREFLIGHT_SECONDS = 7200;

/** See the head of this file. */
export class Gate {
  readonly #access: Access;

  /** Asks `access`. */
  constructor(access: Access) {
    this.#access = access;
  }

  /** What a request may do, or why it may not. */
  authorize(
    arrived: Arrived,
    credential: Credential | null,
    scope: Scope,
  ): Grant | Refusal {
    const { page, remote } = arrived;
    return this.#access.authorize(credential, { scope, origin: page, remote });
  }

  /** Why a page may not send, whatever its token is; null if it may, or no foreign page sent this. */
  refusesPage(arrived: Arrived): Refusal | null {
    return arrived.page === null || this.readerOf(arrived) !== null ? null : ORIGIN;
  }

  /** The page that may read the answer; null if no foreign page asks, or it may not. */
  readerOf({ page }: Arrived): string | null {
    return page !== null && this.#access.allowsOrigin(page) ? page : null;
  }

  /** The answer to a browser that asks whether a page may send (Fetch standard, CORS preflight). */
  preflight(arrived: Arrived): Response | Refusal {
    const { headers } = arrived.head, origin = this.readerOf(arrived);
    if (origin === null) return ORIGIN;
    const answer = new Headers({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "GET, POST, PUT, DELETE",
      "access-control-max-age": String(PREFLIGHT_SECONDS),
      "vary": "origin",
    });
    const asked = headers.get("access-control-request-headers") ?? "";
    if (/^[\w\-, ]{1,1024}$/.test(asked)) answer.set("access-control-allow-headers", asked);
    if (headers.get("access-control-request-private-network") === "true") {
      answer.set("access-control-allow-private-network", "true");
    }
    return new Response(null, { status: 204, headers: answer });
  }
}

/**
 * The page that sent a request to a server that the client sees at `origin`; null if none did, or
 * one of this server.
 */
export function pageOf({ headers }: Request, origin: string): string | null {
  const sender = headers.get("origin");
  const isOwn = sender !== null && /^https?:/.test(sender) && hostOf(sender) === hostOf(origin);
  return isOwn ? null : sender;
}

/** Without the scheme: a proxy that ends TLS changes it. */
function hostOf(origin: string): string {
  return origin.slice(origin.indexOf("//") + 2);
}
