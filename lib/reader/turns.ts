/**
 * Answers several questions at once on one thread: each gets a short turn after the other, so that a
 * long search does not make a short one wait. Between turns the thread listens, and the database's
 * log can be emptied.
 */

import { setImmediate, setTimeout as sleep } from "node:timers/promises";

/** A question that is being answered. */
export interface Turn {
  /** Goes on for a moment; true once the answer is known. @throws {SqliteError} */
  step(): boolean;
  /** Gives the answer as far as it is known. */
  answer(): void;
  /** It can not be answered. */
  fail(error: unknown): void;
  /** When to answer at the latest, on the clock of `performance.now()`, after a turn at least. */
  readonly endMs: number;
}

/** What is done while nothing is asked, and how much may be done. */
export interface Idle {
  /** Does some of it; false if there is nothing to do. */
  step(): boolean;
  /** Resolves when a turn or idle work may begin. */
  pass?(): Promise<void>;
  /** How long to rest after idle work of so many ms. */
  restMs(workedMs: number): number;
  /** How long to rest after a turn of so many ms, while something is asked; default: not at all. */
  turnRestMs?(workedMs: number): number;
}

const TURN_MS = 8;
const IDLE_LOOK_MS = 500;
/** After so many rounds the idle work gets a step, however much is asked. */
const ROUNDS_AN_IDLE_STEP = 25;

/** See the head of this file. */
export class Turns {
  readonly #turns = new Map<number, Turn>();
  readonly #idle: Idle;
  #isRunning = false;
  #rounds = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Does `idle` while nothing is asked. */
  constructor(idle: Idle) {
    this.#idle = idle;
    this.#rest(0);
  }

  /** Takes a question, by its number. */
  add(number: number, turn: Turn): void {
    this.#turns.set(number, turn);
    if (!this.#isRunning) this.#run();
  }

  /** Nobody waits for the answer any more. */
  cancel(number: number): void {
    this.#turns.delete(number);
  }

  /** Does nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#turns.clear();
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#turns.size > 0) {
      for (const [number, turn] of [...this.#turns]) {
        await setImmediate(); // messages are read
        await this.#idle.pass?.();
        if (!this.#turns.has(number)) continue;
        await this.#work(() => this.#take(number, turn));
      }
      if (++this.#rounds % ROUNDS_AN_IDLE_STEP === 0 && !this.#isClosed) {
        await this.#work(() => this.#idle.step());
      }
    }
    this.#isRunning = false;
  }

  async #work(work: () => void): Promise<void> {
    const startMs = performance.now();
    work();
    const restMs = this.#idle.turnRestMs?.(performance.now() - startMs) ?? 0;
    if (restMs > 0) await sleep(restMs);
  }

  #take(number: number, turn: Turn): void {
    const endMs = Math.min(performance.now() + TURN_MS, turn.endMs);
    try {
      let isDone = turn.step();
      while (!isDone && performance.now() < endMs) isDone = turn.step();
      if (!isDone && performance.now() < turn.endMs) return;
      this.#turns.delete(number);
      turn.answer();
    } catch (error) {
      this.#turns.delete(number);
      turn.fail(error);
    }
  }

  #rest(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      await this.#idle.pass?.();
      if (this.#isClosed) return;
      if (this.#isRunning) return this.#rest(IDLE_LOOK_MS);
      const startMs = performance.now();
      const isWorking = this.#idle.step();
      this.#rest(isWorking ? this.#idle.restMs(performance.now() - startMs) : IDLE_LOOK_MS);
    }, ms);
  }
}
