/** F15: the wall clock steps while the collector runs; the monotonic one does not. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { RawSocket } from "../e2e/raw_socket.ts";
import { query } from "../e2e/rows.ts";
import { post } from "./answer.ts";
import { makeEvent } from "./events.ts";
import { FakeClock, FAKETIME_MISSING } from "./fake_clock.ts";
import { finish, outOfOrder } from "./judge.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { FULL, recover, start, TempFolder } from "./process.ts";
import { sleep, SteadyLoad } from "./steady_load.ts";
import { Watch } from "./watch.ts";

const HOUR_S = 3600, YEARS_10_S = 10 * 365 * 24 * HOUR_S;
const STEP_MS = FULL ? 10_000 : 1500;
const CLIENTS = 4, REPEATER = 100, SLOW = 200;
const skipped = FAKETIME_MISSING === null ? "" : ` (skipped: ${FAKETIME_MISSING})`;
const ignore = FAKETIME_MISSING !== null;

Deno.test({
  name:
    `[G15] the clock steps back 1 h and forward 10 years under load: nothing is lost or repeated, nothing times out${skipped}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    await using clock = await FakeClock.start();
    await using collector = await start({ folder: folder.path, under: clock.under });
    const log = new EventLog();
    await using load = new SteadyLoad({
      url: () => collector.url,
      log,
      clients: CLIENTS,
      firstClient: 1,
    });
    await using watch = new Watch(collector);
    using slow = await RawSocket.connect(collector.url);
    const slowEvent = makeEvent(SLOW, 0, true), body = new TextEncoder().encode(slowEvent.json);
    log.sending([slowEvent]);
    await slow.send(
      "POST /event HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n" +
        `content-length: ${body.length}\r\n\r\n`,
    );
    await slow.send(body.subarray(0, 10));
    await expectRepeats(collector.url, log, "new");
    for (const offset of [-HOUR_S, 0, YEARS_10_S, -HOUR_S]) {
      await load.more(50, 202);
      await clock.set(offset);
      await sleep(STEP_MS);
      await expectRepeats(collector.url, log, "known");
    }
    await slow.send(body.subarray(10));
    const answer = await slow.answer();
    equal(typeof answer === "string" ? answer : answer.status, 202, "the body across all steps");
    log.ended([slowEvent], "durable");
    expectNone(await watch.end(), "while the clock stepped");
    await load.end();
    deepEqual(Object.keys(load.statuses), ["202"], JSON.stringify(load.statuses));
    expectNone(await finish(collector, log));
    expectNone(outOfOrder(collector.database));
    expectSteps(collector.database);
  },
});

Deno.test({
  name:
    `[G14] [G15] killed, and the clock goes back 1 h before the next start: ids and keys are still known${skipped}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    await using clock = await FakeClock.start();
    const log = new EventLog();
    for (const offset of [0, -HOUR_S, 12 * HOUR_S]) {
      await clock.set(offset);
      await using collector = await start({ folder: folder.path, under: clock.under });
      await expectRepeats(collector.url, log, offset === 0 ? "new" : "known");
      await collector.stop("SIGKILL");
    }
    expectNone(await recover(folder.path, { log }));
  },
});

/** Sends what has ids, and what has a key, which must be new or known. */
async function expectRepeats(url: string, log: EventLog, expected: "new" | "known"): Promise<void> {
  const withIds = [0, 1, 2].map((sequence) => makeEvent(REPEATER, sequence, true));
  const withKey = [3, 4].map((sequence) => makeEvent(REPEATER, sequence, false));
  for (const { events, key } of [{ events: withIds, key: "" }, { events: withKey, key: "clock" }]) {
    log.sending(events);
    const { outcome, duplicates, isReplay } = await post(url, events, { key, timeoutMs: 20_000 });
    log.ended(events, outcome);
    equal(outcome, "durable");
    const isKnown = key === "" ? duplicates === events.length : isReplay;
    equal(isKnown, expected === "known", `${events.length} events, key ${key}`);
  }
}

/** That it stepped, as the rows tell. */
function expectSteps(database: string): void {
  const rows = query<{ at: bigint }>(database, "SELECT received_at AS at FROM events ORDER BY id");
  const steps = rows.map(({ at }, i) => Number(at - (rows[i - 1]?.at ?? at)) / 1000);
  ok(steps.some((s) => s < -0.9 * HOUR_S), "no row is an hour older than the one before");
  ok(steps.some((s) => s > 0.9 * YEARS_10_S), "no row is ten years younger than the one before");
}
