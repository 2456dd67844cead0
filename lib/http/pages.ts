/** The pages of the dashboard: a fixed set of files, each under its exact name. They hold no data. */

import { createHash } from "node:crypto";
import type { Asset } from "../asset.ts";
import type { HeaderReader } from "../protocol.ts";

/** Where the files are; the page itself is at `/`, from where it finds them. */
export const PAGES_PATH = "/dashboard/";

/** Gives the files by their names, the page under the empty one. Asked once, for the first request. */
export type PageLoader = () => Promise<ReadonlyMap<string, Asset>>;

interface Page {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** See the head of this file. */
export class Pages {
  readonly #load: PageLoader;
  #pages: Promise<ReadonlyMap<string, Page>> | null = null;

  /** Loads nothing yet. */
  constructor(load: PageLoader) {
    this.#load = load;
  }

  /** The page, for `GET /` of a browser. */
  async start(headers: HeaderReader): Promise<Response> {
    const response = await this.file("", headers);
    if (response === null) throw new TypeError("There is no page with the empty name.");
    response.headers.set("vary", "accept"); // other clients get JSON at the same path
    return response;
  }

  /** The file at a path under {@linkcode PAGES_PATH}, for `GET`; null if there is none. */
  async answer(path: string, headers: HeaderReader): Promise<Response | null> {
    const name = path.slice(PAGES_PATH.length);
    return name === "" ? null : await this.file(name, headers);
  }

  /** The file with a name, for `GET`; null if there is none. */
  async file(name: string, headers: HeaderReader): Promise<Response | null> {
    this.#pages ??= this.#load().then(pagesOf);
    const page = (await this.#pages).get(name);
    if (page === undefined) return null;
    const isKnown = matches(headers.get("if-none-match"), page.headers.etag ?? "");
    return new Response(isKnown ? null : page.text, {
      status: isKnown ? 304 : 200,
      headers: page.headers,
    });
  }
}

/** Whether a browser's `Accept` asks for a page rather than for JSON. */
export function wantsPage(headers: HeaderReader): boolean {
  return headers.get("accept")?.includes("text/html") ?? false;
}

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function pagesOf(assets: ReadonlyMap<string, Asset>): ReadonlyMap<string, Page> {
  return new Map([...assets].map(([name, { type, text }]) => [name, {
    text,
    headers: {
      "content-type": type,
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-cache",
      "etag": `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`,
    },
  }]));
}

/** RFC 9110, 13.1.2: by weak comparison, among those listed. */
function matches(ifNoneMatch: string | null, etag: string): boolean {
  const listed = (ifNoneMatch ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  return listed.includes(etag) || ifNoneMatch === "*";
}
