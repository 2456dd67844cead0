/**
 * What the official exporters really send: @opentelemetry/exporter-logs-otlp-http and -proto 0.301.0
 * with @opentelemetry/sdk-logs 3.1.1, the same two log records by both.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { otlpProtocol } from "../../lib/protocols/otlp.ts";
import { decoded, LIMITS, rowsOf, type Sent } from "../fakes/decoding.ts";

const OTLP = otlpProtocol(LIMITS);

const JSON_TEXT = '{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name",' +
  '"value":{"stringValue":"shop"}}],"droppedAttributesCount":0},' +
  '"scopeLogs":[{"scope":{"name":"checkout","version":"1.2.0"},' +
  '"logRecords":[{"timeUnixNano":"1700000000123456789",' +
  '"observedTimeUnixNano":"1700000001000000001","severityNumber":9,"severityText":"INFO",' +
  '"body":{"kvlistValue":{"values":[{"key":"text","value":{"stringValue":"größe 😀"}},' +
  '{"key":"big","value":{"intValue":9007199254740991}},{"key":"neg","value":{"intValue":-5}},' +
  '{"key":"f","value":{"doubleValue":1.5}},{"key":"none","value":{}},{"key":"list",' +
  '"value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"a"},{"boolValue":false},' +
  '{"arrayValue":{"values":[]}}]}}},{"key":"bytes","value":{"bytesValue":"AQL/"}}]}},' +
  '"eventName":"order.placed","attributes":[{"key":"enduser.id","value":{"stringValue":"u-1"}},' +
  '{"key":"log.record.uid","value":{"stringValue":"01J0"}},{"key":"ok",' +
  '"value":{"boolValue":true}}],"droppedAttributesCount":0,"flags":1,' +
  '"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"},' +
  '{"timeUnixNano":"1700000002000000000","observedTimeUnixNano":"1700000002000000000",' +
  '"body":{"stringValue":"plain"},"attributes":[{"key":"user.id","value":{"intValue":7}}],' +
  '"droppedAttributesCount":0}],"schemaUrl":"https://opentelemetry.io/schemas/1.30.0"}]}]}';
const PROTOBUF = Buffer.from(
  "CpsDChoKFgoMc2VydmljZS5uYW1lEgYKBHNob3AQABL8AgoRCghjaGVja291dBIFMS4yLjASjwIJFc2FPf6clxcQCR" +
    "oESU5GTyqIATKFAQoWCgR0ZXh0Eg4KDGdyw7bDn2Ug8J+YgAoQCgNiaWcSCRj/////////DwoSCgNuZWcSCxj7////" +
    "//////8BCg4KAWYSCSEAAAAAAAD4PwoICgRub25lEgAKGwoEbGlzdBITKhEKAhgBCgMKAWEKAhAACgIqAAoOCgVieX" +
    "RlcxIFOgMBAv8yEwoKZW5kdXNlci5pZBIFCgN1LTEyGAoObG9nLnJlY29yZC51aWQSBgoEMDFKMDIICgJvaxICEAE4" +
    "AEUBAAAAShBbjv/3mAOBA9JptjOBP8YMUgju4Zt+w8GxdFkBysRx/pyXF2IMb3JkZXIucGxhY2VkEiwJAJRfrf6clx" +
    "cqBwoFcGxhaW4yDQoHdXNlci5pZBICGAc4AFkAlF+t/pyXFxonaHR0cHM6Ly9vcGVudGVsZW1ldHJ5LmlvL3NjaGVt" +
    "YXMvMS4zMC4w",
  "base64",
);

const json: Sent = {
  target: "/v1/logs",
  headers: { "content-type": "application/json" },
  body: JSON_TEXT,
};
const protobuf: Sent = {
  target: "/v1/logs",
  headers: { "content-type": "application/x-protobuf" },
  body: PROTOBUF,
};

/** Where proto3 JSON can say one thing in two ways, one of them. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !(Array.isArray(member) && member.length === 0))
      .map(([name, member]) => [name, name === "intValue" ? String(member) : normal(member)]),
  );
}

Deno.test("the JSON exporter's log records become rows", () => {
  const rows = rowsOf(decoded(OTLP, json));
  deepEqual(
    rows.map((
      { timestamp, actor, userId, type, eventId },
    ) => [timestamp, actor, userId, type, eventId]),
    [
      ["2023-11-14T22:13:20.123456789Z", "u-1", null, "order.placed", "01J0"],
      ["2023-11-14T22:13:22.000000000Z", "7", "7", null, null],
    ],
  );
  for (const { metadata } of rows) {
    ok(metadata.startsWith('{"resource":{"attributes":[{"key":"service.name",'));
    ok(metadata.endsWith('}],"schemaUrl":"https://opentelemetry.io/schemas/1.30.0"}]}'));
  }
});

Deno.test("the protobuf exporter's log records become the same rows", () => {
  const ofJson = rowsOf(decoded(OTLP, json)), ofProtobuf = rowsOf(decoded(OTLP, protobuf));
  equal(ofProtobuf.length, 2);
  for (const [index, { metadata, ...columns }] of ofProtobuf.entries()) {
    const { metadata: expected = "", ...rest } = ofJson[index] ?? {};
    deepEqual(columns, rest);
    deepEqual(normal(JSON.parse(metadata)), normal(JSON.parse(expected)));
  }
});

Deno.test("the protobuf exporter's bytes are kept in the words of OTLP/JSON", () => {
  const [, plain] = rowsOf(decoded(OTLP, protobuf));
  equal(
    plain?.metadata,
    '{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}],' +
      '"droppedAttributesCount":0},"scopeLogs":[{"scope":{"name":"checkout","version":"1.2.0"},' +
      '"logRecords":[{"timeUnixNano":"1700000002000000000","body":{"stringValue":"plain"},' +
      '"attributes":[{"key":"user.id","value":{"intValue":"7"}}],"droppedAttributesCount":0,' +
      '"observedTimeUnixNano":"1700000002000000000"}],' +
      '"schemaUrl":"https://opentelemetry.io/schemas/1.30.0"}]}',
  );
});
