import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { FakeTime } from "./fakes/fake_time.ts";
import { type AnsweredRequest, REFUSED_PER_SECOND, RequestLog } from "../lib/request_log.ts";

const REQUEST: AnsweredRequest = {
  method: "POST",
  path: "/event",
  status: 202,
  ms: 1.23456,
  bytes: 7,
  remote: "127.0.0.1",
  protocol: "native",
  request_id: null,
};

/** A log, what it was told to write, and its setting, which can be changed. */
function logOf(logRequests: "none" | "refused" | "all") {
  const settings = { logRequests }, told: AnsweredRequest[] = [], leftOut: number[] = [];
  const log = new RequestLog(settings, {
    onRequest: (request) => told.push(request),
    onLeftOut: (count) => leftOut.push(count),
  });
  return { log, settings, told, leftOut };
}

Deno.test("each setting tells of the requests it names", async () => {
  using time = new FakeTime();
  const { log, settings, told } = logOf("none");
  equal(log.isOn, false);
  settings.logRequests = "refused";
  equal(log.isOn, true);
  for (const status of [200, 202, 304, 399, 400, 422, 503]) log.answered({ ...REQUEST, status });
  deepEqual(told.map(({ status }) => status), [400, 422, 503]);
  settings.logRequests = "all";
  log.answered(REQUEST);
  deepEqual(told.at(-1), { ...REQUEST, ms: 1.235 });
  await time.tick(1000);
});

Deno.test("of refused requests so many a second are told, then how many more there were", async () => {
  using time = new FakeTime();
  const { log, told, leftOut } = logOf("refused");
  for (let i = 0; i < REFUSED_PER_SECOND + 7; i++) log.answered({ ...REQUEST, status: 400 });
  equal(told.length, REFUSED_PER_SECOND);
  await time.tick(999);
  deepEqual(leftOut, []);
  await time.tick(1);
  deepEqual(leftOut, [7]);
  log.answered({ ...REQUEST, status: 400 });
  equal(told.length, REFUSED_PER_SECOND + 1);
  await time.tick(1000);
  deepEqual([leftOut, time.timers], [[7], 0], "a second with few has no such line");
  for (let i = 0; i < REFUSED_PER_SECOND + 2; i++) log.answered({ ...REQUEST, status: 400 });
  log[Symbol.dispose]();
  deepEqual([leftOut, time.timers], [[7, 2], 0]);
});

Deno.test("all requests are told without a limit, and long paths shortened", () => {
  const { log, told, leftOut } = logOf("all");
  for (let i = 0; i < 2 * REFUSED_PER_SECOND; i++) log.answered({ ...REQUEST, status: 503 });
  log.answered({ ...REQUEST, path: `/${"x".repeat(8000)}` });
  log.answered({ ...REQUEST, path: null });
  equal(told.length, 2 * REFUSED_PER_SECOND + 2);
  deepEqual(told.slice(-2).map(({ path }) => path), [`/${"x".repeat(255)}…`, null]);
  deepEqual(leftOut, []);
});
