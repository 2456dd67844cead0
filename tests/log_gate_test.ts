import { ok, strictEqual as equal } from "node:assert/strict";
import { gateMemory, LogGate } from "../lib/log_gate.ts";
import { FakeTime } from "./fakes/fake_time.ts";

const WAIT_MS = 500;

/** A store and a reader at the same gate, in a time of their own. */
class Gated implements Disposable {
  readonly time = new FakeTime();
  readonly store: LogGate;
  readonly reader: LogGate;

  constructor() {
    const memory = gateMemory();
    [this.store, this.reader] = [new LogGate(memory), new LogGate(memory)];
  }

  /** How long the reader waits for its turn, in ms. */
  async waited(): Promise<number> {
    let isOver = false, ms = 0;
    this.reader.pass().then(() => isOver = true);
    for (await this.time.tick(0); !isOver && ms < 5000; ms += 4) await this.time.tick(4);
    return ms;
  }

  [Symbol.dispose](): void {
    this.time[Symbol.dispose]();
  }
}

Deno.test("a reader waits while the gate is closed, and goes on when it is opened", async () => {
  using gated = new Gated();
  equal(await gated.waited(), 0);
  gated.store.close();
  gated.store.close();
  ok(gated.reader.isClosed);
  let isOver = false;
  gated.reader.pass().then(() => isOver = true);
  await gated.time.tick(100);
  equal(isOver, false);
  gated.store.open();
  gated.store.open();
  await gated.time.tick(8);
  equal(isOver, true);
  equal(await gated.waited(), 0);
});

Deno.test("a gate that nobody opens costs a reader one wait, however long it stays closed", async () => {
  using gated = new Gated();
  gated.store.close();
  const waited = await gated.waited();
  ok(waited >= WAIT_MS && waited < WAIT_MS + 20, `${waited} ms`);
  for (let i = 0; i < 20; i++) {
    await gated.time.tick(1000);
    equal(await gated.waited(), 0);
  }
  gated.store.open();
  gated.store.close(); // anew: it is waited for anew
  ok(await gated.waited() >= WAIT_MS);
});
