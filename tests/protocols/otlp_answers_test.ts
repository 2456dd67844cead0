/** What OTLP clients are answered, and where they send. */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Refusal, RefusalCode } from "../../lib/errors.ts";
import { otlpProtocol } from "../../lib/protocols/otlp.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import {
  decoded,
  formatOf,
  headOf,
  LIMITS,
  outcomeOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const OTLP = otlpProtocol(LIMITS);
const TYPES = ["application/json", "application/x-protobuf"] as const;

function sent(type: string, body: string | Uint8Array = ""): Sent {
  return { target: "/v1/logs", headers: { "content-type": type }, body };
}

const GOOD = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}';
const SOME_BAD = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"timeUnixNano":"x"},{},5]}]}]}';

/** The answer of a format to what JSON says; bodies in protobuf can hardly be bad. */
function answered(type: string, body: string) {
  const request = sent("application/json", body);
  return formatOf(OTLP, sent(type)).accepted(outcomeOf(request, decoded(OTLP, request)));
}

/** The fields of a message: numbers, and the bytes of the others. */
function fieldsOf(message: Uint8Array | string): [number, number | Uint8Array][] {
  const reader = new BinaryReader(message as Uint8Array),
    fields: [number, number | Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    fields.push([number, wireType === 0 ? Number(reader.int64()) : reader.bytes()]);
  }
  return fields;
}

Deno.test("the routes are /v1/logs with and without a slash, for JSON and protobuf only", () => {
  deepEqual([...OTLP.routes.keys()], ["/v1/logs", "/v1/logs/"]);
  for (const { formats, otherwise, protocol } of OTLP.routes.values()) {
    deepEqual([...formats.keys()], TYPES);
    equal(otherwise, null);
    equal(protocol, OTLP.name);
  }
  equal(formatOf(OTLP, sent(TYPES[0])).isText, true);
  equal(formatOf(OTLP, sent(TYPES[1])).isText, false);
});

Deno.test("the token is in Authorization: Bearer or in x-api-key", () => {
  const credential = (headers: Record<string, string>) =>
    OTLP.routes.get("/v1/logs")?.credential(headOf({ target: "/v1/logs?token=no", headers }));
  deepEqual(credential({ authorization: "bearer t" }), { token: "t", isInUrl: false });
  deepEqual(credential({ "x-api-key": "k" }), { token: "k", isInUrl: false });
  equal(credential({ authorization: "Bearer t", "x-api-key": "k" })?.token, "t");
  equal(credential({ authorization: "Basic dDp0" }), null);
  equal(credential({ "x-api-key": "k".repeat(1025) }), null);
  equal(credential({}), null);
});

Deno.test("success is {} in JSON and nothing in protobuf, also for a request without records", () => {
  for (const body of [GOOD, "{}"]) {
    deepEqual(answered(TYPES[0], body), { status: 200, body: "{}", type: TYPES[0] });
    deepEqual(answered(TYPES[1], body), { status: 200, body: new Uint8Array(), type: TYPES[1] });
  }
  equal(rowsOf(decoded(OTLP, sent(TYPES[0], GOOD))).length, 1);
});

Deno.test("records that were set aside are partial success, with their number and the first reason", () => {
  const errorMessage = "2 kept aside as dead letters; log record 1, the first of them at " +
    "/timeUnixNano: Expected nanoseconds since the Unix epoch, a string of decimal digits.";
  const { status, type, body } = answered(TYPES[0], SOME_BAD);
  deepEqual([status, type], [200, TYPES[0]]);
  deepEqual(JSON.parse(body as string), {
    partialSuccess: { rejectedLogRecords: "2", errorMessage },
  });

  const protobuf = answered(TYPES[1], SOME_BAD);
  deepEqual([protobuf.status, protobuf.type], [200, TYPES[1]]);
  const [[number, partial] = [], ...more] = fieldsOf(protobuf.body);
  deepEqual([number, more], [1, []]);
  deepEqual(fieldsOf(partial as Uint8Array), [[1, 2], [
    2,
    Uint8Array.from(Buffer.from(errorMessage)),
  ]]);
});

Deno.test("a request whose records are all bad is partial success too", () => {
  const { status, body } = answered(
    TYPES[0],
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[5]}]}]}',
  );
  equal(status, 200);
  deepEqual(JSON.parse(body as string).partialSuccess, {
    rejectedLogRecords: "1",
    errorMessage: "1 kept aside as dead letters; log record 0, the first of them: " +
      "Expected an object.",
  });
});

const ALL = Object.keys(REFUSALS) as RefusalCode[];
const RETRIED = [429, 502, 503, 504];

Deno.test("what may succeed later gets a status that clients retry, nothing else does", () => {
  for (const code of ALL) {
    const { status } = formatOf(OTLP, sent(TYPES[0])).refused({ code, detail: "d" });
    equal(RETRIED.includes(status), REFUSALS[code].retryable, `${code}: ${status}`);
    ok(status !== 422, `${code}: OTLP calls bad data 400`);
  }
});

Deno.test("a refusal is a google.rpc.Status in the encoding of the request", () => {
  const statuses: Partial<Record<RefusalCode, readonly [status: number, grpc: number]>> = {
    "malformed-json": [400, 3],
    "invalid-event": [400, 3],
    "empty-body": [400, 3],
    "token-missing": [401, 16],
    "unauthorized": [401, 16],
    "forbidden": [403, 7],
    "method": [405, 12],
    "body-too-large": [413, 8],
    "decoded-too-large": [413, 8],
    "unsupported-type": [415, 3],
    "rate-limited": [429, 8],
    "too-many-auth-failures": [429, 8],
    "queue-full": [503, 14],
    "draining": [503, 14],
    "store-failing": [503, 14],
    "too-many-bodies": [503, 14],
    "unconfirmed": [503, 14],
    "internal": [503, 14],
  };
  for (const [code, [status, grpc]] of Object.entries(statuses)) {
    const refusal: Refusal = { code: code as RefusalCode, detail: 'Not "é".' };
    const json = formatOf(OTLP, sent(TYPES[0])).refused(refusal);
    deepEqual([json.status, json.type], [status, TYPES[0]], code);
    deepEqual(JSON.parse(json.body as string), { code: grpc, message: 'Not "é".' });

    const protobuf = formatOf(OTLP, sent(TYPES[1])).refused(refusal);
    deepEqual([protobuf.status, protobuf.type], [status, TYPES[1]], code);
    deepEqual(fieldsOf(protobuf.body), [[1, grpc], [2, Uint8Array.from(Buffer.from('Not "é".'))]]);

    deepEqual(OTLP.routes.get("/v1/logs")?.refused(refusal), json, "JSON where it is not known");
  }
});

Deno.test("headers are kept, but clients are never told to wait for longer than 3 s", () => {
  for (const type of TYPES) {
    const headers = (of: Record<string, string>) =>
      formatOf(OTLP, sent(type)).refused({ code: "draining", detail: "d", headers: of }).headers;
    deepEqual(headers({ "retry-after": "5", connection: "close" }), {
      "retry-after": "3",
      connection: "close",
    });
    deepEqual(headers({ "retry-after": "2" }), { "retry-after": "2" });
  }
});
