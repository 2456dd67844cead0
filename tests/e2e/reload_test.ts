/** SIGHUP: the file of settings is read again. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { createToken } from "./firehouse_command.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { Reloading } from "./reloading.ts";
import { LINES } from "./sending.ts";
import { SteadySender, until } from "./steady_sender.ts";

const TWO = new Blob([`${event(1)}\n${event(2)}`]);

/** Whether two events in a request are taken. */
async function takesTwo({ collector }: Reloading): Promise<boolean> {
  const { status } = await collector.post("/events", TWO, LINES);
  return status === 202;
}

Deno.test("what can change while it runs does, the rest is said to take effect at the next start", async () => {
  await using it = await Reloading.start(["max-request-events = 1", "queue-capacity = 100"]);
  equal(await takesTwo(it), false);
  const told = await it.set("max-request-events = 2", "queue-capacity = 7", "tls-cert = a.pem");
  match(
    told,
    /the settings in force stay, .*not taken:\n {2}--tls-cert and --tls-key must be given/,
  );
  equal(await takesTwo(it), false);

  match(
    await it.set("max-request-events = 2", "queue-capacity = 7"),
    /was read: max-request-events = 2; changed, takes effect at the next start: queue-capacity\n$/,
  );
  equal(await takesTwo(it), true);
  equal((await it.collector.stats()).queue.capacity_events, 100);
  match(await it.set("queue-capacity = 100"), /was read: max-request-events = 10000\n$/);
  match(await it.set("queue-capacity = 100"), /was read: nothing changed\n$/);
});

Deno.test("a file with mistakes changes nothing, and each of them is told by its line", async () => {
  await using it = await Reloading.start(["max-request-events = 1"]);
  const told = await it.set("max-request-events = 2", "prot = 1", "max-bodies = 0");
  match(
    told,
    /^warn: .*in force stay, \S+ was not taken:\n {2}\S+:3: unknown.*\n {2}\S+:4: max-bodies must/,
  );
  equal(await takesTwo(it), false);
  Deno.removeSync(it.path);
  it.collector.kill("SIGHUP");
  await it.collector.untilOutput(/not taken:\n {2}\S+firehouse\.conf: it can not be read: No such/);
  equal(await takesTwo(it), false);
  match(await it.set("max-request-events = 2"), /was read: max-request-events = 2\n/);
  equal(await takesTwo(it), true);
});

Deno.test("what a flag or a variable says stays, whatever the file says by now", async () => {
  await using it = await Reloading.start([], {
    args: ["--max-request-events", "1"],
    env: { FIREHOUSE_MAX_BODIES: "9" },
  });
  match(await it.set("max-request-events = 2", "max-bodies = 8"), /was read: nothing changed\n$/);
  equal(await takesTwo(it), false);
});

Deno.test("tokens are read on the same signal, whatever is wrong with the file", async () => {
  await using it = await Reloading.start();
  const token = await createToken(it.folder.database, "web");
  match(await it.set("nonsense"), /not taken/);
  const ask = async () => {
    const headers = { ...LINES, authorization: `Bearer ${token}` };
    return (await it.collector.post("/events", TWO, headers)).status;
  };
  await until(async () => await ask() === 202, "the token is taken");
  equal((await it.collector.post("/events", TWO, LINES)).status, 401);
});

Deno.test("under load nothing that was acknowledged is lost while the file is read again and again", async () => {
  await using it = await Reloading.start();
  const { collector, folder } = it;
  await using sender = new SteadySender((mark) =>
    fetch(`${collector.url}/event`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Blob([event(mark)]),
    })
  );
  for (let round = 1; round <= 20; round++) {
    await sender.more(20);
    const told = await it.set(`max-bodies = ${round}00`, `log-format = ${FORMATS[round % 2]}`);
    match(told, new RegExp(`max-bodies = ${round}00`));
  }
  await sender.more(20);
  await sender.end(folder.database);
  deepEqual(sender.failures, []);
  equal(await collector.stop(), 0, collector.output);
});

const FORMATS = ["text", "json"];

Deno.test("without a file the signal reads no settings", async () => {
  await using collector = await CollectorProcess.start();
  collector.kill("SIGHUP");
  await collector.untilOutput(/tokens\.json is not there: no tokens/);
  equal(/firehouse\.conf|settings/.test(collector.output), false, collector.output);
});
