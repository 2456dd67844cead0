/** A running collector, as a command on the same or another machine asks it. */

import type { Config } from "../config.ts";
import { CollectorError } from "../errors.ts";

/** What says where it is. */
export interface ClientOptions {
  /** Where it listens if no flag says so. */
  readonly config: Pick<Config, "host" | "port" | "tlsCert">;
  /** The flags of the command. */
  readonly given: { readonly url: string | null; readonly tokenFile: string | null };
}

/** What a request may carry. */
export interface AskOptions {
  /** GET by default. */
  readonly method?: string;
  /** Headers beside the token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body. */
  readonly body?: Uint8Array<ArrayBuffer> | null;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** See the head of this file. */
export class CollectorClient {
  readonly #url: string;
  readonly #headers: Record<string, string> = {};

  /** Reads the token. @throws {CollectorError} if its file can not be read. */
  constructor({ config, given: { url, tokenFile } }: ClientOptions) {
    const scheme = config.tlsCert === "" ? "http" : "https";
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    this.#url = (url ?? `${scheme}://${host}:${config.port}`).replace(/\/+$/, "");
    if (tokenFile !== null) this.#headers.authorization = `Bearer ${tokenIn(tokenFile)}`;
  }

  /** Asks for JSON. @throws {CollectorError} if it is not there or refuses. */
  async ask(
    method: string,
    path: string,
    body: Uint8Array<ArrayBuffer> | null = null,
  ): Promise<unknown> {
    const response = await this.request(path, { method, body });
    return await response.json().catch(() => ({}));
  }

  /** Gives the answer to a request, its body unread. @throws {CollectorError} as for `ask`. */
  async request(path: string, options: AskOptions = {}): Promise<Response> {
    const response = await this.send(path, options);
    if (response.ok) return response;
    throw await refusal(response, `${options.method ?? "GET"} ${path.replace(/\?.*$/, "")}`);
  }

  /** The same, but gives a refusal too. @throws {CollectorError} if no collector is there. */
  async send(path: string, options: AskOptions = {}): Promise<Response> {
    const { method = "GET", headers = {}, body = null, signal } = options;
    const url = this.#url + path;
    const init: RequestInit = { method, headers: { ...this.#headers, ...headers } };
    if (body !== null) init.body = body;
    if (signal !== undefined) init.signal = signal;
    try {
      return await fetch(url, init);
    } catch (cause) {
      if (signal?.aborted) throw cause;
      const hint = "Name it with --url; for a certificate of your own authority set DENO_CERT.";
      throw failure(`No collector answers at ${this.#url}: ${reasonOf(cause)}`, hint);
    }
  }
}

/** What an answer that refuses says; `asked` is what it answers. */
export async function refusal(response: Response, asked: string): Promise<CollectorError> {
  const answer = await response.json().catch(() => ({}));
  return failure(`${asked} was answered ${response.status}: ${describe(answer)}`, hintFor(answer));
}

/** What is read of a problem (RFC 9457). */
interface Problem {
  readonly type?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** All of a file that the operator named. @throws {CollectorError} if it can not be read. */
export function bytesIn(path: string, hint: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failure(`Cannot read ${path}: ${why}`, hint);
  }
}

/** The error that a collector refused what a command asked, with the way out. */
export function failure(message: string, hint: string): CollectorError {
  return new CollectorError("refused", `${message}.`, { hint });
}

function describe({ detail, errors = [] }: Problem): string {
  const [first] = errors;
  const more = first === undefined || first.detail === detail
    ? ""
    : ` ${first.pointer || "The event"}: ${first.detail}`;
  return `${detail ?? "no reason given"}${more}`.replace(/\.$/, "");
}

function hintFor({ type = "" }: Problem): string {
  return /(?:token-missing|unauthorized|forbidden)$/.test(type)
    ? "Give a token with --token-file: to read, one with the scope read; else admin."
    : `GET ${type} says what that means.`;
}

function tokenIn(path: string): string {
  return new TextDecoder().decode(bytesIn(path, "Check --token-file.")).trim();
}

/** What a failed fetch says, and what is behind it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
