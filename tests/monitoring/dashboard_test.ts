/** A real Prometheus that scrapes a real collector under load, as docs/monitoring sets it up. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import dashboard from "../../docs/monitoring/grafana.json" with { type: "json" };
import { CollectorProcess, event } from "../e2e/collector_process.ts";
import { createTokens } from "../e2e/firehouse_command.ts";
import { Scrape } from "../e2e/scraped.ts";
import { identified, JSON_BODY, TempFolder } from "../e2e/sending.ts";
import { ignore, MISSING, Prometheus, promtool } from "./prometheus.ts";

const CONFIG = new URL("../../docs/monitoring/prometheus.yml", import.meta.url);
const ALERTS = new URL("../../docs/monitoring/alerts.yml", import.meta.url);
/** How long there is load before the queries are run: the rates need a few scrapes. */
const LOAD_MS = 8000, PAUSE_MS = 2;
const RATE_INTERVAL = "5s";

/** The queries of the dashboard, as Grafana would send them. */
function queries(): string[] {
  const variables: Record<string, string> = {
    "$__rate_interval": RATE_INTERVAL,
    "$job": "firehouse",
    "$instance": ".+",
  };
  return dashboard.panels.flatMap((panel) => "targets" in panel ? panel.targets ?? [] : [])
    .map(({ expr }) => expr.replaceAll(/\$\w+/g, (name) => variables[name] ?? name));
}

/** The configuration of the docs for a collector with tokens, scraping once a second. */
function configFor(url: string, tokenPath: string): string {
  const text = Deno.readTextFileSync(CONFIG)
    .replace("# authorization:", "authorization:")
    .replace(/# ( {2}credentials_file: ).*/, `$1${tokenPath}`)
    .replace("127.0.0.1:8000", new URL(url).host)
    .replaceAll(": 15s", ": 1s");
  ok(text.includes(tokenPath) && !text.includes("8000"), text);
  return text;
}

/** Sends a bit of everything until it is disposed of, so that every rate is above 0. */
class Load implements AsyncDisposable {
  #isEnding = false;
  readonly #running: Promise<void>;

  constructor(url: string, token: string) {
    this.#running = this.#run(url, { ...JSON_BODY, authorization: `Bearer ${token}` });
  }

  async #run(url: string, headers: Record<string, string>): Promise<void> {
    const post = async (path: string, body: string, more: Record<string, string> = {}) => {
      const sent = { method: "POST", body: new Blob([body]), headers: { ...headers, ...more } };
      await (await fetch(url + path, sent)).body?.cancel();
    };
    while (!this.#isEnding) {
      await Promise.all([
        post("/event", event(1)),
        post("/events", `[${event(1)},{}]`, { prefer: "handling=lenient" }),
        post("/event", identified("same", 1), { "idempotency-key": "same" }),
        post("/event", "{"),
        post("/event", event(1), { authorization: "Bearer wrong" }),
      ]);
      await sleep(PAUSE_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }
}

Deno.test({
  name: `each query of the dashboard has data while there is load, and no alert fires${MISSING}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    const { sender, reader } = await createTokens(folder.database, {
      sender: [],
      reader: ["--scopes", "read"],
    });
    const tokenPath = `${folder.path}/firehouse.token`;
    Deno.writeTextFileSync(tokenPath, `${reader}\n`);
    await using collector = await CollectorProcess.start({ folder: folder.path, token: reader });
    await using prometheus = await Prometheus.start(configFor(collector.url, tokenPath), {
      "alerts.yml": Deno.readTextFileSync(ALERTS),
    });
    await using _load = new Load(collector.url, sender);
    await sleep(LOAD_MS);

    equal((await prometheus.query('up{job="firehouse"}'))[0]?.value, 1);
    ok(queries().length > 50, `${queries().length} queries`);
    const empty: string[] = [];
    for (const query of queries()) {
      const found = await prometheus.query(query);
      if (found.length === 0 || !found.every(({ value }) => Number.isFinite(value))) {
        empty.push(`${query}: ${JSON.stringify(found)}`);
      }
    }
    deepEqual(empty, []);
    deepEqual(
      await prometheus.query('ALERTS{alertstate="firing",alertname!="FirehouseDiskFilling"}'),
      [],
    );
    const residuals = await prometheus.query(
      "max_over_time(firehouse_accounting_residual_events[1m])",
    );
    deepEqual(residuals.map(({ value }) => value), [0, 0, 0]);
  },
});

Deno.test({
  name: `promtool finds nothing to say about the metrics of a live collector${MISSING}`,
  ignore,
  fn: async () => {
    await using collector = await CollectorProcess.start();
    equal((await collector.post("/event", event(1))).status, 202);
    const { text } = await Scrape.of(collector.url);
    equal(await promtool(["check", "metrics"], text), "");
  },
});

Deno.test("the dashboard and the alerts speak of metrics that there are, and of all", async () => {
  await using collector = await CollectorProcess.start();
  equal((await collector.post("/event", event(1))).status, 202);
  const { metrics } = await Scrape.of(collector.url);
  const texts = [...queries(), Deno.readTextFileSync(ALERTS)].join("\n");
  const named = new Set([...texts.matchAll(/\b(?:firehouse|process)_\w+/g)].map(([name]) => name));
  const known = new Set(metrics.keys());
  const unknown = [...named].filter((name) =>
    !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, ""))
  );
  deepEqual(unknown, []);
  deepEqual(
    [...known].filter((name) => ![...named].some((each) => each.startsWith(name))),
    [],
    "neither shown nor watched",
  );
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
