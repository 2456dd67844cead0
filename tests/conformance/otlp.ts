/** OpenTelemetry's SDK for logs, with either of its exporters over HTTP. */

import { deepStrictEqual as deepEqual, match, ok } from "node:assert/strict";
import { diag, DiagLogLevel, SeverityNumber } from "@opentelemetry/api";
import type { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullThenFrees, stoppedAndStarted, wrongToken } from "./scenarios.ts";
import { columns, type Json } from "./stored.ts";

type ExporterOptions = NonNullable<ConstructorParameters<typeof OTLPLogExporter>[0]>;
type Exporter = new (options: ExporterOptions) => OTLPLogExporter;

const WHEN = "2026-11-24T11:03:40.123Z";
const GZIP = { compression: "gzip" } as ExporterOptions; // an enum that is not exported

/** A provider, and what the SDK says meanwhile. */
interface Opened {
  readonly provider: LoggerProvider;
  readonly said: string[];
}

function open(Exporter: Exporter, url: string, token: string, more = {}): Opened {
  const said: string[] = [];
  const say = (text: string, ...rest: unknown[]) => said.push([text, ...rest].join(" "));
  const ignore = () => {};
  const logger = { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const headers = { authorization: `Bearer ${token}` };
  const exporter = new Exporter({ url: `${url}/v1/logs`, headers, ...more });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: 100 })],
  });
  return { provider, said };
}

function adapterOf(Exporter: Exporter): Adapter {
  return {
    open(url, token) {
      const { provider, said } = open(Exporter, url, token);
      const logger = provider.getLogger("conformance");
      return {
        send: (mark) => {
          logger.emit({ body: mark });
          return Promise.resolve(null);
        },
        close: async () => {
          await provider.shutdown();
          return said.join("\n");
        },
      };
    },
    markOf: (metadata) => recordOf(metadata).body.stringValue,
  };
}

function recordOf({ scopeLogs: [{ logRecords }] }: Json): Json {
  return logRecords[0];
}

async function rowForRow(Exporter: Exporter): Promise<void> {
  await using live = await Live.start({ tokens: { "web-shop": [] } });
  const { provider, said } = open(Exporter, live.url, live.token("web-shop"), GZIP);
  const logger = provider.getLogger("checkout", "1.2.3");
  const timestamp = new Date(WHEN);
  logger.emit({
    timestamp,
    eventName: "order.completed",
    severityNumber: SeverityNumber.INFO,
    severityText: "INFO",
    body: "Zoë \u{1f525} \u2028",
    attributes: { "enduser.id": "42", "log.record.uid": "uid-1", total: 0.1, items: 3 },
  });
  logger.emit({ timestamp, body: { list: ["a", 1, true], bytes: new Uint8Array([0, 255]) } });
  await provider.shutdown();
  await live.stop();
  deepEqual(said, []);
  deepEqual(live.rows().map(columns), [
    ["web-shop", "order.completed", "42", 42n, WHEN.replace("123", "123000000"), "uid-1"],
    ["web-shop", null, null, null, WHEN.replace("123", "123000000"), null],
  ]);
  const [first, second] = live.rows().map(({ metadata }) => metadata);
  deepEqual(first.resource.attributes, [
    { key: "service.name", value: { stringValue: "shop" } },
  ]);
  deepEqual(first.scopeLogs[0].scope, { name: "checkout", version: "1.2.3" });
  const { body, severityNumber, severityText, attributes } = recordOf(first);
  deepEqual([body, severityNumber, severityText], [
    { stringValue: "Zoë \u{1f525} \u2028" },
    9,
    "INFO",
  ]);
  deepEqual(attributes.map(({ key, value }: Json) => [key, value.doubleValue ?? value.intValue]), [
    ["enduser.id", undefined],
    ["log.record.uid", undefined],
    ["total", 0.1],
    ["items", attributes[3].value.intValue],
  ]);
  deepEqual(String(attributes[3].value.intValue), "3");
  const values = recordOf(second).body.kvlistValue.values;
  deepEqual(values.map(({ key }: Json) => key), ["list", "bytes"]);
  deepEqual(values[1].value, { bytesValue: "AP8=" });
}

async function oneBad(Exporter: Exporter): Promise<void> {
  await using live = await Live.start();
  const { provider, said } = open(Exporter, live.url, "any");
  const logger = provider.getLogger("conformance");
  const long = "x".repeat(300_000);
  for (const body of ["first", long, "last"]) logger.emit({ body });
  await provider.shutdown();
  await live.stop();
  match(said.join("\n"), /^Received Partial Success response: .*"rejectedLogRecords":"?1\b/);
  deepEqual(live.rows().map(({ metadata }) => recordOf(metadata).body.stringValue), [
    "first",
    "last",
  ]);
  const [letter, ...others] = live.deadLetters();
  deepEqual(others, []);
  match(letter?.reason ?? "", /^event-too-large/);
  ok(letter?.raw.includes(long));
}

/** Registers the cells of a client with this exporter. */
export function otlpCells(client: Client, Exporter: Exporter): void {
  const adapter = adapterOf(Exporter);
  cell(
    client,
    "a",
    { expects: "records are stored with their resource and scope" },
    () => rowForRow(Exporter),
  );
  cell(client, "b", {
    expects: "after 503 it sends again, and all is stored once",
    note:
      "At most 5 tries again within 10 s (timeoutMillis), Retry-After included; then it drops " +
      "the batch and says so to diag.",
  }, () => fullThenFrees(adapter));
  cell(client, "c", {
    expects: "what failed is sent again, and all is stored once",
    note: "At most 5 tries again within 10 s. Records have no id, unless they carry a " +
      "log.record.uid: what was stored and not answered would be stored twice.",
  }, () => stoppedAndStarted(adapter));
  cell(client, "d", {
    expects: "200 with partialSuccess, the good ones are stored, the bad one is a dead letter",
    note: "The bad record is one of 300 kB, longer than --max-event-bytes.",
  }, () => oneBad(Exporter));
  cell(client, "token", { expects: "401, nothing is stored" }, () => wrongToken(adapter, /401/));
}
