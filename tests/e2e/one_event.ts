/** How one event is sent in each protocol, and all the places where each takes its token. */

import { Buffer } from "node:buffer";
import { event } from "./collector_process.ts";

/** A request to send. */
export interface OneEvent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** Puts a token into a request. */
export type Place = (token: string, request: OneEvent) => OneEvent;

/** Names of the protocols, as they are in the column `source` without a token. */
export type ProtocolName =
  | "native"
  | "segment"
  | "otlp"
  | "cloudevents"
  | "splunk"
  | "posthog"
  | "tinybird";

/** What a protocol is sent. */
export interface Sample {
  /** Makes a request with one event, which is stored once, and without a token. */
  readonly request: () => OneEvent;
  /** The places where it takes one, by what they are called in the names of tests. */
  readonly places: Readonly<Record<string, Place>>;
}

const JSON_TYPE = { "content-type": "application/json" };
const TIME = "2026-11-24T11:03:40Z";

const authorization = (value: (token: string) => string) => header("authorization", value);
const bearer = authorization((token) => `Bearer ${token}`);
const basic = (credentials: (token: string) => string) =>
  authorization((token) => `Basic ${Buffer.from(credentials(token)).toString("base64")}`);

/** What each protocol is sent. */
export const SAMPLES: Readonly<Record<ProtocolName, Sample>> = {
  native: {
    request: () => ({ path: "/event", headers: JSON_TYPE, body: event("one") }),
    places: { "Bearer": bearer, "?token=": parameter("token") },
  },
  segment: {
    request: () => ({
      path: "/v1/track",
      headers: JSON_TYPE,
      body: `{"type":"track","event":"one","userId":"u","timestamp":"${TIME}"}`,
    }),
    places: {
      "Basic user": basic((token) => `${token}:`),
      "Basic without a colon": basic((token) => token),
      "Bearer": bearer,
      "body writeKey": member("writeKey"),
    },
  },
  otlp: {
    request: () => ({
      path: "/v1/logs",
      headers: JSON_TYPE,
      body: '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"one"}}]}]}]}',
    }),
    places: { "Bearer": bearer, "x-api-key": header("x-api-key", (token) => token) },
  },
  cloudevents: {
    request: () => ({
      path: "/cloudevents",
      headers: { "content-type": "application/cloudevents+json" },
      body: `{"specversion":"1.0","id":"${crypto.randomUUID()}","source":"/one","type":"one"}`,
    }),
    places: { "Bearer": bearer, "?access_token=": parameter("access_token") },
  },
  splunk: {
    request: () => ({ path: "/services/collector/event", headers: {}, body: '{"event":"one"}' }),
    places: {
      "Splunk": authorization((token) => `Splunk ${token}`),
      "Bearer": bearer,
      "Basic password": basic((token) => `any:${token}`),
      "?token=": parameter("token"),
    },
  },
  posthog: {
    request: () => ({
      path: "/batch/",
      headers: JSON_TYPE,
      body: `{"batch":[{"event":"one","distinct_id":"u","properties":{},"timestamp":"${TIME}"}]}`,
    }),
    places: { "body api_key": member("api_key"), "Bearer": bearer },
  },
  tinybird: {
    request: () => ({ path: "/v0/events?name=one", headers: {}, body: '{"one":1}' }),
    places: { "Bearer": bearer, "?token=": parameter("token") },
  },
};

/** Every protocol with its sample. */
export function samples(): [ProtocolName, Sample][] {
  return Object.entries(SAMPLES) as [ProtocolName, Sample][];
}

/** A log record in OTLP's other encoding. */
export const OTLP_PROTOBUF: OneEvent = {
  path: "/v1/logs",
  headers: { "content-type": "application/x-protobuf" },
  // resource_logs { scope_logs { log_records { severity_number: 9 } } }
  body: Uint8Array.of(0x0a, 6, 0x12, 4, 0x12, 2, 0x10, 9),
};

function header(name: string, value: (token: string) => string): Place {
  return (token, request) => (
    { ...request, headers: { ...request.headers, [name]: value(token) } }
  );
}

function parameter(name: string): Place {
  return (token, request) => {
    const separator = request.path.includes("?") ? "&" : "?";
    const path = `${request.path}${separator}${name}=${encodeURIComponent(token)}`;
    return { ...request, path };
  };
}

/** The first member of a body that is a JSON object. */
function member(name: string): Place {
  return (token, request) => {
    const body = `{${JSON.stringify(name)}:${JSON.stringify(token)},${request.body.slice(1)}`;
    return { ...request, body };
  };
}
