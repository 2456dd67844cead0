/** What an answer promises at each level, and what a request can prefer (RFC 7240, B84). */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { assertAccount, step } from "./expect.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";
import { JSON_BODY, LINES, MEMORY, receipt, settledReceipt } from "./sending.ts";

const BOTH = [["disk", ["--durability", "disk"]], ["memory", MEMORY]] as const;

/** Posts an event with a Prefer header. */
async function prefer(collector: CollectorProcess, preference: string, body = event("preferring")) {
  const answer = await collector.post("/event", body, { ...JSON_BODY, prefer: preference });
  return {
    status: answer.status,
    stored: JSON.parse(answer.text).stored,
    applied: answer.headers.get("preference-applied"),
    location: answer.headers.get("location"),
  };
}

Deno.test("disk, the default: 202 says committed, and the row is there with the answer", async () => {
  await using collector = await CollectorProcess.start();
  for (let sent = 1; sent <= 30; sent++) {
    const { status, text } = await collector.post("/event", event(sent));
    deepEqual([status, text], [202, '{"status":"accepted","stored":"committed"}']);
    equal(storedCount(collector.database), sent);
  }
  const lines = `${event("a")}\n${event("b")}`;
  const { text } = await collector.post("/events", lines, LINES);
  equal(text, '{"status":"accepted","accepted":2,"stored":"committed"}');
  equal(storedCount(collector.database), 32);
  equal((await collector.stats()).durability as unknown, "disk");
  await assertAccount(collector, 32);
});

Deno.test("memory: 202 says queued, and may come before the row", async () => {
  await using collector = await CollectorProcess.start({ args: MEMORY });
  const lock = await LockHolder.start(collector.database);
  const { status, text } = await collector.post("/event", event("held up"));
  deepEqual([status, text], [202, '{"status":"accepted","stored":"queued"}']);
  equal(storedCount(collector.database), 0);
  await lock[Symbol.asyncDispose]();
  await assertAccount(collector, 1);
});

Deno.test("Prefer: wait is answered 200 once the row is there, at either level", async (t) => {
  for (const [level, args] of BOTH) {
    await step(t, level, async () => {
      await using collector = await CollectorProcess.start({ args });
      for (let sent = 1; sent <= 20; sent++) {
        const answer = await prefer(collector, "handling=lenient, WAIT=30");
        deepEqual(answer, { status: 200, stored: "committed", applied: "wait=30", location: null });
        equal(storedCount(collector.database), sent);
      }
    });
  }
});

Deno.test("Prefer: wait is not answered before the commit, though the event is flushed", async (t) => {
  for (const [level, args] of BOTH) {
    await step(t, level, async () => {
      await using collector = await CollectorProcess.start({ args });
      const lock = await LockHolder.start(collector.database);
      const answer = prefer(collector, "wait=30");
      await collector.until(({ journaled, in_flight }) => journaled === 1 || in_flight === 1);
      await collector.until(({ journaled }) => level === "memory" || journaled === 1);
      equal(await Promise.race([answer, "none yet"]), "none yet");
      await lock[Symbol.asyncDispose]();
      equal((await answer).status, 200);
      equal(storedCount(collector.database), 1);
    });
  }
});

Deno.test("Prefer: wait on a locked database ends with 202 and a receipt, pending till the commit", async (t) => {
  for (const [level, args] of BOTH) {
    await step(t, level, async () => {
      await using collector = await CollectorProcess.start({ args });
      const lock = await LockHolder.start(collector.database);
      const { location, ...answer } = await prefer(collector, "wait=1");
      const stored = level === "disk" ? "journaled" : "queued";
      deepEqual(answer, { status: 202, stored, applied: "wait=1" });
      match(location ?? "", /^\/receipts\/[\w-]+$/);
      const pending = { status: "pending", events: 1, dead_lettered: 0 };
      deepEqual(await receipt(collector, location), pending);
      equal(storedCount(collector.database), 0);
      await lock[Symbol.asyncDispose]();
      deepEqual(await settledReceipt(collector, location), { ...pending, status: "committed" });
      equal(storedCount(collector.database), 1);
    });
  }
});

Deno.test("Prefer: respond-async and wait=0 are answered 202 at once, with a receipt", async (t) => {
  for (const [level, args] of BOTH) {
    await step(t, level, async () => {
      await using collector = await CollectorProcess.start({ args });
      for (const preference of ["respond-async", "wait=0", "respond-async; x=y, wait=0"]) {
        const { location, ...answer } = await prefer(collector, preference);
        const applied = preference.includes("wait=0") ? "wait=0" : "respond-async";
        deepEqual(answer, { status: 202, stored: "queued", applied });
        equal((await settledReceipt(collector, location))?.status, "committed");
      }
      await assertAccount(collector, 3);
    });
  }
});

Deno.test("a preference that is not understood is ignored; a wait too long is cut, and said to be", async (t) => {
  await using collector = await CollectorProcess.start();
  const ignored = [
    ...["", "wait", "wait=", "wait=-1", "wait=x", "wait=1.5", "wait=1e9", "wait=1 2", "await=1"],
    ...["respond-asynchronously", "return=minimal", ",;=,", "x".repeat(300) + ", wait=1"],
  ];
  for (const preference of ignored) {
    await step(t, `ignored: ${preference.slice(0, 30)}`, async () => {
      const answer = await prefer(collector, preference);
      deepEqual(answer, { status: 202, stored: "committed", applied: null, location: null });
    });
  }
  const cut = await prefer(collector, "wait=999999999");
  deepEqual(cut, { status: 200, stored: "committed", applied: "wait=60", location: null });
  await assertAccount(collector, ignored.length + 1);
});
