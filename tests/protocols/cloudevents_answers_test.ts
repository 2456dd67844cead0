import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal, type RefusalCode } from "../../lib/errors.ts";
import type { IngestRoute } from "../../lib/protocol.ts";
import { cloudEventsProtocol } from "../../lib/protocols/cloudevents.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import { jsonText } from "../fakes/json_arbitrary.ts";
import {
  decoded,
  decodeSent,
  headOf,
  LIMITS,
  outcomeOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const PROTOCOL = cloudEventsProtocol(LIMITS);
const ROUTE = PROTOCOL.routes.get("/cloudevents") as IngestRoute;
const EVENT = '{"specversion":"1.0","id":"1","type":"t","source":"/s"}';

function formatNamed(type: string, headers: Record<string, string> = {}): string {
  const all = type === "" ? headers : { ...headers, "content-type": type };
  const format = ROUTE.formatOf?.(headOf({ target: "/cloudevents", headers: all })) ?? null;
  if (format === null) return "none";
  if (!format.isText) return "binary";
  return format === ROUTE.formats.get("application/cloudevents+json") ? "structured" : "batched";
}

Deno.test("the Content-Type tells the mode, the batch looked for first", () => {
  const structured = ["application/cloudevents+json", "application/cloudevents"];
  for (const type of structured) {
    equal(formatNamed(type), "structured");
    equal(formatNamed(`${type.toUpperCase()} ; charset="UTF-8"`), "structured");
    equal(formatNamed(`${type};charset=us-ascii`), "structured");
    equal(formatNamed(`${type};charset=utf-16`), "none");
  }
  equal(formatNamed("application/cloudevents-batch+json; charset=utf-8"), "batched");
  equal(formatNamed("application/cloudevents-batch"), "batched");
  for (const suffix of ["+avro", "+protobuf", "-batch+xml", "+jsonx", "s"]) {
    equal(formatNamed(`application/cloudevents${suffix}`), "none", suffix);
    equal(formatNamed(`application/cloudevents${suffix}`, { "ce-id": "1" }), "none", suffix);
  }
});

Deno.test("the headers of attributes tell binary mode", () => {
  for (const name of ["ce-id", "ce-source", "ce-type", "ce-specversion"]) {
    equal(formatNamed("application/json", { [name]: "x" }), "binary");
    equal(formatNamed("", { [name]: "x" }), "binary");
    equal(formatNamed("application/cloudevents+json", { [name]: "x" }), "structured");
  }
  equal(formatNamed("application/json"), "none");
  equal(formatNamed(""), "none");
  equal(formatNamed("application/json", { "ce-ext": "x" }), "none");
});

Deno.test("an accepted request is told so in the body too: the SDK shows no status", () => {
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const sent: Sent = { target: "/cloudevents", headers, body: `[${EVENT},${EVENT}]` };
  const format = ROUTE.formatOf?.(headOf(sent));
  const outcome = outcomeOf(sent, decoded(PROTOCOL, sent), { level: "journaled" });
  const admission = { ...outcome.admission, accepted: 1, duplicates: 1 };
  deepEqual(format?.accepted({ ...outcome, admission }), {
    status: 202,
    body: '{"status":"accepted","stored":"journaled","accepted":1,"duplicates":1}',
    type: "application/json",
  });
});

Deno.test("a refused event is 400 and tells where and why", () => {
  const answer = ROUTE.refused({
    code: "invalid-event",
    detail: "The event has 1 problem.",
    errors: [{ index: 2, pointer: "/2/id", code: "missing", detail: "Expected this attribute." }],
    errorsTotal: 1,
    events: 3,
  });
  equal(answer.status, 400);
  equal(answer.type, "application/problem+json");
  deepEqual(JSON.parse(String(answer.body)), {
    type: "/problems/invalid-event",
    title: "Invalid event",
    status: 400,
    detail: "The event has 1 problem.",
    stored: "none",
    retryable: false,
    errors: [{ index: 2, pointer: "/2/id", code: "missing", detail: "Expected this attribute." }],
    errors_total: 1,
  });
});

Deno.test("every refusal has its status, and 429 always a Retry-After of at most 5 s", () => {
  const statuses: Partial<Record<RefusalCode, number>> = {
    "draining": 503,
    "event-too-large": 413,
    "forbidden": 403,
    "internal": 500,
    "invalid-event": 400,
    "malformed-json": 400,
    "queue-full": 429,
    "rate-limited": 429,
    "store-failing": 429,
    "too-many-bodies": 429,
    "too-many-events": 413,
    "token-missing": 401,
    "unauthorized": 401,
    "unsupported-type": 415,
  };
  for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
    const bare = ROUTE.refused({ code, detail: "Why." });
    equal(JSON.parse(String(bare.body)).status, bare.status, code);
    if (statuses[code] !== undefined) equal(bare.status, statuses[code], code);
    equal(bare.headers?.["retry-after"], bare.status === 429 ? "1" : undefined, code);
    const headers = { "retry-after": "60", "www-authenticate": "Bearer" };
    const timed = ROUTE.refused({ code, detail: "Why.", headers });
    deepEqual(timed.headers, { "retry-after": "5", "www-authenticate": "Bearer" }, code);
  }
});

Deno.test("the token comes in the header or as access_token", () => {
  const credential = (target: string, headers: Record<string, string> = {}) =>
    ROUTE.credential(headOf({ target, headers }));
  deepEqual(credential("/cloudevents", { authorization: "Bearer abc" }), {
    token: "abc",
    isInUrl: false,
  });
  deepEqual(credential("/cloudevents?p=q&access_token=a%20c"), { token: "a c", isInUrl: true });
  deepEqual(credential("/cloudevents?access_token=x", { authorization: "Bearer abc" }), {
    token: "abc",
    isInUrl: false,
  });
  equal(credential("/cloudevents?token=x"), null);
});

Deno.test("who asks by OPTIONS whether it may send is told yes", () => {
  const ask = (origin: string) =>
    ROUTE.options?.(headOf({
      target: "/cloudevents",
      headers: { "webhook-request-origin": origin, "webhook-request-rate": "120" },
    }));
  deepEqual(ask("eventemitter.example.com"), {
    status: 200,
    body: "",
    type: null,
    headers: {
      "allow": "POST",
      "webhook-allowed-origin": "eventemitter.example.com",
      "webhook-allowed-rate": "*",
    },
  });
  for (const odd of ["", "a b", "<x>", "a, b", "é", "x".repeat(256)]) equal(ask(odd), null, odd);
  equal(ROUTE.options?.(headOf({ target: "/cloudevents" })), null);
});

const VALUES = fc.oneof(
  fc.constantFrom("1.0", "/s", "t", '"q\\"', "%41", "%ff", "2020-01-01T00:00:00Z"),
  fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((c) => String.fromCharCode(c)) })
    .map((text) => text.replaceAll(/[\x7f]/g, "").trim()),
);
const HEADERS = fc.dictionary(
  fc.constantFrom("ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-x", "ce-a-b"),
  VALUES,
);
const TYPES = fc.constantFrom(
  "application/json",
  "text/plain",
  "image/png",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
);
const BODIES = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  jsonText.map((text) => new TextEncoder().encode(text)),
  jsonText.map((text) => new TextEncoder().encode(`[${EVENT},${text}]`)),
  jsonText.map((text) => new TextEncoder().encode(EVENT.replace("}", `,"data":${text}}`))),
);

Deno.test("whatever is sent is decoded or refused, and what is decoded is JSON", () => {
  fc.assert(
    fc.property(HEADERS, TYPES, BODIES, (headers, type, body) => {
      const sent: Sent = {
        target: "/cloudevents",
        headers: { "ce-id": "1", ...headers, "content-type": type },
        body,
      };
      const outcome = decodeSent(PROTOCOL, sent);
      if (isRefusal(outcome)) return ok(outcome.detail.length > 0);
      for (const row of rowsOf(outcome)) {
        equal(JSON.parse(row.metadata).specversion, "1.0");
        ok(row.eventId !== null && row.type !== null);
      }
    }),
    { numRuns: 500 },
  );
});
