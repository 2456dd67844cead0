import { ok, strictEqual as equal } from "node:assert/strict";
import { Allowance } from "../../lib/reader/allowance.ts";

/** An allowance with a clock of the test's own, on a machine of two cores. */
class Allowed {
  ms = 1000;
  othersMs = 5000;
  readonly allowance = new Allowance({
    cores: 2,
    nowMs: () => this.ms,
    othersMs: () => this.othersMs,
  });

  /** Lets time pass while the rest of the process uses so many cores. */
  pass(ms: number, cores = 0): void {
    this.ms += ms;
    this.othersMs += ms * cores;
  }

  /** Works for so long, as the reader does, and rests as it is told. */
  work(ms: number, cores: number): number {
    this.pass(ms, cores);
    const restMs = this.allowance.restMs(ms);
    this.pass(restMs, cores);
    return restMs;
  }
}

Deno.test("while nothing else is to be done the reader works without a rest", () => {
  const allowed = new Allowed();
  for (let i = 0; i < 200; i++) equal(allowed.work(8, 0.1), 0);
  equal(allowed.allowance.share, 1);
});

Deno.test("while events take more than a core of two, it works for its least share of the time", () => {
  const allowed = new Allowed();
  allowed.pass(500, 1.3);
  const { share: least } = allowed.allowance;
  equal(least, 0.06);
  const beginMs = allowed.ms;
  for (let i = 0; i < 500; i++) allowed.work(8, 1.3);
  const share = 500 * 8 / (allowed.ms - beginMs);
  ok(share > least * 0.9 && share < least * 1.1, `${share} of the time`);
});

Deno.test("between the two its share falls as the load rises, and follows it both ways", () => {
  const allowed = new Allowed();
  const shares = [0, 0.4, 0.6, 0.8, 1, 2, 1, 0.8, 0.6, 0.4, 0].map((cores) => {
    allowed.pass(500, cores);
    return allowed.allowance.share;
  });
  const half = shares.slice(0, 6);
  equal(new Set(half).size, 6, `${half}`);
  equal(String(half), String([...half].sort((a, b) => b - a)));
  equal(String(shares.slice(5)), String([...half].reverse()));
});

Deno.test("of a larger machine it always has more of the time", () => {
  const shares = [1, 2, 8, 64].map((cores) => {
    let ms = 0;
    const options = { cores, nowMs: () => ms, othersMs: () => ms * cores };
    const allowance = new Allowance(options);
    ms = 1000;
    return allowance.share;
  });
  equal(String(shares), "0.03,0.06,0.24,1");
});

Deno.test("a short question now and then is answered without a rest, however much else is done", () => {
  const allowed = new Allowed();
  allowed.pass(500, 2);
  for (let i = 0; i < 20; i++) {
    equal(allowed.work(10, 2), 0);
    allowed.pass(300, 2);
  }
});

Deno.test("what was not worked in a long time is not made good at once", () => {
  const allowed = new Allowed();
  allowed.pass(3_600_000, 2);
  equal(allowed.work(15, 2), 0);
  ok(allowed.work(15, 2) > 0);
});

Deno.test("no single rest is longer than half a second", () => {
  const allowed = new Allowed();
  allowed.pass(500, 2);
  ok(allowed.work(1000, 2) === 500);
});

Deno.test("work far longer than is allowed is not rested for once the load is over", () => {
  const allowed = new Allowed();
  allowed.pass(500, 2);
  for (let i = 0; i < 20; i++) ok(allowed.work(1500, 2) <= 500);
  allowed.pass(500);
  let restMs = 0;
  for (let i = 0; i < 200; i++) restMs += allowed.work(3, 0);
  ok(restMs < 400, `${restMs} ms`); // until it has measured that it is over
});
