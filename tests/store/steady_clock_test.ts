/** The clock that tells how old events are, where the system's clock steps. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { SteadyClock } from "../../lib/store/steady_clock.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR, YEAR = 365 * DAY;
const START = Date.UTC(2026, 10, 24);

/** Two clocks that go on together, of which one can step. */
class Time {
  wallMs = START;
  monotonicMs = 5000;
  readonly clock = new SteadyClock({
    wallMs: () => this.wallMs,
    monotonicMs: () => this.monotonicMs,
  });

  /** Lets so much time go by, and gives what the clock then says since the start. */
  pass(ms: number): number {
    this.wallMs += ms;
    this.monotonicMs += ms;
    return this.clock.nowMs() - START;
  }
}

Deno.test("a clock that does not step is believed, as is one that is corrected a little", () => {
  const time = new Time();
  deepEqual([time.pass(0), time.pass(MINUTE), time.pass(DAY)], [0, MINUTE, MINUTE + DAY]);
  time.wallMs += 59_000;
  equal(time.pass(MINUTE), 2 * MINUTE + DAY + 59_000);
  equal(time.clock.isAhead, false);
});

Deno.test("a step forward is believed after a day, and not before", () => {
  const time = new Time();
  time.wallMs += YEAR;
  deepEqual([time.pass(MINUTE), time.clock.isAhead], [MINUTE, true]);
  for (let hour = 1; hour < 24; hour++) equal(time.pass(HOUR), hour * HOUR + MINUTE);
  deepEqual([time.pass(HOUR), time.clock.isAhead], [YEAR + DAY + MINUTE, false]);
  equal(time.pass(MINUTE), YEAR + DAY + 2 * MINUTE);
});

Deno.test("a step forward that is taken back counts for nothing", () => {
  const time = new Time();
  time.wallMs += YEAR;
  equal(time.pass(20 * HOUR), 20 * HOUR);
  time.wallMs -= YEAR;
  deepEqual([time.pass(HOUR), time.clock.isAhead], [21 * HOUR, false]);
  time.wallMs += YEAR; // the day begins anew
  equal(time.pass(20 * HOUR), 41 * HOUR);
});

Deno.test("a step back is believed at once: what is kept too long can still be removed", () => {
  const time = new Time();
  time.wallMs -= YEAR;
  deepEqual([time.pass(MINUTE), time.clock.isAhead], [MINUTE - YEAR, false]);
});

Deno.test("whatever the system's clock does, within a day no event is older than it says", () => {
  const step = fc.oneof(fc.constant(0), fc.integer({ min: MINUTE, max: YEAR }));
  fc.assert(fc.property(fc.array(fc.tuple(step, fc.nat(30 * MINUTE)), { maxLength: 40 }), (all) => {
    const time = new Time();
    let passedMs = 0;
    for (const [stepMs, passMs] of all) {
      time.wallMs += stepMs;
      passedMs += passMs;
      const saidMs = time.pass(passMs);
      if (passedMs < DAY) equal(saidMs, passedMs);
    }
  }));
});
