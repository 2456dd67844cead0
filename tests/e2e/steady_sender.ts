/**
 * Clients that send without a pause while something is done to the collector. What is not
 * acknowledged is sent again until it is, without an id: had it been stored, it would be twice.
 */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { marks } from "./sending.ts";

/** An attempt that was not acknowledged. */
export interface Failure {
  /** What was sent. */
  readonly mark: number;
  /** The status, or the error where there was no answer. */
  readonly why: string;
}

const PAUSE_MS = 2, PAUSE_AFTER_FAILURE_MS = 20;
const TIMEOUT_MS = 60_000;

/** See the head of this file. Dispose of it to end it. */
export class SteadySender implements AsyncDisposable {
  /** What was acknowledged. */
  readonly acknowledged: number[] = [];
  /** What was not, at first. */
  readonly failures: Failure[] = [];
  readonly #running: Promise<unknown>;
  #isEnding = false;
  #nextMark = 0;

  /** Starts to send: `send` sends an event with a mark, in the way of one of the clients. */
  constructor(send: (mark: number, client: number) => Promise<Response>, clients = 4) {
    this.#running = Promise.all(
      Array.from({ length: clients }, (_, client) => this.#client((mark) => send(mark, client))),
    );
  }

  /** Waits until so many more events are acknowledged; throws if that takes a minute. */
  async more(count: number): Promise<void> {
    const wished = this.acknowledged.length + count, endMs = performance.now() + TIMEOUT_MS;
    while (this.acknowledged.length < wished) {
      ok(performance.now() < endMs, `not acknowledged: ${JSON.stringify(this.failures.slice(-3))}`);
      await sleep(PAUSE_MS);
    }
  }

  /** Has each client end once its event is acknowledged; then each must be stored once. */
  async end(database: string): Promise<void> {
    await this[Symbol.asyncDispose]();
    const stored = (marks(database) as unknown[]).filter((mark) => typeof mark === "number");
    const inOrder = (list: readonly number[]) => [...list].sort((a, b) => a - b);
    deepEqual(inOrder(stored), inOrder(this.acknowledged), "stored and acknowledged differ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }

  async #client(send: (mark: number) => Promise<Response>): Promise<void> {
    const endMs = performance.now() + TIMEOUT_MS;
    while (!this.#isEnding && performance.now() < endMs) {
      const mark = this.#nextMark++;
      for (let isAcknowledged = false; !isAcknowledged;) {
        const why = await attempt(send(mark));
        isAcknowledged = why === null;
        if (why === null) this.acknowledged.push(mark);
        else this.failures.push({ mark, why });
        if (performance.now() > endMs) return;
        await sleep(isAcknowledged ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS);
      }
    }
  }
}

/** Waits for an answer that is awaited, asking again and again; throws after 20 s. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  for (const endMs = performance.now() + 20_000; !await isSo();) {
    ok(performance.now() < endMs, `not in time: ${what}`);
    await sleep(10);
  }
}

/** Resolves after so many ms. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Null if it was acknowledged, or why not. */
async function attempt(answering: Promise<Response>): Promise<string | null> {
  try {
    const answer = await answering, text = await answer.text();
    return answer.status === 202 ? null : `${answer.status} ${text}`;
  } catch (error) {
    return String(error);
  }
}
