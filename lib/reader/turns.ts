/**
 * Answers several questions at once on one thread: each gets a short turn after the other, so that a
 * long search does not make a short one wait; one that needs a single step gets it before the next
 * of the others. Between turns the thread listens, and the database's log can be emptied.
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
  /** Whether a single step answers it. */
  readonly isQuick?: boolean;
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
  /** Those of them that had a turn, not to be answered before that. */
  readonly #begun = new Set<number>();
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
    this.#forget(number);
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
      for (const number of [...this.#turns.keys()]) {
        const [quick] = this.#turns.entries().find(([, turn]) => turn.isQuick) ?? [number];
        if (quick !== number) await this.#give(quick);
        await this.#give(number);
      }
      if (++this.#rounds % ROUNDS_AN_IDLE_STEP === 0 && !this.#isClosed) {
        await this.#work(() => this.#idle.step());
      }
    }
    this.#isRunning = false;
  }

  async #give(number: number): Promise<void> {
    await setImmediate(); // messages are read
    await this.#idle.pass?.();
    this.#answerLate();
    const turn = this.#turns.get(number);
    if (turn !== undefined) await this.#work(() => this.#take(number, turn));
  }

  /** Answers whose time is up without waiting for their next turn: many turns may come before it. */
  #answerLate(): void {
    const nowMs = performance.now();
    for (const [number, turn] of this.#turns) {
      if (nowMs >= turn.endMs && this.#begun.has(number)) this.#answer(number, turn);
    }
  }

  async #work(work: () => void): Promise<void> {
    const startMs = performance.now();
    work();
    const restMs = this.#idle.turnRestMs?.(performance.now() - startMs) ?? 0;
    if (restMs > 0) await sleep(restMs);
  }

  #take(number: number, turn: Turn): void {
    const endMs = Math.min(performance.now() + TURN_MS, turn.endMs);
    this.#begun.add(number);
    try {
      let isDone = turn.step();
      while (!isDone && performance.now() < endMs) isDone = turn.step();
      if (isDone || performance.now() >= turn.endMs) this.#answer(number, turn);
    } catch (error) {
      this.#forget(number);
      turn.fail(error);
    }
  }

  #forget(number: number): void {
    this.#turns.delete(number);
    this.#begun.delete(number);
  }

  #answer(number: number, turn: Turn): void {
    this.#forget(number);
    try {
      turn.answer();
    } catch (error) {
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
