/** Live tails of a real collector: each event once, in order, to all who ask for it. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { EventStream } from "./event_stream.ts";
import { eventText, read, refusal, send } from "./reading.ts";
import { storedEvents } from "./rows.ts";
import { TempFolder } from "./sending.ts";

const count = (n: number, first = 0) => Array.from({ length: n }, (_, i) => first + i);

Deno.test("a tail shows each event once, in the order of commit, as it was sent", async () => {
  await using collector = await CollectorProcess.start();
  await send(collector, ["before"].map((mark) => event(mark)));
  await using tail = await EventStream.open(`${collector.url}/tail`);
  for (let i = 0; i < 20; i++) await send(collector, count(10, i * 10).map((mark) => event(mark)));
  await tail.received(200);
  deepEqual(tail.marks, count(200));
  const rows = storedEvents(collector.database).slice(1);
  deepEqual(
    tail.messages.map(({ data, lastId }) => `${lastId} ${data}`),
    rows.map((row) => `${row.id} ${eventText(row)}`),
  );
});

Deno.test("several tails at once: each gets what its filter says, and nothing else", async () => {
  await using collector = await CollectorProcess.start();
  const open = (query: string) => EventStream.open(`${collector.url}/tail?${query}`);
  await using all = await open("");
  await using user = await open("user_id=3");
  await using member = await open("where[m]=7");
  await using none = await open("type=nothing");
  await using track = await open("source=segment&type=Bought");
  await send(collector, count(50).map((mark) => event(mark, mark % 5)));
  const call = '{"type":"track","event":"Bought","userId":"u","properties":{}}';
  equal((await collector.post("/v1/track", call)).status, 200);
  await send(collector, [
    '{"user_id":3,"timestamp":"2026-11-24T11:03:40Z","metadata":{"m":"last"}}',
  ]);
  await all.received(52);
  await user.received(11);
  await track.received(1);
  await member.received(1);
  deepEqual(user.marks, [...count(50).filter((mark) => mark % 5 === 3), "last"]);
  deepEqual([member.marks, none.messages, track.events.length], [[7], [], 1]);
});

Deno.test("Last-Event-ID goes on after a restart of the collector: nothing missing, nothing twice", async () => {
  await using folder = new TempFolder();
  const marks: unknown[] = [];
  let lastId = "";
  for (const run of [0, 1, 2]) {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    await send(collector, count(30, run * 60).map((mark) => event(mark))); // before the tail is there
    const resume = run === 2 ? `?last_event_id=${lastId}` : "";
    const headers = run === 1 ? { "last-event-id": lastId } : {};
    await using tail = await EventStream.open(
      `${collector.url}/tail${run === 0 ? "?last=1000" : resume}`,
      {
        ...headers,
      },
    );
    await send(collector, count(30, run * 60 + 30).map((mark) => event(mark)));
    await tail.received(60);
    marks.push(...tail.marks);
    equal(await collector.stop(), 0);
    await tail.over();
    const [end] = tail.messages.filter(({ kind }) => kind === "end");
    equal(end?.data, '{"reason":"The collector is stopping."}');
    lastId = tail.messages.findLast(({ kind }) => kind === "message")?.lastId ?? "";
  }
  deepEqual(marks, count(180));
});

Deno.test("last=… begins with the newest that meet the filter, and tells no gap before them", async () => {
  await using collector = await CollectorProcess.start();
  await send(collector, count(100).map((mark) => event(mark, mark % 2)));
  await using newest = await EventStream.open(`${collector.url}/tail?last=3`);
  await using odd = await EventStream.open(`${collector.url}/tail?last=3&user_id=1`);
  await using none = await EventStream.open(`${collector.url}/tail?last=0`);
  await newest.received(3);
  await odd.received(3);
  await send(collector, [event("new", 1)]);
  for (const tail of [newest, odd, none]) await tail.received(tail === none ? 1 : 4);
  deepEqual(newest.marks, [97, 98, 99, "new"]);
  deepEqual(odd.marks, [95, 97, 99, "new"]);
  deepEqual(none.marks, ["new"]);
  deepEqual([...newest.messages, ...odd.messages].filter(({ kind }) => kind !== "message"), []);
});

Deno.test("more than 1,000 a second: the newest are shown, and how many were skipped adds up", async () => {
  await using collector = await CollectorProcess.start();
  await using tail = await EventStream.open(`${collector.url}/tail`);
  for (let i = 0; i < 4; i++) {
    await send(
      collector,
      count(5000, i * 5000).map((mark) => event(mark)),
    );
  }
  await collector.settled();
  await send(collector, [event("last")]);
  for (;;) {
    await tail.received(tail.events.length + 1);
    if (tail.marks.at(-1) === "last") break;
  }
  const gaps = tail.messages.filter(({ kind }) => kind === "gap").map(({ data }) =>
    JSON.parse(data).skipped
  );
  ok(gaps.length > 0 && gaps.every((skipped) => skipped > 0), `${gaps}`);
  equal(gaps.reduce((a, b) => a + b, 0) + tail.events.length, 20_001);
  const ids = tail.events.map(({ id }) => id);
  deepEqual(ids, ids.toSorted((a, b) => a - b));
  equal(new Set(ids).size, ids.length);
});

Deno.test("the first line tells when to come back; a heartbeat is a comment, and no message", async () => {
  await using collector = await CollectorProcess.start();
  await using tail = await EventStream.open(`${collector.url}/tail`);
  const response = await fetch(`${collector.url}/tail`);
  const reader = response.body?.getReader();
  match(new TextDecoder().decode((await reader?.read())?.value), /^retry: \d+\n\n$/);
  await reader?.cancel();
  for (let i = 0; i < 100 && tail.comments.length === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  ok(tail.comments.length > 0, "no heartbeat in 20 s");
  deepEqual(tail.messages, []);
});

Deno.test("text that looks like frames of a stream stays text (B97)", async () => {
  await using collector = await CollectorProcess.start();
  await using tail = await EventStream.open(`${collector.url}/tail`);
  const hostile = [
    "\n\ndata: forged\n\n",
    "\r\rid: 9\rdata: x\r\r",
    "\u2028\n\nevent: end\n\n",
    "\0",
  ];
  await send(collector, hostile.map((mark) => event(mark)));
  const pretty =
    '{"user_id":1,\n\n"timestamp":"2026-11-24T11:03:40Z","metadata":{"m":\n\n"pretty"\r\r\n}}';
  equal((await collector.post("/event", pretty)).status, 202);
  const segment = JSON.stringify({
    type: "track",
    event: "\n\ndata: y\n\n",
    userId: "\n\nid: 7\n\n",
  });
  const sent = await collector.post("/v1/track", segment);
  equal(sent.status, 200, sent.text);
  await tail.received(6);
  deepEqual(tail.marks, [...hostile, "pretty", undefined]);
  deepEqual(
    tail.messages.map(({ kind, lastId }) => `${kind} ${lastId}`),
    count(6, 1).map((id) => `message ${id}`),
  );
});

Deno.test("what is no id of an event is refused, by header and by parameter", async () => {
  await using collector = await CollectorProcess.start();
  for (const id of ["x", "-1", "1.5", "1e3", "1 OR 1=1", "9".repeat(16), "0x1"]) {
    const byHeader = await read(collector, "/tail", { headers: { "last-event-id": id } });
    deepEqual(refusal(byHeader), [400, "parameter"], id);
    match(JSON.parse(byHeader.text).detail, /Expected Last-Event-ID to be the id of an event\./);
    const byParameter = await read(collector, `/tail?last_event_id=${encodeURIComponent(id)}`);
    deepEqual(refusal(byParameter), [400, "parameter"], id);
  }
  for (const last of ["-1", "1001", "x", ""]) {
    deepEqual(refusal(await read(collector, `/tail?last=${last}`)), [400, "parameter"], last);
  }
  match((await read(collector, "/stats")).text, /"tails": \{\s*"open": 0,/);
});
