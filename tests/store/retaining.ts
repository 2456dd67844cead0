/** A database with a retention of its own, in a time of its own. */

import type { RetentionPolicy, RetentionState } from "../../lib/retention.ts";
import type { DatabaseOptions } from "../../lib/store/database.ts";
import { Retention } from "../../lib/store/retention.ts";
import { SteadyClock } from "../../lib/store/steady_clock.ts";
import { Aged } from "./aged.ts";

/** A day in ms. */
export const DAY = 86_400_000;
/** What its clock says at first. */
export const NOW: number = Date.UTC(2026, 10, 24);
/** Times of events that are older than 30 days, and that are not. */
export const OLD: number = NOW - 40 * DAY, YOUNG: number = NOW - DAY;
/** The pause when it has nothing more to do, in ms. */
export const LOOK_MS = 60_000;
/** Events are kept for 30 days. */
export const THIRTY = { retainDays: 30 };

/** See the head of this file. */
export class Retaining extends Aged {
  wallMs = NOW;
  readonly notices: string[] = [];
  readonly told: RetentionState[] = [];
  /** Whether it must wait. */
  isBusy = false;
  readonly retention: Retention;

  constructor(policy: Partial<RetentionPolicy>, options: Partial<DatabaseOptions> = {}) {
    super(options);
    this.retention = new Retention({
      policy: { retainDays: 0, retainBytes: 0, retainUnexported: "no", ...policy },
      use: (call) => this.isBusy ? null : call(this.database),
      tell: (state) => this.told.push(state),
      notice: (text) => this.notices.push(text),
      clock: new SteadyClock({ wallMs: () => this.wallMs, monotonicMs: () => 0 }),
    });
  }

  /** Turns until it has nothing more to do; gives the pauses between them, in ms. */
  finish(): number[] {
    const pauses: number[] = [];
    while (pauses.at(-1) !== LOOK_MS) {
      pauses.push(this.retention.turn());
      if (pauses.length > 2000) throw new Error("it comes to no end");
    }
    return pauses;
  }

  get state(): RetentionState {
    const state = this.told.at(-1);
    if (state === undefined) throw new Error("nothing was told");
    return state;
  }
}
