/**
 * Keeps the tokens in force those of the file: looks once a second whether it was changed. What can
 * not be read changes nothing.
 */

import { CollectorError } from "./errors.ts";
import type { Token } from "./token.ts";
import { readTokensText, tokensOf } from "./token_file.ts";

/** What is told, and when. */
export interface TokenWatchOptions {
  /** Told the tokens at once, and again after each change. */
  readonly onTokens: (tokens: readonly Token[]) => void;
  /** Told of each change, and once of each that could not be taken, which is a warning. */
  readonly onNotice: (level: "info" | "warn", text: string) => void;
  /** How often it looks, in ms. Default 1000. */
  readonly pollMs?: number;
}

const POLL_MS = 1000;

/** See the head of this file. Dispose of it to look no more. */
export class TokenWatch implements Disposable {
  readonly #path: string;
  readonly #options: TokenWatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #tokens: readonly Token[];
  #stamp: string;
  #isPolling = false;
  #isDisposed = false;

  /**
   * Reads the file; without one there are no tokens. The timer does not keep the process alive.
   *
   * @throws {CollectorError} if it is malformed or can not be read.
   */
  constructor(path: string, options: TokenWatchOptions) {
    this.#path = path;
    this.#options = options;
    this.#stamp = stampOf(() => Deno.statSync(path));
    this.#tokens = tokensOf(path, readTokensText(path));
    options.onTokens(this.#tokens);
    this.#timer = setInterval(() => this.#poll(), options.pollMs ?? POLL_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** The tokens in force. */
  get tokens(): readonly Token[] {
    return this.#tokens;
  }

  /** Reads the file now, whether it looks changed or not, and tells what came of it. */
  reload(): void {
    // Noted before it is read: if it is changed in between, the next look finds it changed.
    this.#stamp = stampOf(() => Deno.statSync(this.#path));
    try {
      const text = readTokensText(this.#path);
      if (text === null && this.#tokens.length > 0) this.#keep(`${this.#path} is gone`);
      else if (text === null) {
        this.#options.onNotice("info", `${this.#path} is not there: no tokens`);
      } else this.#take(tokensOf(this.#path, text));
    } catch (error) {
      if (!(error instanceof CollectorError)) throw error;
      this.#keep(error.message.replace(/\.$/, ""));
    }
  }

  /** Looks no more; the last tokens stay in force. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearInterval(this.#timer);
  }

  async #poll(): Promise<void> {
    if (this.#isPolling) return; // a file system that hangs must not gather looks
    this.#isPolling = true;
    const stat = await Deno.stat(this.#path).catch((error) => error);
    this.#isPolling = false;
    const stamp = stampOf(() => {
      if (stat instanceof Error) throw stat;
      return stat;
    });
    if (!this.#isDisposed && stamp !== this.#stamp) this.reload();
  }

  #take(tokens: readonly Token[]): void {
    const changes = changesOf(this.#tokens, tokens);
    this.#tokens = tokens;
    this.#options.onTokens(tokens);
    this.#options.onNotice("info", `${this.#path} was read: ${counted(tokens)}; ${changes}`);
  }

  #keep(problem: string): void {
    this.#options.onNotice(
      "warn",
      `${problem}. What was read before stays: ${counted(this.#tokens)}`,
    );
  }
}

/** What tells one state of a file from another. */
function stampOf(stat: () => Deno.FileInfo): string {
  try {
    const { dev, ino, size, mtime, ctime } = stat();
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(":");
  } catch (error) {
    return (error as Error).name;
  }
}

/** What is different, by name. */
function changesOf(before: readonly Token[], after: readonly Token[]): string {
  const old = new Map(before.map((token) => [token.name, JSON.stringify(token)]));
  const added: string[] = [], changed: string[] = [];
  for (const token of after) {
    const was = old.get(token.name);
    old.delete(token.name);
    if (was === undefined) added.push(token.name);
    else if (was !== JSON.stringify(token)) changed.push(token.name);
  }
  const told = Object.entries({ added, changed, removed: [...old.keys()] })
    .flatMap(([what, names]) => names.length > 0 ? [`${what}: ${shortened(names)}`] : []);
  return told.join(", ") || "none of them changed";
}

function counted({ length }: readonly Token[]): string {
  return length === 1 ? "1 token" : `${length} tokens`;
}

const NAMES_SHOWN = 10;

function shortened(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN;
  const shown = names.slice(0, NAMES_SHOWN).join(" ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
