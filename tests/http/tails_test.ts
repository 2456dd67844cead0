import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { TAILS_A_TOKEN_MAX, TAILS_MAX } from "../../lib/http/tails.ts";
import { ALL_EVENTS } from "../../lib/query.ts";
import { Tailing } from "./tailing.ts";

const LOOK_MS = 250, HEARTBEAT_MS = 15_000, STALL_MS = 10_000, BUFFER_BYTES = 1024 * 1024;

Deno.test("a tail gets what is committed, once and in order, after a first sign of life", async () => {
  using tailing = new Tailing();
  tailing.commit("{}", "{}");
  const client = tailing.open({ afterId: 1 });
  await client.read();
  deepEqual(client.frames, [{ retry: "2000" }]);
  await tailing.time.tick(0);
  deepEqual(client.ids, [2]);
  tailing.commit('{"a":1}', "{}");
  await tailing.time.tick(LOOK_MS);
  tailing.commit("{}");
  await tailing.time.tick(LOOK_MS);
  deepEqual(client.ids, [2, 3, 4, 5]);
  deepEqual(client.frames[2], { id: "3", data: '{"a":1}' });
});

Deno.test("a while after the last commit nothing is asked any more", async () => {
  using tailing = new Tailing();
  tailing.open();
  for (const _ of ["opened", "committed"]) {
    await tailing.time.tick(20 * LOOK_MS);
    const asked = tailing.asked.length;
    await tailing.time.tick(20 * LOOK_MS);
    equal(tailing.asked.length, asked);
    tailing.commit("{}");
    await tailing.time.tick(LOOK_MS);
    equal(tailing.asked.length, asked + 1);
  }
});

Deno.test("more than is shown is told as a gap, before what comes after it", async () => {
  using tailing = new Tailing();
  const client = tailing.open();
  await client.read();
  tailing.commit(...Array<string>(300).fill("{}"));
  await tailing.time.tick(LOOK_MS);
  deepEqual(client.frames[1], { event: "gap", data: '{"skipped":50}' });
  deepEqual(client.ids, Array.from({ length: 250 }, (_, i) => i + 51));
});

Deno.test("the newest so many come first if that is asked, and no gap for those before", async () => {
  using tailing = new Tailing();
  tailing.commit(...Array<string>(500).fill("{}"));
  const client = tailing.open({ last: 3 });
  await client.read();
  await tailing.time.tick(0);
  deepEqual(client.ids, [498, 499, 500]);
  equal(client.text.includes("gap"), false);
  equal(tailing.asked[0]?.limit, 3);
  tailing.commit(...Array<string>(251).fill("{}"));
  await tailing.time.tick(LOOK_MS);
  equal(client.text.includes('{"skipped":1}'), true);
});

Deno.test("other tails take nothing from what a tail begins with, only from what comes then", async () => {
  using tailing = new Tailing();
  tailing.commit(...Array<string>(2000).fill("{}"));
  const client = tailing.open({ last: 1000 });
  for (let n = 0; n < 9; n++) tailing.open({ filter: { ...ALL_EVENTS, type: `${n}` } });
  await client.read();
  await tailing.time.tick(0);
  equal(client.ids.length, 1000);
  tailing.commit(...Array<string>(300).fill("{}"));
  await tailing.time.tick(LOOK_MS);
  equal(client.ids.length, 1100);
});

Deno.test("tails that ask for the same cost one question, whenever they were opened", async () => {
  using tailing = new Tailing();
  const filter = { ...ALL_EVENTS, type: "a" };
  const clients = [tailing.open(), tailing.open({ filter }), tailing.open()];
  tailing.commit("{}", "{}", "{}");
  await tailing.time.tick(0);
  deepEqual(tailing.asked.map(({ filter }) => filter.type), [null, "a"]);
  clients.push(tailing.open({ afterId: 2 }), tailing.open({ afterId: 1, last: 1, filter }));
  tailing.commit("{}");
  await tailing.time.tick(LOOK_MS);
  equal(tailing.asked.length, 6);
  tailing.commit("{}");
  await tailing.time.tick(LOOK_MS);
  equal(tailing.asked.length, 8);
  for (const client of clients) await client.read();
  deepEqual(clients.map(({ ids }) => ids.join()), [
    "1,2,3,4,5",
    "1,2,3,4,5",
    "1,2,3,4,5",
    "3,4,5",
    "4,5",
  ]);
});

Deno.test("what is committed while the tails are asked for comes with the next look, to all", async () => {
  using tailing = new Tailing();
  const clients = [tailing.open(), tailing.open({ filter: { ...ALL_EVENTS, type: "a" } })];
  tailing.commit("{}");
  const { promise, resolve } = Promise.withResolvers<void>();
  tailing.gate = promise;
  await tailing.time.tick(0);
  resolve();
  await promise;
  tailing.commit("{}");
  await tailing.time.tick(0);
  await tailing.time.tick(LOOK_MS);
  deepEqual(tailing.asked.map(({ afterId, throughId }) => [afterId, throughId]).slice(0, 2), [
    [0, null],
    [0, tailing.asked[1]?.throughId],
  ]);
  for (const client of clients) await client.read();
  deepEqual(clients.map(({ ids }) => ids), [[1, 2], [1, 2]]);
});

Deno.test("which database a tail's place is of is what it was opened with, then what it was told", async () => {
  using tailing = new Tailing();
  tailing.open({ afterId: 7, database: "before" });
  await tailing.time.tick(0);
  tailing.commit("{}");
  await tailing.time.tick(LOOK_MS);
  deepEqual(tailing.asked.map(({ database }) => database), ["before", "a"]);
});

Deno.test("while the database can not be read it is asked again, and nothing is missed", async () => {
  using tailing = new Tailing();
  const client = tailing.open();
  await client.read();
  await tailing.time.tick(0);
  tailing.failure = "unreadable";
  tailing.commit("{}");
  await tailing.time.tick(4 * LOOK_MS);
  deepEqual(client.ids, []);
  tailing.failure = null;
  await tailing.time.tick(LOOK_MS);
  deepEqual(client.ids, [1]);
});

Deno.test("while nothing comes a comment says that it is there, every 15 seconds", async () => {
  using tailing = new Tailing();
  const client = tailing.open();
  await client.read();
  await tailing.time.tick(3 * HEARTBEAT_MS + 4 * LOOK_MS);
  equal(client.text.split(": still here\n\n").length - 1, 3);
});

Deno.test("a client that does not read costs a bounded buffer, then its tail, with the reason", async () => {
  using tailing = new Tailing();
  const slow = tailing.open(), quick = tailing.open();
  await quick.read();
  const large = JSON.stringify("x".repeat(200_000));
  for (let ms = 0; ms < STALL_MS + 10 * LOOK_MS; ms += LOOK_MS) {
    tailing.commit(large);
    await tailing.time.tick(LOOK_MS);
  }
  deepEqual([tailing.tails.open, tailing.tails.dropped], [1, 1]);
  deepEqual(quick.ids, tailing.events.map(({ id }) => id));
  await slow.read();
  ok(slow.isEnded && slow.text.length < BUFFER_BYTES, `${slow.text.length}`);
  deepEqual(slow.frames.at(-1), {
    event: "end",
    data: '{"reason":"This client does not read: it was given up."}',
  });
});

Deno.test("a client that reads slowly, but always, keeps its tail", async () => {
  using tailing = new Tailing();
  const given = { filter: ALL_EVENTS, afterId: 0, last: 0, owner: null };
  const reader = tailing.tails.add(given)?.getReader();
  const large = JSON.stringify("x".repeat(3 * BUFFER_BYTES));
  let bytes = 0;
  for (let ms = 0; ms < 4 * STALL_MS; ms += STALL_MS / 2) {
    tailing.commit(large);
    await tailing.time.tick(STALL_MS / 2);
    bytes += (await reader?.read())?.value?.length ?? 0;
  }
  ok(bytes > 0 && bytes < BUFFER_BYTES, `${bytes}`);
  equal(tailing.tails.dropped, 0);
  await tailing.time.tick(2 * STALL_MS);
  equal(tailing.tails.dropped, 1);
});

Deno.test("a client that reads again in time goes on, with a gap if it missed too much", async () => {
  using tailing = new Tailing();
  const client = tailing.open();
  const large = JSON.stringify("x".repeat(600_000));
  for (let ms = 0; ms < STALL_MS / 2; ms += LOOK_MS) {
    tailing.commit(large);
    await tailing.time.tick(LOOK_MS);
  }
  ok(tailing.asked.length < 5);
  await client.read();
  await tailing.time.tick(LOOK_MS);
  await tailing.time.tick(STALL_MS * 2);
  equal(tailing.tails.dropped, 0);
  deepEqual(client.ids, tailing.events.map(({ id }) => id));
});

Deno.test("[B97] more tails than there may be are refused, in all and of one token", async () => {
  using tailing = new Tailing();
  const own = Array.from({ length: TAILS_A_TOKEN_MAX }, () => tailing.open({ owner: "a" }));
  const options = { filter: ALL_EVENTS, afterId: 0, last: 0 };
  equal(tailing.tails.hasRoomFor("a"), false);
  equal(tailing.tails.add({ ...options, owner: "a" }), null);
  equal(tailing.tails.hasRoomFor("b"), true);
  await own[0]?.goAway();
  equal(tailing.tails.hasRoomFor("a"), true);
  while (tailing.tails.open < TAILS_MAX) tailing.open();
  equal(tailing.tails.hasRoomFor("a"), false);
  equal(tailing.tails.add({ ...options, owner: null }), null);
  equal(tailing.tails.open, TAILS_MAX);
});

Deno.test("at the end all are told why, and none is opened any more", async () => {
  using tailing = new Tailing();
  const clients = [tailing.open(), tailing.open()];
  for (const client of clients) await client.read();
  tailing.commit("{}");
  await tailing.time.tick(LOOK_MS);
  tailing.tails.close("It is\nstopped.");
  for (const client of clients) {
    await client.read();
    ok(client.isEnded);
    deepEqual(client.ids, [1]);
    deepEqual(client.frames.at(-1), { event: "end", data: '{"reason":"It is\\nstopped."}' });
  }
  deepEqual([tailing.tails.open, tailing.time.timers], [0, 0]);
  const late = { filter: ALL_EVENTS, afterId: 0, last: 0, owner: null };
  deepEqual([tailing.tails.hasRoomFor(null), tailing.tails.add(late)], [false, null]);
});

Deno.test("when the last client is gone nothing is looked for any more", async () => {
  using tailing = new Tailing();
  const clients = [tailing.open(), tailing.open()];
  await clients[0]?.goAway();
  equal(tailing.time.timers, 1);
  await clients[1]?.goAway();
  deepEqual([tailing.tails.open, tailing.time.timers], [0, 0]);
  equal(tailing.tails.dropped, 0);
});

Deno.test("a tail that is opened while an answer is waited for gets everything once", async () => {
  using tailing = new Tailing();
  const { promise, resolve } = Promise.withResolvers<void>();
  tailing.gate = promise;
  const first = tailing.open();
  await tailing.time.tick(0);
  await first.goAway();
  const second = tailing.open();
  await second.read();
  tailing.commit("{}", "{}");
  await tailing.time.tick(4 * LOOK_MS);
  resolve();
  await tailing.time.tick(4 * LOOK_MS);
  deepEqual(second.ids, [1, 2]);
  equal(tailing.time.timers, 1);
});

Deno.test("[B97] a reason or an event can not forge a frame", async () => {
  using tailing = new Tailing();
  const client = tailing.open();
  await client.read();
  tailing.commit(JSON.stringify("\n\ndata: forged\n\nevent: end\r\u2028"));
  await tailing.time.tick(LOOK_MS);
  tailing.tails.close("\n\nid: 99\ndata: forged\n\n");
  await client.read();
  deepEqual(client.ids, [1]);
  equal(client.frames.length, 3);
  match(client.text, /\n\n$/);
});
