/** The OpenAPI 3.1 document of the whole HTTP API. */

import type { Config } from "../config.ts";
import type { Protocol } from "../protocol.ts";
import { REFUSALS } from "../refusals.ts";
import { VERSION } from "../version.ts";
import { ABOUT } from "./about.ts";
import { CLOUDEVENTS_TEXT } from "./cloudevents.ts";
import { COMPONENTS, SHARED_SCHEMAS } from "./components.ts";
import { DEAD_LETTERS } from "./dead_letters.ts";
import { EXPORT_POINTS } from "./export_points.ts";
import { HEALTH } from "./health.ts";
import { ingestPart, type ProtocolText } from "./ingest.ts";
import { NATIVE_TEXT } from "./native.ts";
import { OTLP_TEXT } from "./otlp.ts";
import { POSTHOG_TEXT } from "./posthog.ts";
import { READ } from "./read.ts";
import { RECEIPTS } from "./receipts.ts";
import { SEGMENT_TEXT } from "./segment.ts";
import { withSharedResponses } from "./shared_responses.ts";
import type { OpenApiDocument, Part, PathItem } from "./spec.ts";
import { SPLUNK_HEC_TEXT } from "./splunk_hec.ts";
import { TINYBIRD_TEXT } from "./tinybird.ts";

/** What is in force. */
export type DocumentedLimits = Pick<
  Config,
  | "maxBodyBytes"
  | "maxDecodedBytes"
  | "maxEventBytes"
  | "maxRequestEvents"
  | "bodyTimeoutMs"
>;

/** By the names of the protocols. */
const TEXTS: Readonly<Record<string, ProtocolText>> = {
  native: NATIVE_TEXT,
  segment: SEGMENT_TEXT,
  otlp: OTLP_TEXT,
  cloudevents: CLOUDEVENTS_TEXT,
  splunk_hec: SPLUNK_HEC_TEXT,
  posthog: POSTHOG_TEXT,
  tinybird: TINYBIRD_TEXT,
};

/** The document, for these protocols and limits. @throws {TypeError} if one is not described. */
export function openApiDocument(
  protocols: readonly Protocol[],
  limits: DocumentedLimits,
): OpenApiDocument {
  const sending = protocols.map((protocol) => ingestPart(protocol, textOf(protocol)));
  const [native, ...others] = sending;
  const parts = [
    ...native === undefined ? [] : [native],
    ...[READ, RECEIPTS, DEAD_LETTERS, EXPORT_POINTS, HEALTH, ABOUT],
    ...others,
  ];
  return withSharedResponses({
    openapi: "3.1.0",
    info: {
      title: "Firehouse Collector",
      version: VERSION,
      summary: "Catches events over HTTP and stores them in SQLite.",
      description: description(limits),
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "This collector" }],
    tags: parts.map(({ tag }) => tag),
    paths: pathsOf(parts),
    components: {
      ...COMPONENTS,
      schemas: Object.assign({}, SHARED_SCHEMAS, ...parts.map(({ schemas = {} }) => schemas)),
    },
  });
}

function textOf({ name }: Protocol): ProtocolText {
  const text = TEXTS[name];
  if (text === undefined) throw new TypeError(`lib/openapi says nothing of ${name}.`);
  return text;
}

function pathsOf(parts: readonly Part[]): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  for (const [path, item] of parts.flatMap(({ paths }) => Object.entries(paths))) {
    paths[path] = { ...paths[path], ...item };
  }
  return paths;
}

function description(limits: DocumentedLimits): string {
  const { maxBodyBytes, maxDecodedBytes, maxEventBytes, maxRequestEvents, bodyTimeoutMs } = limits;
  const kinds = Object.keys(REFUSALS).length;
  return [
    "Events come in over its own protocol or those of Segment, OpenTelemetry logs, CloudEvents, " +
    "Splunk HEC, PostHog and Tinybird; they are read back as JSON, NDJSON, CSV or " +
    "Parquet, and live.",
    `A body may have ${maxBodyBytes} bytes as sent, ${maxDecodedBytes} after decoding, an event ` +
    `${maxEventBytes} bytes, a request ${maxRequestEvents} events; a body must be complete after ` +
    `${bodyTimeoutMs} ms.`,
    "Where there are tokens, one is needed: with the scope `ingest` to send, `read` to read, " +
    "`admin` to change what is stored. On a loopback address none is needed as long as there is " +
    "none.",
    "A request with another answer than 2xx has stored nothing and will store nothing; after 500 " +
    `and 409 alone that is not known: send it again. There are ${kinds} kinds of refusals, see ` +
    "`GET /problems/{code}`. `503` and `429` carry `Retry-After`.",
    "`HEAD` is answered wherever `GET` is that only reads, `OPTIONS` everywhere.",
  ].join("\n\n");
}
