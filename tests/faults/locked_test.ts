/** F8 and F9: another program holds the database's lock, or an old state of it. */

import { deepStrictEqual as deepEqual, match, ok } from "node:assert/strict";
import { post } from "./answer.ts";
import { type MadeEvent, makeEvent } from "./events.ts";
import { EXCLUSIVE_LOCK, Holder, OLD_STATE, WRITE_LOCK } from "./holder.ts";
import { finish, outOfOrder } from "./judge.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { FULL, start, TempFolder } from "./process.ts";
import { sleep, SteadyLoad } from "./steady_load.ts";
import { Watch } from "./watch.ts";

const LOCK_MS = FULL ? 60_000 : 8000;
const BEFORE_MS = 500;
const MIB = 1024 * 1024;

const LOCKS = [
  { what: "the write lock", statements: WRITE_LOCK, lockMs: LOCK_MS },
  { what: "an exclusive transaction", statements: EXCLUSIVE_LOCK, lockMs: LOCK_MS / 2 },
];

for (const { what, statements, lockMs } of LOCKS) {
  Deno.test(`[G5] ${what} held for ${lockMs} ms under load: 202 goes on, applied in order afterwards`, async () => {
    await using folder = new TempFolder();
    await using collector = await start({ folder: folder.path });
    const log = new EventLog();
    await using load = new SteadyLoad({
      url: () => collector.url,
      log,
      clients: 6,
      firstClient: 1,
    });
    await sleep(BEFORE_MS);
    let held = 0;
    {
      await using _lock = await Holder.start(collector.database, statements);
      await using watch = new Watch(collector);
      await sleep(lockMs);
      held = (await collector.stats()).journaled ?? 0;
      expectNone(await watch.end(), `while ${what} was held`);
    }
    await load.more(100, 202);
    await load.end();
    deepEqual(Object.keys(load.statuses), ["202"], JSON.stringify(load.statuses));
    ok(held > 500, `only ${held} events were in the journal at the end of the lock: no proof`);
    expectNone(await finish(collector, log));
    expectNone(outOfOrder(collector.database));
  });
}

const WAL_BYTES = 64 * MIB; // its minimum
const TRANSACTION_BYTES = 24 * MIB; // what one may add at the limit, its pages and indexes included
const LONG = { every: 17, first: 3, events: 50 }; // see makeEvent: each has 9000 characters and more

Deno.test("[G11] a reader keeps an old state under load: the log stays within --wal-bytes, the rest is journaled, all is there once it ends", async () => {
  await using folder = new TempFolder();
  const args = ["--wal-bytes", String(WAL_BYTES)];
  await using collector = await start({ folder: folder.path, args });
  const log = new EventLog();
  await send(collector.url, log, 1, 0);
  let walBytes = 0;
  {
    await using _reader = await Holder.start(collector.database, OLD_STATE);
    await using watch = new Watch(collector);
    let requests = 1;
    const isJournaling = async () => ((await collector.stats()).journaled ?? 0) > 0;
    for (; !await isJournaling(); requests++) {
      ok(requests < 1000, "the log was never too long");
      await send(collector.url, log, 1, requests);
    }
    const more = FULL ? 400 : 40;
    for (let i = 0; i < more; i++) await send(collector.url, log, 1, requests + i);
    expectNone(await watch.end(), "while the reader had its old state");
    walBytes = watch.walBytesMax;
  }
  ok(walBytes > WAL_BYTES / 2, `the log had only ${walBytes} bytes: no proof`);
  ok(walBytes <= WAL_BYTES + TRANSACTION_BYTES, `the log grew to ${walBytes} bytes`);
  match(collector.output, /a reader keeps the database's log from being emptied/);
  deepEqual(log.events().length, log.events("durable").length, "not all were acknowledged");
  expectNone(await finish(collector, log));
  expectNone(outOfOrder(collector.database));
});

async function send(url: string, log: EventLog, client: number, request: number): Promise<void> {
  const events: MadeEvent[] = Array.from({ length: LONG.events }, (_, i) => {
    const sequence = (request * LONG.events + i) * LONG.every + LONG.first;
    return makeEvent(client, sequence, i % 2 === 0);
  });
  log.sending(events);
  const { outcome, complaint } = await post(url, events, { timeoutMs: 20_000 });
  log.ended(events, outcome);
  if (complaint !== null) log.complaints.push(complaint);
}
