/** What the operator is told, and when: one place for the wording of every line on stderr. */

import type { Account } from "./account.ts";
import type { Config } from "./config.ts";
import type { CollectorError } from "./errors.ts";
import { LineLimit } from "./line_limit.ts";
import type { Log } from "./log.ts";
import type { AnsweredRequest } from "./request_log.ts";
import type { StoreOpened } from "./store.ts";

const NOTICES_MAX = 1000;
/** Most lines a second about requests that made the handler fail. */
const FAILED_PER_SECOND = 10;

/** Writes the lines; lines that would come again and again are thinned out. */
export class Operator {
  readonly #log: Log;
  #storesGone = 0;
  #readersGone = 0;
  readonly #failedLimit: LineLimit;
  /** How often each text was told. */
  readonly #notices = new Map<string, number>();

  /** Writes to `log`. */
  constructor(log: Log) {
    this.#log = log;
    this.#failedLimit = new LineLimit({
      perSecond: FAILED_PER_SECOND,
      onLeftOut: (count) => log("error", `${count} more requests failed within a second`),
    });
  }

  /** It listens: where, what it stores into, what a 202 promises, and who may send. */
  started(address: Deno.NetAddr, config: Config, tokenCount: number): void {
    const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
    const promise = config.durability === "disk"
      ? "durability disk: 2xx means flushed to the disk"
      : "durability memory: 202 means queued, a crash loses at most the " +
        `${config.queueCapacity} events of the queue, a normal stop loses none`;
    const scheme = config.tlsCert === "" ? "http" : "https";
    this.#log(
      "info",
      `firehouse is listening on ${scheme}://${host}:${address.port}, storing in ${config.db} ` +
        `(synchronous ${config.synchronous}); ${promise}; ` +
        (tokenCount === 0 ? "no tokens: none is needed" : `tokens: ${tokenCount}`),
    );
  }

  /** A file was read again, or could not be. */
  reloaded(level: "info" | "warn", text: string): void {
    this.#log(level, text);
  }

  /** What a command says beside what was asked of it. */
  told(text: string): void {
    this.#log("info", text);
  }

  /** The store is open: what an earlier run left behind, if it did not end by itself. */
  opened({ state, damage, lastRunEnded }: StoreOpened): void {
    const recovered = state.journaled;
    if (!lastRunEnded) this.#log("warn", "the run before this one did not end by itself");
    if (recovered > 0) {
      this.#log("warn", `${recovered} events were in the journal; they are being stored`);
    }
    const { journalFiles, journalBytes } = damage;
    if (journalFiles > 0) {
      this.#log(
        "error",
        `${journalFiles} segments of the journal are damaged, ${journalBytes} bytes of them can ` +
          "not be read; once the rest of them is stored they are kept with the ending .damaged",
      );
    }
  }

  /** Something the store says the operator must know. */
  notice(text: string): void {
    const count = (this.#notices.get(text) ?? 0) + 1;
    if (this.#notices.size < NOTICES_MAX || count > 1) this.#notices.set(text, count);
    if (isPowerOfTwo(count)) this.#log("warn", text);
  }

  /** What an audit found, a line for each thing it looked at; gives whether all is well. */
  verified(findings: readonly { subject: string; isOk: boolean; detail: string }[]): boolean {
    for (const { subject, isOk, detail } of findings) {
      this.#log(isOk ? "info" : "error", `${subject} ${isOk ? "ok" : "WRONG"}: ${detail}`);
    }
    return findings.every(({ isOk }) => isOk);
  }

  /** A signal asked it to stop. */
  stopping(signal: string): void {
    this.#log("info", `${signal}: refusing new events, storing the rest`);
  }

  /** It stopped with everything stored. */
  stopped(account: Account): void {
    this.#log("info", `stopped: ${accountLine(account)}`);
  }

  /** It stops with events not stored. */
  notStored(why: string, account: Account): void {
    const lost = account.queued + account.in_flight;
    this.#log("error", `${why}: up to ${lost} events were not stored; ${accountLine(account)}`);
  }

  /** It cannot go on, or not start. */
  failed(error: CollectorError): void {
    const separator = error.message.includes("\n") ? "\n" : " ";
    this.#log("error", error.message + separator + error.hint);
  }

  /** An attempt to commit failed. */
  commitFailed(failure: { reason: string; attempt: number; retryInMs: number }): void {
    if (!isPowerOfTwo(failure.attempt)) return;
    const retryIn = `${Math.round(failure.retryInMs)} ms`;
    this.#log("warn", `a commit failed and is tried again in ${retryIn}: ${failure.reason}`);
  }

  /** The store Worker is gone. */
  storeGone(reason: string): void {
    if (!isPowerOfTwo(++this.#storesGone)) return;
    this.#log("error", `the store Worker ended and is started again: ${reason}`);
  }

  /** The reader Worker is gone. */
  readerGone(reason: string): void {
    if (!isPowerOfTwo(++this.#readersGone)) return;
    this.#log("error", `the reader Worker ended and is started again when it is asked: ${reason}`);
  }

  /** The listener ended for the `count`th time. */
  listenerEnded(error: unknown, count: number): void {
    if (!isPowerOfTwo(count)) return;
    this.#log("error", `the listener ended and is started again: ${error}`);
  }

  /** A token that is not valid came from an address. */
  wrongToken(remote: string): void {
    this.notice(`a request from ${remote} had a token that is not valid`);
  }

  /** A request made the handler itself fail; its client knows it by this id. */
  requestFailed(error: unknown, requestId: string): void {
    if (!this.#failedLimit.take()) return;
    this.#log("error", `a request failed: ${error}`, { request_id: requestId });
  }

  /** A request was answered. */
  request(request: AnsweredRequest): void {
    this.#log("info", "request", { ...request });
  }

  /** Requests were refused of which there is no line. */
  requestsLeftOut(count: number): void {
    this.#log("info", `${count} more requests were refused within a second`);
  }
}

/** The 1st, 2nd, 4th, 8th, … time. */
function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

function accountLine(account: Account): string {
  return Object.entries(account).map(([name, value]) => `${name} = ${value}`).join(", ");
}
