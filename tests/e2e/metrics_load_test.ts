/** `GET /metrics` while much else happens, and while clients try to write into it. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";
import { assertBalanced, Scrape } from "./scraped.ts";
import { identified, JSON_BODY } from "./sending.ts";

const CLIENTS = 12;
const BAD = '{"user_id":"none"}';

/** What client number n sends again and again: good, bad, and partly bad requests, and repeats. */
const SENT: readonly (readonly [path: string, body: string, headers?: Record<string, string>])[] = [
  ["/event", event(1)],
  ["/events", `[${event(2)},${event(3)}]`],
  ["/events", `[${event(4)},${BAD}]`, { prefer: "handling=lenient" }],
  ["/events", `[${event(5)},${BAD}]`],
  ["/event", identified("same", 6)],
  ["/nothing", "{}"],
];

/** Clients that send without a pause, whatever they are answered, until it is disposed of. */
class MixedLoad implements AsyncDisposable {
  #isEnding = false;
  readonly #running: Promise<unknown>;

  constructor(url: string) {
    const clients = Array.from({ length: CLIENTS }, (_, i) => SENT[i % SENT.length] ?? SENT[0]);
    this.#running = Promise.all(clients.map(async (sent) => {
      const [path, body, more] = sent ?? ["", ""];
      const headers = { ...JSON_BODY, ...more };
      while (!this.#isEnding) {
        const answer = await fetch(url + path, {
          ...{ method: "POST", body: new Blob([body]), headers },
        });
        await answer.body?.cancel();
      }
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }
}

/** Takes scrapes in each of which the identities must hold, and no counter be lower than before. */
class Watch {
  readonly #before = new Map<string, number>();
  readonly #url: string;
  last: Scrape | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  async look(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const scrape = this.last = await Scrape.of(this.#url);
      assertBalanced(scrape);
      for (const { type, samples } of scrape.metrics.values()) {
        if (type === "gauge") continue;
        for (const { name, labels, value } of samples) this.#see(name, labels, value);
      }
    }
  }

  #see(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    const key = name + JSON.stringify(labels), before = this.#before.get(key) ?? 0;
    ok(value >= before, `${key} fell from ${before} to ${value}`);
    this.#before.set(key, value);
  }
}

Deno.test("under load the identities hold in every scrape, and no counter falls", async () => {
  const args = ["--queue-capacity", "20"];
  await using collector = await CollectorProcess.start({ args });
  const watch = new Watch(collector.url);
  {
    await using _load = new MixedLoad(collector.url);
    await watch.look(20);
    await using _lock = await LockHolder.start(collector.database); // events go to the journal
    await collector.until(({ journaled = 0 }) => journaled > 100);
    await watch.look(10);
  }
  await watch.look(20);
  await collector.settled();
  await watch.look(1);
  const { last } = watch;
  equal(last?.sum("firehouse_events_committed_total"), storedCount(collector.database));
  const refused = Object.keys(last?.by("firehouse_http_requests_refused_total", "code") ?? {});
  ok(refused.includes("not-found") && refused.includes("invalid-event"), refused.join());
  ok((last?.sum("firehouse_events_dead_lettered_total", { reason: "decoder" }) ?? 0) > 0);
  ok((last?.count("firehouse_commit_duration_seconds") ?? 0) > 0);
  equal(await collector.stop(), 0);
});

Deno.test("nothing that a client chose is in it: not a type, a source, a path, a method, a token", async () => {
  await using collector = await CollectorProcess.start();
  const mark = "injected",
    quoted = JSON.stringify(`${mark}"} 1\n# TYPE ${mark} counter\n${mark} 1`);
  const inUrl = encodeURIComponent(JSON.parse(quoted));
  const post = (path: string, body: string, headers: Record<string, string> = JSON_BODY) =>
    collector.post(path, new Blob([body]), headers);
  const segment = `{"type":"track","event":${quoted},"userId":${quoted},"messageId":"m"}`;
  equal((await post("/v1/track", segment)).status, 200);
  for (
    const name of ["/v0/events?name=", "/events/", "/receipts/", "/problems/", "/", "/event?x="]
  ) {
    await post(name + inUrl, '{"a":1}');
    await fetch(collector.url + name + inUrl).then((answer) => answer.body?.cancel());
  }
  await post(`/v0/events?name=${mark}`, '{"a":1}');
  const cloudEvent = { specversion: "1.0", id: mark, source: JSON.parse(quoted), type: mark };
  const type = { "content-type": "application/cloudevents+json" };
  await post("/cloudevents", JSON.stringify(cloudEvent), type);
  const hec = `{"event":"x","sourcetype":${quoted},"source":${quoted},"host":${quoted}}`;
  await post("/services/collector", hec, { authorization: `Splunk ${mark}` });
  await post("/event", event(1), { ...JSON_BODY, "idempotency-key": mark, "prefer": mark });
  for (const method of [mark, "PUT", "PATCH", "PROPFIND"]) {
    for (const path of ["/event", "/stats"]) {
      await fetch(collector.url + path, { method }).then((answer) => answer.body?.cancel());
    }
  }
  const { text, metrics } = await Scrape.of(collector.url);
  ok(!text.includes(mark), text.split("\n").find((line) => line.includes(mark)));
  const values = [...metrics.values()].flatMap(({ samples }) => samples)
    .flatMap(({ labels }) => Object.values(labels));
  deepEqual(values.filter((value) => !/^[\w.{}/+-]+$/.test(value)), []);
  const methods = new Set(
    metrics.get("firehouse_http_requests_total")?.samples.map(({ labels }) => labels["method"]),
  );
  deepEqual([...methods].sort(), ["GET", "POST", "PUT", "other"]);
});

Deno.test("each metric has its help and its type, and a name that says its unit", async () => {
  await using collector = await CollectorProcess.start();
  equal((await collector.post("/event", event(1))).status, 202);
  const { metrics } = await Scrape.of(collector.url);
  ok(metrics.size > 40, `${metrics.size} metrics`);
  for (const [name, { help, type, samples }] of metrics) {
    ok(/\w\.$/.test(help), `${name}: ${help}`);
    ok(/^(firehouse|process)_[a-z_]+$/.test(name), name);
    equal(type === "counter", name.endsWith("_total"), `${name} is a ${type}`);
    const mayBeMissing = /disk_free|last_commit|retention|database_free/.test(name);
    ok(samples.length > 0 || mayBeMissing, `${name} has no samples`);
  }
});
