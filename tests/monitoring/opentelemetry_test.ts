/** What Deno's own OpenTelemetry tells of a collector, as docs/monitoring/README.md says. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "../e2e/collector_process.ts";
import { until } from "../e2e/steady_sender.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c", PARENT = "b7ad6b7169203331";

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string } }[];
}

/** Takes OTLP as JSON, and keeps the spans and the names of the metrics. */
class Receiver implements AsyncDisposable {
  readonly spans: Span[] = [];
  readonly metrics = new Set<string>();
  readonly paths = new Set<string>();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url), body = await request.json();
      this.paths.add(pathname);
      for (const { scopeSpans } of body.resourceSpans ?? []) {
        for (const { spans } of scopeSpans) this.spans.push(...spans);
      }
      for (const { scopeMetrics } of body.resourceMetrics ?? []) {
        for (const { metrics } of scopeMetrics) {
          for (const { name } of metrics) this.metrics.add(name);
        }
      }
      return Response.json({});
    },
  );

  /** The variables that have a collector send there. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: "firehouse",
      OTEL_METRIC_EXPORT_INTERVAL: "500",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The attributes of a span that are told about here. */
function attributes(span: Span | undefined): Record<string, string | undefined> {
  const all = new Map(span?.attributes.map(({ key, value }) => [key, value.stringValue]));
  const names = ["http.request.method", "http.response.status_code", "url.path", "url.query"];
  return Object.fromEntries(names.map((name) => [name, all.get(name)]));
}

Deno.test("OTEL_DENO=true gives a span for each request, in its client's trace, and HTTP metrics", async () => {
  await using receiver = new Receiver();
  await using collector = await CollectorProcess.start({ env: receiver.env });
  const headers = {
    "content-type": "application/json",
    "traceparent": `00-${TRACE}-${PARENT}-01`,
  };
  equal((await collector.post("/event?token=secret", event(1), headers)).status, 202);
  await until(() => receiver.spans.length > 0, "no span came");
  const [span] = receiver.spans;
  deepEqual([span?.name, span?.traceId, span?.parentSpanId], ["POST", TRACE, PARENT]);
  deepEqual(attributes(span), {
    "http.request.method": "POST",
    "http.response.status_code": "202",
    "url.path": "/event",
    "url.query": "token=secret", // which is why the docs warn of it
  });
  const expected = ["http.server.request.duration", "http.server.active_requests"];
  await until(() => expected.every((name) => receiver.metrics.has(name)), "no metrics came");
  equal(await collector.stop(), 0);
  ok(!receiver.paths.has("/v1/logs"), "the log is on stderr, not exported");
});

Deno.test("OTEL_DENO_TRACING=false leaves the metrics alone", async () => {
  await using receiver = new Receiver();
  const env = { ...receiver.env, OTEL_DENO_TRACING: "false" };
  await using collector = await CollectorProcess.start({ env });
  equal((await collector.post("/event", event(1))).status, 202);
  await until(() => receiver.metrics.has("http.server.request.duration"), "no metrics came");
  equal(await collector.stop(), 0);
  deepEqual([...receiver.paths], ["/v1/metrics"]);
});
