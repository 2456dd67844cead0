import { encodeBatch } from "../lib/event.ts";
import { decodeArray, decodeEvent, decodeLines } from "../lib/protocols/native_body.ts";
import { toUtc } from "../lib/timestamp.ts";
import { CONTEXT, submissionOf } from "./decoded.ts";
import { sampleEvent, sampleLines } from "./sample.ts";

const limits = { maxRequestEvents: 10_000, maxEventBytes: 262_144 };
const encoder = new TextEncoder();
const one = sampleEvent(1);
const lines = sampleLines(500);
const array = `[${lines.trim().replaceAll("\n", ",")}]`;
const [oneBytes, linesBytes, arrayBytes] = [one, lines, array].map((text) =>
  encoder.encode(text)
) as [Uint8Array, Uint8Array, Uint8Array];

Deno.bench("decode: JSON.parse of one event, for comparison", { group: "one" }, () => {
  JSON.parse(one);
});

Deno.bench("decode: one event", { group: "one", baseline: true }, () => {
  decodeEvent(oneBytes, CONTEXT, limits);
});

Deno.bench("decode: 500 events as NDJSON", { group: "many", baseline: true }, () => {
  decodeLines(linesBytes, CONTEXT, limits);
});

Deno.bench("decode: 500 events as a JSON array", { group: "many" }, () => {
  decodeArray(arrayBytes, CONTEXT, limits);
});

Deno.bench("decode: timestamp in UTC", { group: "timestamp", baseline: true }, () => {
  toUtc("2026-11-24T11:03:40.123Z");
});

Deno.bench("decode: timestamp with an offset", { group: "timestamp" }, () => {
  toUtc("2026-11-24T12:03:40.123+01:00");
});

const submissions = Array.from(
  { length: 200 },
  (_, number) => submissionOf(decodeEvent(encoder.encode(sampleEvent(number)), CONTEXT, limits)),
);

Deno.bench("encode: a batch of 200 single events", { group: "batch" }, () => {
  encodeBatch(submissions);
});
