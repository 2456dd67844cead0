/** However often and whenever a dead letter is replayed, its event is stored once. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { allLetters, allowEvents, refuseEvents, replay } from "./dead_letters.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";
import { identified, JSON_BODY, LINES, marks, MEMORY, TempFolder } from "./sending.ts";

const LENIENT = { ...LINES, prefer: "handling=lenient" };
const REPLAYED = {
  http: 200,
  status: "replayed",
  stored: "committed",
  duplicates: 0,
  removed: true,
};

/** Has a collector keep these events as dead letters, which the database then would take. */
async function setAside(collector: CollectorProcess, events: readonly string[]): Promise<void> {
  refuseEvents(collector.database, "refuse");
  const { status } = await collector.post("/events", events.join("\n"), LINES);
  equal(status, 202);
  await collector.settled();
  allowEvents(collector.database);
  equal((await allLetters(collector)).length, events.length);
}

Deno.test("replays of one letter at the same time store it once and remove no other", async () => {
  await using collector = await CollectorProcess.start();
  await setAside(collector, [event("refuse 0"), event("refuse")]);
  const answers = await Promise.all(Array.from({ length: 12 }, () => replay(collector, 2)));
  for (const { http, status, type } of answers) {
    ok(http === 200 && status === "replayed" || http === 409 || http === 404, `${http} ${type}`);
  }
  ok(answers.some(({ http }) => http === 200));
  deepEqual(marks(collector.database), ["refuse"]);
  deepEqual((await allLetters(collector)).map(({ id }) => id), [1]);
  equal((await collector.settled()).residual, 0);
});

Deno.test("a letter that can not be removed stays, and is not stored again", async () => {
  await using collector = await CollectorProcess.start();
  await setAside(collector, [event("refuse")]);
  {
    await using _lock = await LockHolder.start(collector.database);
    for (let i = 0; i < 3; i++) { // each is answered like the first
      const expected = { ...REPLAYED, stored: "journaled", removed: false };
      deepEqual(await replay(collector, 1), expected);
    }
    equal((await allLetters(collector)).length, 1);
    const other = await replay(collector, 1, event("mended"));
    deepEqual([other.http, other.type], [422, "/problems/key-reused"]);
  }
  await collector.settled();
  deepEqual(marks(collector.database), ["refuse"]);
  deepEqual(await replay(collector, 1), REPLAYED);
  deepEqual([await allLetters(collector), marks(collector.database)], [[], ["refuse"]]);
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  Deno.test(`${signal} after an event was stored and before its letter was removed: it is stored once`, async () => {
    await using folder = new TempFolder();
    {
      await using collector = await CollectorProcess.start({ folder: folder.path });
      await setAside(collector, [event("refuse")]);
      await using _lock = await LockHolder.start(collector.database);
      const { stored, removed } = await replay(collector, 1);
      deepEqual([stored, removed], ["journaled", false]);
      await collector.stop(signal);
    }
    await using collector = await CollectorProcess.start({ folder: folder.path });
    await collector.settled();
    deepEqual((await allLetters(collector)).map(({ id }) => id), [1]);
    deepEqual(await replay(collector, 1), REPLAYED);
    deepEqual([await allLetters(collector), marks(folder.database)], [[], ["refuse"]]);
  });
}

Deno.test("kill -9 in the midst of replaying many: each is stored once in the end", async () => {
  const LETTERS = 60;
  await using folder = new TempFolder();
  let run = 0;
  for (let left = LETTERS; left > 0; run++) {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    if (run === 0) {
      await setAside(collector, Array.from({ length: LETTERS }, (_, i) => event(`refuse ${i}`)));
    }
    const letters = await allLetters(collector);
    const killAt = storedCount(folder.database) + 7;
    const client = async (own: typeof letters) => {
      for (const { id } of own) await replay(collector, id).catch(() => {});
    };
    const clients = [0, 1, 2].map((n) => client(letters.filter((_, i) => i % 3 === n)));
    if (run < 3) {
      while (storedCount(folder.database) < killAt) await new Promise((go) => setTimeout(go, 1));
      await collector.stop("SIGKILL");
    }
    await Promise.all(clients);
    if (run >= 3) left = (await allLetters(collector)).length;
    ok(run < 10, "it never ends");
  }
  const stored = marks(folder.database) as string[];
  equal(stored.length, LETTERS);
  equal(new Set(stored).size, LETTERS);
});

Deno.test("[memory] a replay that is not confirmed in time keeps its letter, and is stored once", async () => {
  const args = [...MEMORY, "--ack-timeout-ms", "300"];
  await using collector = await CollectorProcess.start({ args });
  await setAside(collector, [event("refuse")]);
  {
    await using _lock = await LockHolder.start(collector.database);
    const { http, type, stored } = await replay(collector, 1);
    deepEqual([http, type, stored], [500, "/problems/unconfirmed", "unknown"]);
    equal((await allLetters(collector)).length, 1);
  }
  await collector.settled();
  deepEqual(marks(collector.database), ["refuse"]);
  deepEqual(await replay(collector, 1), REPLAYED);
  equal(storedCount(collector.database), 1);
});

Deno.test("an event with an id that the database refused is no duplicate of itself, also after a restart", async () => {
  await using folder = new TempFolder();
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    await setAside(collector, ["refuse a", "refuse b"].map((id) => identified(id, id)));
    // The client sends again what it was told is stored: the letter is it.
    const again = await collector.post("/event", identified("refuse a", "again"), JSON_BODY);
    equal(JSON.parse(again.text).duplicates, 1);
    deepEqual(await replay(collector, 1), REPLAYED);
    equal(await collector.stop(), 0);
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  deepEqual(await replay(collector, 2), REPLAYED);
  deepEqual(marks(collector.database), ["refuse a", "refuse b"]);
  const again = await collector.post("/event", identified("refuse b", "again"), JSON_BODY);
  equal(JSON.parse(again.text).duplicates, 1);
  equal(storedCount(collector.database), 2);
});

Deno.test("a bad event that its client has mended and sent itself is a duplicate when it is replayed", async () => {
  await using collector = await CollectorProcess.start();
  const good = identified("a", "by the client");
  await collector.post("/events", good.replace('"user_id":1', '"user_id":"1"'), LENIENT);
  equal(JSON.parse((await collector.post("/event", good)).text).duplicates, undefined);
  await collector.settled();
  const mended = await replay(collector, 1, identified("a", "by the operator"));
  deepEqual(mended, { ...REPLAYED, duplicates: 1 });
  deepEqual(marks(collector.database), ["by the client"]);
});

Deno.test("a client can not take the key of a letter, though it knows which event it was", async () => {
  await using collector = await CollectorProcess.start();
  const sent = await collector.post("/events", "bad", {
    ...LENIENT,
    prefer: "respond-async, handling=lenient",
  });
  const run = /^\/receipts\/([0-9a-f]{16})-0-1$/.exec(sent.headers.get("location") ?? "")?.[1];
  ok(run !== undefined);
  for (const key of [`"dead letter ${run}/0"`, `"${run}/0"`, `${run}/0`]) {
    const headers = { ...JSON_BODY, "idempotency-key": key };
    equal((await collector.post("/event", event("theirs"), headers)).status, 202);
  }
  await collector.settled();
  deepEqual(await replay(collector, 1, event("mended")), REPLAYED);
  equal(marks(collector.database).at(-1), "mended");
});
