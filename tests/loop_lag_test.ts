import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { LoopLag } from "../lib/loop_lag.ts";
import { FakeTime } from "./fakes/fake_time.ts";

Deno.test("a loop that does what is due in time has no lag; disposing leaves no timer", async () => {
  using time = new FakeTime();
  const lag = new LoopLag();
  await time.tick(1000);
  const { count, max } = lag.ms.quantiles();
  deepEqual([count, max], [10, 0]);
  lag[Symbol.dispose]();
  deepEqual(time.timers, 0);
});

Deno.test("a loop that stood still for 300 ms came at least 200 ms late", async () => {
  using lag = new LoopLag();
  const endMs = performance.now() + 300;
  while (performance.now() < endMs);
  while (lag.ms.quantiles().count === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const { max } = lag.ms.quantiles();
  ok(max >= 199, `${max} ms`);
});
