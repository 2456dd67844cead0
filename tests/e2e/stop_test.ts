import { match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";

/** With the journal in front, a lock does not keep the queue from draining. */
const MEMORY = ["--durability", "memory"];

/** Sends events one after the other until it is refused; counts what was accepted. */
async function hammer(collector: CollectorProcess, client: number) {
  const counts = { accepted: 0, refused: 0, unknown: 0 };
  for (let i = 0; counts.refused + counts.unknown === 0; i++) {
    try {
      // A Blob: fetch would send a text again by itself when a connection breaks.
      const { status, text } = await collector.post("/event", new Blob([event(`${client}-${i}`)]));
      if (status === 202) counts.accepted++;
      else {
        equal(status, 503, text);
        match(text, /"type":"\/problems\/draining"/);
        counts.refused++;
      }
    } catch {
      counts.unknown++;
    }
  }
  return counts;
}

Deno.test("SIGTERM under load: what was accepted is stored, the rest is refused [G4]", async () => {
  await using collector = await CollectorProcess.start();
  const clients = Array.from({ length: 50 }, (_, i) => hammer(collector, i));
  await collector.until(({ accepted }) => (accepted ?? 0) > 2000);
  const code = await collector.stop("SIGTERM");
  const counts = await Promise.all(clients);
  const accepted = counts.reduce((sum, count) => sum + count.accepted, 0);
  const unknown = counts.reduce((sum, count) => sum + count.unknown, 0);
  const left = [...Deno.readDirSync(collector.folder)].map(({ name }) => name).sort();
  equal(
    left.join(),
    "events.db,events.db.index,events.db.lock",
    "the log was not put into the database",
  );

  const stored = storedCount(collector.database);
  equal(code, 0, collector.output);
  ok(stored >= accepted && stored <= accepted + unknown, `${stored} of ${accepted}+${unknown}`);
  match(collector.output, new RegExp(`stopped: received = \\d+, accepted = ${stored},`));
  match(collector.output, new RegExp(`committed = ${stored}, .*queued = 0, in_flight = 0`));
});

Deno.test("a body in flight at SIGTERM is finished and stored; a new request is refused", async () => {
  await using collector = await CollectorProcess.start();
  const { hostname, port } = new URL(collector.url);
  const body = event("slow");
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST /event HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head + body.slice(0, 10)));
  await collector.until((stats) => stats.bodies_in_flight === 1);

  const stopped = collector.stop("SIGTERM");
  await collector.untilOutput(/refusing new events/);
  const refused = await collector.post("/event", event("new"));
  equal(refused.status, 503);
  ok(refused.headers.has("retry-after"));
  const ready = await fetch(`${collector.url}/readyz`);
  equal(ready.status, 503);
  await ready.body?.cancel();

  await connection.write(new TextEncoder().encode(body.slice(10)));
  const answer = new Uint8Array(1024);
  const length = await connection.read(answer) ?? 0;
  match(new TextDecoder().decode(answer.subarray(0, length)), /^HTTP\/1.1 202 /);
  equal(await stopped, 0);
  equal(storedCount(collector.database), 1);
});

Deno.test("while the queue drains new requests are answered 503, and so is /readyz", async () => {
  await using collector = await CollectorProcess.start({ args: MEMORY });
  {
    await using _lock = await LockHolder.start(collector.database);
    equal((await collector.post("/event", event("held"))).status, 202);
    collector.kill("SIGTERM");
    await collector.untilOutput(/refusing new events/);
    for (let i = 0; i < 3; i++) {
      const refused = await collector.post("/event", event("new"));
      equal(refused.status, 503);
      match(refused.headers.get("connection") ?? "", /close/);
      const ready = await fetch(`${collector.url}/readyz`);
      equal(ready.status, 503);
      await ready.body?.cancel();
    }
  }
  equal(await collector.stop(), 0, collector.output);
  equal(storedCount(collector.database), 1);
});

Deno.test("a body that never ends does not keep the collector from stopping", async () => {
  await using collector = await CollectorProcess.start({ args: ["--body-timeout-ms", "500"] });
  const { hostname, port } = new URL(collector.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST /event HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n` +
    `content-length: 100\r\n\r\n{`;
  await connection.write(new TextEncoder().encode(head));
  await collector.until((stats) => stats.bodies_in_flight === 1);
  equal(await collector.stop("SIGTERM"), 0);
});

Deno.test("what can not be stored in time is counted, and the exit status is 1 [G4]", async () => {
  await using collector = await CollectorProcess.start({
    args: [...MEMORY, "--shutdown-timeout-ms", "1000"],
  });
  await using _lock = await LockHolder.start(collector.database);
  for (let i = 0; i < 3; i++) await collector.post("/event", event(i));
  equal(await collector.stop("SIGTERM"), 1);
  match(collector.output, /not finished after 1000 ms: up to 3 events were not stored/);
});

Deno.test("two signals at once are one; a second one a second later ends it", async () => {
  await using collector = await CollectorProcess.start({ args: MEMORY });
  await using _lock = await LockHolder.start(collector.database);
  await collector.post("/event", event("held"));
  collector.kill("SIGINT");
  collector.kill("SIGINT");
  await collector.untilOutput(/refusing new events/);
  await new Promise((resolve) => setTimeout(resolve, 1100)); // the pause that makes it a second one
  equal(await Promise.race([collector.process.status, "runs"]), "runs");
  equal(await collector.stop("SIGINT"), 1);
  match(collector.output, /a second SIGINT: up to 1 events were not stored/);
});

Deno.test("a stderr that nobody reads any more costs no event", async () => {
  await using collector = await CollectorProcess.start({
    args: MEMORY,
    under: ["bash", "-c", 'exec "$@" 2> >(head -n 1 >&2)', "bash"],
  });
  // Only the first line is read: the pipe is closed when the next one is written.
  const lock = await LockHolder.start(collector.database);
  equal((await collector.post("/event", event("unheard"))).status, 202);
  await collector.until(({ commit_retries }) => (commit_retries ?? 0) > 2);
  await lock[Symbol.asyncDispose]();
  equal((await collector.settled()).committed, 1);
  equal(await collector.stop(), 0);
  equal(storedCount(collector.database), 1);
});
