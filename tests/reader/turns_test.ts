import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type Turn, Turns } from "../../lib/reader/turns.ts";

const NO_WORK = { step: () => false, restMs: () => 0 };

/** A question that needs so many turns, each longer than one may last; notes what becomes of it. */
class Question implements Turn {
  readonly answered = Promise.withResolvers<string>();
  steps = 0;
  readonly endMs: number;
  readonly isQuick: boolean;
  readonly #turns: number;
  readonly #fails: boolean;

  constructor(turns: number, { endMs = Infinity, isQuick = false, fails = false } = {}) {
    this.#turns = turns;
    this.isQuick = isQuick;
    this.endMs = endMs;
    this.#fails = fails;
  }

  step(): boolean {
    const end = performance.now() + 9;
    while (performance.now() < end);
    this.steps++;
    if (this.#fails) throw new Error("planted");
    return this.steps >= this.#turns;
  }

  answer(): void {
    this.answered.resolve(`after ${this.steps}`);
  }

  fail(error: unknown): void {
    this.answered.resolve(String(error));
  }
}

Deno.test("a long question does not keep a short one waiting", async () => {
  const turns = new Turns(NO_WORK);
  const long = new Question(40), short = new Question(2);
  turns.add(1, long);
  turns.add(2, short);
  equal(await short.answered.promise, "after 2");
  ok(long.steps <= 3, `${long.steps} turns of the long one`);
  equal(await long.answered.promise, "after 40");
  turns.close();
});

Deno.test("a question that comes while others are answered has its turn too", async () => {
  const turns = new Turns(NO_WORK);
  const long = new Question(20), late = new Question(1);
  turns.add(1, long);
  await new Promise((resolve) => setTimeout(resolve, 0));
  const before = long.steps;
  turns.add(2, late);
  await late.answered.promise;
  ok(long.steps <= before + 2);
  await long.answered.promise;
  turns.close();
});

Deno.test("a quick question that comes among many long ones is the next to be answered", async () => {
  const turns = new Turns(NO_WORK);
  const many = Array.from({ length: 50 }, () => new Question(4));
  for (const [number, long] of many.entries()) turns.add(number, long);
  const steps = () => many.reduce((sum, { steps }) => sum + steps, 0);
  while (steps() < 5) await new Promise((resolve) => setTimeout(resolve, 0));
  const before = steps(), quick = new Question(1, { isQuick: true });
  turns.add(99, quick);
  await quick.answered.promise;
  ok(steps() <= before + 3, `${steps() - before} turns of others before`);
  equal(await many[49]?.answered.promise, "after 4");
  turns.close();
});

Deno.test("quick questions that come all the time do not keep a long one from its turns", async () => {
  const turns = new Turns(NO_WORK);
  const long = new Question(10);
  turns.add(0, long);
  let asked = 0, isOver = false;
  const ask = () => {
    const [quick, other] = [new Question(1, { isQuick: true }), new Question(1, { isQuick: true })];
    turns.add(++asked, quick);
    turns.add(++asked, other);
    quick.answered.promise.then(() => isOver || ask());
  };
  ask();
  await long.answered.promise;
  isOver = true;
  ok(asked < 60, `${asked} quick ones came before the long one had its ten turns`);
  turns.close();
});

Deno.test("those whose time is up are answered at once, though many others wait for their turn", async () => {
  const turns = new Turns(NO_WORK);
  const endMs = performance.now() + 700;
  const many = Array.from({ length: 50 }, () => new Question(1000, { endMs }));
  for (const [number, question] of many.entries()) turns.add(number, question);
  await Promise.all(many.map(({ answered }) => answered.promise));
  const turnsTaken = many.reduce((sum, { steps }) => sum + steps, 0);
  // 700 ms are 78 turns of 9 ms: a round more, for each its next turn, would be 50 more.
  ok(turnsTaken < 100, `${turnsTaken} turns`);
  turns.close();
});

Deno.test("when its time is up a question is answered with what is known, after a turn at least", async () => {
  const turns = new Turns(NO_WORK);
  const late = new Question(1000, { endMs: performance.now() - 1 });
  turns.add(1, late);
  equal(await late.answered.promise, "after 1");
  const soon = new Question(1000, { endMs: performance.now() + 30 });
  turns.add(2, soon);
  match(await soon.answered.promise, /^after [1-9]\d?$/);
  turns.close();
});

Deno.test("one that fails is told so, and the others go on", async () => {
  const turns = new Turns(NO_WORK);
  const good = new Question(3), bad = new Question(3, { fails: true });
  const badAnswer = new Question(1);
  badAnswer.answer = () => {
    throw new Error("no answer");
  };
  turns.add(1, bad);
  turns.add(2, good);
  turns.add(3, badAnswer);
  equal(await bad.answered.promise, "Error: planted");
  equal(bad.steps, 1);
  equal(await badAnswer.answered.promise, "Error: no answer");
  equal(await good.answered.promise, "after 3");
  turns.close();
});

Deno.test("one that nobody waits for any more has no more turns", async () => {
  const turns = new Turns(NO_WORK);
  const gone = new Question(1000), other = new Question(5);
  turns.add(1, gone);
  turns.add(2, other);
  while (gone.steps === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  const before = gone.steps;
  turns.cancel(1);
  turns.cancel(99);
  await other.answered.promise;
  equal(gone.steps, before);
  turns.close();
});

Deno.test("idle work goes on while something is asked all the time", async () => {
  let steps = 0;
  const turns = new Turns({ step: () => ++steps > 0, restMs: () => 1 });
  const done = Promise.withResolvers<void>();
  let asked = 0;
  const askOn = () => {
    if (steps >= 3) return done.resolve();
    turns.add(++asked, {
      step: () => true,
      answer: askOn, // the next one comes before this one is over: it is never idle
      fail: (error) => done.reject(error),
      endMs: Infinity,
    });
  };
  askOn();
  await done.promise;
  ok(asked >= 50);
  turns.close();
});

Deno.test("after the end nothing is done", async () => {
  const steps: string[] = [];
  const turns = new Turns({ step: () => steps.push("idle") > 0, restMs: () => 0 });
  const question = new Question(1000);
  turns.add(1, question);
  turns.close();
  for (let i = 0; i < 60; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  equal(question.steps, 0);
  deepEqual(steps, []);
});
