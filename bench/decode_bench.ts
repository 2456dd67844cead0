import { encodeBatch, type Submission } from "../lib/event.ts";
import { decodeArray, decodeEvent, decodeLines } from "../lib/protocols/native.ts";
import { toUtc } from "../lib/timestamp.ts";
import { sampleEvent, sampleLines } from "./sample.ts";

const context = { receivedAt: 1_795_520_166_556, isAscii: true };
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
  decodeEvent(oneBytes, context, limits);
});

Deno.bench("decode: 500 events as NDJSON", { group: "many", baseline: true }, () => {
  decodeLines(linesBytes, context, limits);
});

Deno.bench("decode: 500 events as a JSON array", { group: "many" }, () => {
  decodeArray(arrayBytes, context, limits);
});

Deno.bench("decode: timestamp in UTC", { group: "timestamp", baseline: true }, () => {
  toUtc("2026-11-24T11:03:40.123Z");
});

Deno.bench("decode: timestamp with an offset", { group: "timestamp" }, () => {
  toUtc("2026-11-24T12:03:40.123+01:00");
});

const submissions = Array.from(
  { length: 200 },
  (_, number) => decodeEvent(encoder.encode(sampleEvent(number)), context, limits) as Submission,
);

Deno.bench("encode: a batch of 200 single events", { group: "batch" }, () => {
  encodeBatch(submissions);
});
