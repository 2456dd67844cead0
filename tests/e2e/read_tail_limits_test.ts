/** How many tails there may be, and for how long: as long as their token is good. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { EventStream } from "./event_stream.ts";
import { createTokens, firehouse } from "./firehouse_command.ts";
import { bearer } from "./pages.ts";
import { read, refusal } from "./reading.ts";
import { JSON_BODY, TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

Deno.test("at most 4 tails a token; one that is closed makes room (B97)", async () => {
  await using folder = new TempFolder();
  const scopes = ["--scopes", "read"];
  const { a, b } = await createTokens(folder.database, { a: scopes, b: scopes });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const open = (token: string) => EventStream.open(`${collector.url}/tail`, bearer(token));
  const tails: EventStream[] = [];
  for (let i = 0; i < 4; i++) tails.push(await open(a));
  const fifth = await read(collector, "/tail", { headers: bearer(a) });
  deepEqual(refusal(fifth), [503, "too-many-tails"]);
  match(fifth.headers.get("retry-after") ?? "", /^\d+$/);
  tails.push(await open(b));
  await tails.shift()?.[Symbol.asyncDispose]();
  await until(async () => {
    try {
      tails.push(await open(a));
      return true;
    } catch {
      return false;
    }
  }, "room for one more");
  for (const tail of tails) await tail[Symbol.asyncDispose]();
});

Deno.test("100 tails without tokens, the 101st is refused, each of the 100 gets what is sent", async () => {
  await using collector = await CollectorProcess.start();
  const tails = await Promise.all(
    Array.from({ length: 100 }, () => EventStream.open(`${collector.url}/tail`)),
  );
  deepEqual(refusal(await read(collector, "/tail")), [503, "too-many-tails"]);
  equal((await collector.post("/event", event("to all"))).status, 202);
  for (const tail of tails) await tail.received(1);
  deepEqual(new Set(tails.flatMap((tail) => tail.marks)), new Set(["to all"]));
  equal(await collector.stop(), 0);
  for (const tail of tails) {
    await tail.over();
    deepEqual(tail.messages.filter(({ kind }) => kind === "end").length, 1);
    await tail[Symbol.asyncDispose]();
  }
});

Deno.test("a tail ends when its token is revoked, and one of another token goes on", async () => {
  await using folder = new TempFolder();
  const { gone, stays } = await createTokens(folder.database, {
    gone: ["--scopes", "ingest,read"],
    stays: ["--scopes", "ingest,read"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await using revoked = await EventStream.open(`${collector.url}/tail`, bearer(gone));
  await using other = await EventStream.open(`${collector.url}/tail`, bearer(stays));
  equal((await firehouse("token", "revoke", "gone", "--db", folder.database)).code, 0);
  await collector.untilOutput(/removed: gone/);
  await revoked.over();
  const ends = revoked.messages.filter(({ kind }) => kind === "end");
  deepEqual(ends.map(({ data }) => data), ['{"reason":"The token is not valid any more."}']);
  const sent = await collector.post("/event", event("after"), {
    ...bearer(stays),
    ...JSON_BODY,
  });
  equal(sent.status, 202, sent.text);
  await other.received(1);
  deepEqual([revoked.marks, other.marks], [[], ["after"]]);
});
