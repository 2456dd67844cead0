/**
 * Removes events that are too old or too many, and gives their room back: in turns of one short
 * step, between which batches are stored.
 *
 * ```text
 *  turn: something to remove? ── yes ──► remove for some ms ──► pause, four times as long ──► turn
 *             │ no
 *             ▼
 *        much room free? ─────── yes ──► give pages back for some ms ──► pause ──► turn
 *             │ no
 *             ▼
 *        a minute, or until much was stored ──► turn
 * ```
 *
 * Synchronous, without timers: `worker.ts` has these.
 */

import type { RetentionPolicy, RetentionState } from "../retention.ts";
import { heldUp, isTransient } from "./connection.ts";
import type { Database } from "./database.ts";
import {
  type HeldUp,
  heldUpBy,
  isOverLimit,
  lookBytes,
  removalLimits,
  type Situation,
  surplusBytes,
} from "./retention_rules.ts";
import { SteadyClock } from "./steady_clock.ts";
import type { Upkeep } from "./upkeep.ts";

/** How retention is made. */
export interface RetentionOptions {
  /** How long events are kept, until it is told otherwise. */
  readonly policy: RetentionPolicy;
  /**
   * Runs a call on the database, or gives null if that must not be now: storing comes first.
   *
   * @throws as the call does.
   */
  readonly use: <T>(call: (database: Database) => T) => T | null;
  /** Told where it stands, whenever that has changed. */
  readonly tell: (state: RetentionState) => void;
  /** Told what the operator must know. */
  readonly notice: (text: string) => void;
  /** Tells how old events are. */
  readonly clock?: SteadyClock;
}

/** It looks again after so long. */
const LOOK_MS = 60_000;
/** After an error it waits so long, then twice as long, and so on. */
const RETRY_MS = { min: 1000, max: 60_000 };
/** How long a step is to hold the write lock, its commit included. */
const STEP_MS = 12;
/** How long a step works before it commits: adapted, as the commit may be slow. */
const BUDGET_MS = { min: 0.5, first: 4, max: 8 };
/** Its part of the time, unless more is in use than the file may have: then a step after each batch. */
const SHARE = 1 / 5;
/** It adds nothing to a log that a reader holds at this part of its limit. */
const LOG_PART = 1 / 4;

/** See the head of this file. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #clock: SteadyClock;
  #policy: RetentionPolicy;
  #budgetMs = BUDGET_MS.first;
  #retryMs = 0;
  /** Whether it had nothing to do in its last turn, and whether more was in use than may be. */
  #isIdle = false;
  #isBehind = false;
  #storedBytes = 0;
  #removed = 0;
  #longestStepMs = 0;
  #heldUp: HeldUp | null = null;
  /** Whether it has told that the file gets no shorter, if that is so. */
  #hasWarned = false;
  #seen: Pick<RetentionState, "oldest" | "removed" | "freeBytes"> | null = null;
  /** What was told last, as JSON. */
  #told = "";

  /** Does nothing yet: {@linkcode Retention.turn} does. */
  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#clock = options.clock ?? new SteadyClock();
  }

  /** Keeps events for so long from its next turn on. */
  keepTo(policy: RetentionPolicy): void {
    this.#policy = policy;
  }

  /** Notes that so many bytes were stored, and gives whether its next turn is to come at once. */
  stored(bytes: number): boolean {
    this.#storedBytes += bytes;
    if (!this.#isIdle) return this.#isBehind; // else its pause is there for what is stored
    return this.#seen?.oldest === null || this.#storedBytes >= lookBytes(this.#policy);
  }

  /** Does a step, if there is one to do. Gives in how many ms its next turn is. Never throws. */
  turn(): number {
    this.#storedBytes = 0;
    this.#isIdle = this.#isBehind = false;
    try {
      const pauseMs = this.#options.use((database) => {
        if (!this.#isOn) this.#heldUp = null;
        const ms = this.#isOn ? this.#step(database) : LOOK_MS;
        this.#look(database.upkeep);
        return ms;
      });
      if (pauseMs === null) throw heldUp("the database does not take events");
      this.#retryMs = 0;
      this.#isIdle = pauseMs === LOOK_MS;
      return pauseMs;
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.#tell();
    }
  }

  get #isOn(): boolean {
    const { retainDays, retainBytes } = this.#policy;
    return retainDays > 0 || retainBytes > 0;
  }

  /** Removes events or gives pages back; gives the pause after it, in ms. */
  #step(database: Database): number {
    if (!database.isInPlace) throw heldUp("the database was moved or deleted");
    if (database.isLogHeld(LOG_PART)) {
      throw heldUp("a reader keeps the database's log from being emptied");
    }
    const startMs = performance.now(), { upkeep } = database;
    if (!upkeep.canShrink && !this.#hasWarned) this.#options.notice(CAN_NOT_SHRINK);
    this.#hasWarned = true;
    const room = upkeep.room();
    if (this.#remove(database) === 0) {
      const bytes = upkeep.canShrink ? surplusBytes(room, this.#policy) : 0;
      if (bytes === 0) {
        database.checkpointIfDue(0); // the file gets shorter when the log is copied into it
        return LOOK_MS;
      }
      this.#timed(database, (budgetMs) => upkeep.shrink(bytes, budgetMs));
    }
    database.checkpointIfDue();
    this.#isBehind = isOverLimit(room, this.#policy);
    return this.#isBehind ? 0 : (performance.now() - startMs) * (1 / SHARE - 1);
  }

  /** Removes events, and gives how many. */
  #remove(database: Database): number {
    const { upkeep } = database, { notice } = this.#options;
    const [lowest = null] = upkeep.exportPoints();
    const nowMs = this.#clock.nowMs(), { isAhead: isClockAhead } = this.#clock;
    const situation: Situation = { policy: this.#policy, lowest, nowMs, isClockAhead };
    const limits = removalLimits(situation);
    const removal = this.#timed(database, (budgetMs) => upkeep.removeOldest(limits, budgetMs));
    this.#removed += removal.removed;
    const left = { oldest: upkeep.oldest(), room: upkeep.room() };
    const heldUp = heldUpBy(removal, situation, left);
    if (heldUp !== null && heldUp.why !== this.#heldUp?.why) {
      notice(`events stay that were to be removed: ${heldUp.why}`);
    }
    this.#heldUp = heldUp;
    return removal.removed;
  }

  /** Runs a step in a transaction and notes how long it held the lock. */
  #timed<T>(database: Database, step: (budgetMs: number) => T): T {
    const startMs = performance.now();
    const result = database.change(() => step(this.#budgetMs));
    const ms = performance.now() - startMs;
    this.#longestStepMs = Math.max(this.#longestStepMs, ms);
    if (ms >= this.#budgetMs) { // else it had little to do
      const budgetMs = this.#budgetMs * Math.min(2, STEP_MS / ms);
      this.#budgetMs = Math.max(BUDGET_MS.min, Math.min(BUDGET_MS.max, budgetMs));
    }
    return result;
  }

  #failed(error: unknown): number {
    const { message } = error as Error;
    if (this.#isOn) {
      this.#heldUp = { by: null, why: message };
      if (!isTransient(error)) this.#options.notice(`events can not be removed: ${message}`);
    }
    this.#retryMs = Math.min(RETRY_MS.max, Math.max(RETRY_MS.min, this.#retryMs * 2));
    return this.#retryMs;
  }

  #look(upkeep: Upkeep): void {
    const { freeBytes } = upkeep.room();
    this.#seen = { oldest: upkeep.oldest(), removed: upkeep.removed(), freeBytes };
  }

  #tell(): void {
    if (this.#seen === null) return;
    const state: RetentionState = {
      ...this.#seen,
      removedThisRun: this.#removed,
      heldBy: this.#heldUp?.by ?? null,
      heldUp: this.#heldUp?.why ?? null,
      longestStepMs: this.#longestStepMs,
    };
    const text = JSON.stringify(state);
    if (text !== this.#told) this.#options.tell(state);
    this.#told = text;
  }
}

const CAN_NOT_SHRINK =
  "the database was made by an earlier version: what retention frees is used again, but the file " +
  "gets no shorter; to change that once, stop the collector and run: " +
  "sqlite3 DATABASE 'PRAGMA auto_vacuum = INCREMENTAL; VACUUM'";
