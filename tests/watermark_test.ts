import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { Watermark } from "../lib/watermark.ts";
import { FakeTime, turn } from "./fakes/fake_time.ts";

/** Asks for values and notes what was answered, in the order of the answers. */
function asking(watermark: Watermark) {
  const answers: [value: number, reached: boolean][] = [];
  return {
    answers,
    ask(value: number, timeoutMs = 60_000): void {
      watermark.reach(value, timeoutMs).then((reached) => answers.push([value, reached]));
    },
  };
}

Deno.test("what it has risen to already is answered at once, without a timer", async () => {
  using time = new FakeTime();
  using watermark = new Watermark();
  equal(watermark.value, 0);
  watermark.raise(5);
  equal(await watermark.reach(5, 1000), true);
  equal(await watermark.reach(0, 0), true);
  deepEqual([watermark.waiting, time.timers], [0, 0]);
});

Deno.test("a rise answers all who asked for that much, in their order, and nobody else", async () => {
  using watermark = new Watermark();
  const { answers, ask } = asking(watermark);
  for (const value of [1, 2, 2, 4, 7]) ask(value);
  watermark.raise(3);
  await turn();
  deepEqual(answers, [[1, true], [2, true], [2, true]]);
  deepEqual([watermark.value, watermark.waiting], [3, 2]);
  watermark.raise(4);
  await turn();
  deepEqual(answers.slice(3), [[4, true]]);
  watermark.raise(100);
  await turn();
  deepEqual(answers.slice(4), [[7, true]]);
  equal(watermark.waiting, 0);
});

Deno.test("a lower value is ignored", async () => {
  using watermark = new Watermark();
  watermark.raise(5);
  watermark.raise(3);
  equal(watermark.value, 5);
  equal(await watermark.reach(4, 0), true);
});

Deno.test("who asks later waits at least for what was asked for before", async () => {
  using watermark = new Watermark();
  const { answers, ask } = asking(watermark);
  ask(10);
  ask(5);
  watermark.raise(7);
  await turn();
  deepEqual(answers, []);
  watermark.raise(10);
  await turn();
  deepEqual(answers, [[10, true], [5, true]]);
});

Deno.test("who waits for too long is told false, kept to 100 ms, and others wait on", async () => {
  using time = new FakeTime();
  using watermark = new Watermark();
  const { answers, ask } = asking(watermark);
  ask(1, 1000);
  ask(2, 50);
  await time.tick(49);
  deepEqual(answers, []);
  await time.tick(101);
  deepEqual(answers, [[2, false]]);
  await time.tick(800);
  deepEqual(answers, [[2, false]]);
  await time.tick(150);
  deepEqual(answers, [[2, false], [1, false]]);
  deepEqual([watermark.waiting, time.timers], [0, 0]);
  ask(3, 1000);
  watermark.raise(3);
  await turn();
  deepEqual(answers.at(-1), [3, true], "it does not work after a timeout");
});

Deno.test("who asked later waits for what was asked for before, though that gave up", async () => {
  using time = new FakeTime();
  using watermark = new Watermark();
  const { answers, ask } = asking(watermark);
  ask(10, 50);
  ask(5);
  await time.tick(200);
  watermark.raise(7);
  await turn();
  deepEqual(answers, [[10, false]]);
  watermark.raise(10);
  await turn();
  deepEqual(answers.at(-1), [5, true]);
});

Deno.test("without time it only asks", async () => {
  using time = new FakeTime();
  using watermark = new Watermark();
  for (const timeoutMs of [0, -1]) equal(await watermark.reach(1, timeoutMs), false);
  deepEqual([watermark.waiting, time.timers], [0, 0]);
});

Deno.test("disposing tells false to all who wait, and leaves no timer", async () => {
  using time = new FakeTime();
  const watermark = new Watermark();
  const { answers, ask } = asking(watermark);
  ask(1);
  ask(2);
  equal(time.timers, 1, "a timer for each who waits");
  watermark[Symbol.dispose]();
  await turn();
  deepEqual(answers, [[1, false], [2, false]]);
  deepEqual([watermark.waiting, time.timers], [0, 0]);
});

Deno.test("after all were answered the timer ends by itself", async () => {
  using time = new FakeTime();
  const watermark = new Watermark();
  const { ask } = asking(watermark);
  ask(1);
  watermark.raise(1);
  await time.tick(200);
  equal(time.timers, 0);
});

Deno.test("each wait that ended well is told with its time; one that did not is not", async () => {
  using time = new FakeTime();
  const waitedMs: number[] = [];
  using watermark = new Watermark(0, { record: (ms) => void waitedMs.push(ms) });
  const { ask } = asking(watermark);
  ask(1);
  await time.tick(30);
  for (const [value, timeoutMs] of [[2, 60_000], [3, 100]] as const) ask(value, timeoutMs);
  await time.tick(12);
  watermark.raise(2);
  ask(2);
  await time.tick(1000);
  equal(watermark.waiting, 0);
  deepEqual(waitedMs, [42, 12, 0]);
});
