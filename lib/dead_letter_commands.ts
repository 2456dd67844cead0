/** `firehouse dead-letters list`, `export`, `replay` and `purge`: they ask a running collector. */

import type { Command } from "./config.ts";
import { CollectorError } from "./errors.ts";

/** What is to be done with dead letters. */
export type DeadLetterCommand = Extract<Command, { readonly kind: "dead-letters" }>;

/** Where a command says what. */
export interface DeadLetterOutput {
  /** Takes what was asked for, to be written to stdout as it is. */
  readonly print: (text: string) => void;
  /** Takes a line for whoever reads along, without its end. */
  readonly tell: (line: string) => void;
}

/** As `GET /dead-letters` gives it. */
interface Letter {
  readonly id: number;
  readonly received_at: string;
  readonly source: string;
  readonly protocol: string;
  readonly reason: string;
}

const PAGE = 1000;
const REASON_SHOWN = 100;
/** What a terminal might obey. */
// deno-lint-ignore no-control-regex -- these control characters are the subject
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** Does it. @throws {CollectorError} if it can not be done, or not for all of them. */
export async function runDeadLetterCommand(
  command: DeadLetterCommand,
  { print, tell }: DeadLetterOutput,
): Promise<void> {
  const server = new Server(command);
  switch (command.action) {
    case "list":
      return await list(server, { print, tell });
    case "export":
      for await (const letter of server.letters()) print(JSON.stringify(letter) + "\n");
      return;
    case "replay":
      return await replay(command, server, tell);
    case "purge": {
      const { which } = command.given;
      const path = which === "all" ? `?through=${Number.MAX_SAFE_INTEGER % 1e15}` : `/${which}`;
      const { removed } = await server.ask("DELETE", path) as { removed: number };
      return tell(`${removed} removed`);
    }
  }
}

async function list(server: Server, { print, tell }: DeadLetterOutput): Promise<void> {
  let count = 0;
  for await (const { id, received_at, source, protocol, reason } of server.letters()) {
    const shown = reason.length > REASON_SHOWN ? `${reason.slice(0, REASON_SHOWN)}…` : reason;
    print([id, received_at, source, protocol, shown.replaceAll(CONTROL, " ")].join("\t") + "\n");
    count++;
  }
  if (count === 0) tell("There are no dead letters.");
}

async function replay(
  { given: { which, raw } }: Extract<DeadLetterCommand, { readonly action: "replay" }>,
  server: Server,
  tell: (line: string) => void,
): Promise<void> {
  if (which !== "all") {
    const removed = await replayOne(which, server, raw === null ? null : await textOf(raw));
    return tell(
      `${which} was stored${removed ? "" : "; it could not be removed and is still there"}`,
    );
  }
  if (raw !== null) throw failure("--raw is for one dead letter", "Name its id.");
  // All that are there now: what the database refuses again becomes a letter behind them.
  const ids: number[] = [];
  for await (const { id } of server.letters()) ids.push(id);
  let done = 0, failed = 0;
  for (const id of ids) {
    try {
      await replayOne(id, server, null);
      done++;
    } catch (error) {
      if (!(error instanceof CollectorError)) throw error;
      failed++;
      tell(`${id}: ${error.message}`);
    }
  }
  tell(`${done} stored, ${failed} not`);
  if (failed > 0) throw failure(`${failed} dead letters were not replayed`, "See above.");
}

/** Replays a letter and gives whether it was removed. @throws {CollectorError} if it was not stored. */
async function replayOne(
  id: number | string,
  server: Server,
  text: Uint8Array<ArrayBuffer> | null,
): Promise<boolean> {
  const { status, removed } = await server.ask("POST", `/${id}/replay`, text) as {
    readonly status: string;
    readonly removed: boolean;
  };
  if (status === "replayed") return removed;
  throw failure("The database refused the event again", "A new dead letter says why.");
}

/** A running collector, as an operator asks it. */
class Server {
  readonly #url: string;
  readonly #headers: Record<string, string> = {};

  constructor({ config, given: { url, tokenFile } }: DeadLetterCommand) {
    const scheme = config.tlsCert === "" ? "http" : "https";
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    this.#url = (url ?? `${scheme}://${host}:${config.port}`).replace(/\/+$/, "");
    if (tokenFile !== null) this.#headers.authorization = `Bearer ${tokenIn(tokenFile)}`;
  }

  /** All dead letters, the oldest first. */
  async *letters(): AsyncGenerator<Letter> {
    for (let after: number | null = 0; after !== null;) {
      const page = await this.ask("GET", `?after=${after}&limit=${PAGE}`) as {
        readonly dead_letters: readonly Letter[];
        readonly next: number | null;
      };
      yield* page.dead_letters;
      after = page.next;
    }
  }

  /** Asks it for a path below `/dead-letters`. @throws {CollectorError} if it refuses. */
  async ask(
    method: string,
    path: string,
    body: Uint8Array<ArrayBuffer> | null = null,
  ): Promise<unknown> {
    const url = `${this.#url}/dead-letters${path}`;
    const init = { method, headers: this.#headers, ...body === null ? {} : { body } };
    let response: Response;
    try {
      response = await fetch(url, init);
    } catch (cause) {
      const hint = "Name it with --url; for a certificate of your own authority set DENO_CERT.";
      throw failure(`No collector answers at ${this.#url}: ${reasonOf(cause)}`, hint);
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const asked = `${method} ${new URL(url).pathname}`;
    throw failure(`${asked} was answered ${response.status}: ${describe(answer)}`, hintFor(answer));
  }
}

/** What is read of a problem (RFC 9457). */
interface Problem {
  readonly type?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
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

/** A text as it is: an empty one would ask for the text of the letter itself. */
async function textOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = path === "-"
    ? await new Response(Deno.stdin.readable).bytes()
    : bytesIn(path, "Check --raw.");
  if (bytes.length === 0) throw failure(`${path} is empty`, "Check --raw.");
  return bytes;
}

function bytesIn(path: string, hint: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failure(`Cannot read ${path}: ${why}`, hint);
  }
}

/** What a failed fetch says, and what is behind it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function failure(message: string, hint: string): CollectorError {
  return new CollectorError("refused", `${message}.`, { hint });
}
