/** The same few events in the words of every protocol. */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** One way to say it. */
export interface Way {
  /** The protocol, and the form of it. */
  readonly name: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether a request can hold several events. */
  readonly takesMany: boolean;
  /** Whether its events have ids by which a repeat is known. */
  readonly hasIds: boolean;
  /** A body with an event for each mark; the mark is in its metadata. */
  readonly body: (marks: readonly string[]) => string | Uint8Array<ArrayBuffer>;
  /** The bad sibling of an event, where requests with one are taken: text to replace, and by what. */
  readonly spoil?: readonly [good: string, bad: string];
}

/** When all of the events happened. */
export const TIME = "2026-11-24T11:03:40.123Z";
const SECONDS = "1795518220.123", NANOSECONDS = "1795518220123000000";
const JSON_TYPE = { "content-type": "application/json" };
const quoted = (text: string) => JSON.stringify(text);
const each = (marks: readonly string[], event: (mark: string) => string) => marks.map(event);

const segment = (mark: string) =>
  `{"type":"track","event":"Bought","userId":"u1","messageId":${quoted(mark)},` +
  `"timestamp":"${TIME}","properties":{"m":${quoted(mark)},"big":9007199254740993}}`;
const posthog = (mark: string) =>
  `{"event":"bought","distinct_id":"17","uuid":${quoted(mark)},"timestamp":"${TIME}",` +
  `"properties":{"m":${quoted(mark)},"f":1.0}}`;
const record = (mark: string) =>
  `{"timeUnixNano":"${NANOSECONDS}","body":{"stringValue":${quoted(mark)}},"traceId":"",` +
  `"attributes":[{"key":"log.record.uid","value":{"stringValue":${quoted(mark)}}}]}`;
const cloudEvent = (mark: string) =>
  `{"specversion":"1.0","id":${quoted(mark)},"source":"/shop","type":"bought","time":"${TIME}",` +
  `"data":{"m":${quoted(mark)}}}`;
const hec = (mark: string) =>
  `{"time":${SECONDS},"sourcetype":"shop","event":{"m":${quoted(mark)},"a":1,"a":2}}`;

const { LengthDelimited, Bit64 } = WireType;
type Write = (to: BinaryWriter) => BinaryWriter;
const message = (number: number, ...writes: readonly Write[]): Write => (to) =>
  writes.reduce((to, write) => write(to), to.tag(number, LengthDelimited).fork()).join();
const text = (number: number, value: string): Write => (to) =>
  to.tag(number, LengthDelimited).string(value);
const stringValue = (number: number, value: string) => message(number, text(1, value));

function protobuf(marks: readonly string[]): Uint8Array<ArrayBuffer> {
  const attribute = (number: number, key: string, value: string) =>
    message(number, text(1, key), stringValue(2, value));
  const records = marks.map((mark) =>
    message(
      2,
      (to) => to.tag(1, Bit64).fixed64(NANOSECONDS),
      stringValue(5, mark),
      attribute(6, "log.record.uid", mark),
    )
  );
  const resource = message(1, attribute(1, "service.name", "shop"));
  const logs = message(1, resource, message(2, message(1, text(1, "lib")), ...records));
  return new Uint8Array(logs(new BinaryWriter()).finish());
}

/** All ways. */
export const WAYS: readonly Way[] = [
  {
    name: "native",
    target: "/events",
    headers: { "content-type": "application/x-ndjson", "prefer": "handling=lenient" },
    takesMany: true,
    hasIds: true,
    body: (marks) =>
      each(
        marks,
        (mark) =>
          `{"id":${quoted(mark)},"user_id":9007199254740993,"timestamp":"${TIME}",` +
          `"metadata":{"m":${quoted(mark)},"f":1.0}}`,
      ).join("\n"),
    spoil: ['"user_id":9007199254740993', '"user_id":"9007199254740993"'],
  },
  {
    name: "segment",
    target: "/v1/batch",
    headers: JSON_TYPE,
    takesMany: true,
    hasIds: true,
    body: (marks) =>
      `{"context":{"library":{"name":"lib"}},"writeKey":"k","batch":[${each(marks, segment)}]}`,
    spoil: ['"event":"Bought"', '"event":""'],
  },
  {
    name: "segment, one call",
    target: "/v1/track", // which alone says what kind of call it is
    headers: JSON_TYPE,
    takesMany: false,
    hasIds: true,
    body: ([mark = ""]) => segment(mark).replace('"type":"track",', ""),
  },
  {
    name: "otlp in JSON",
    target: "/v1/logs",
    headers: JSON_TYPE,
    takesMany: true,
    hasIds: true,
    body: (marks) =>
      `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":` +
      `{"stringValue":"shop"}}]},"scopeLogs":[{"scope":{"name":"lib"},"logRecords":[${
        each(marks, record)
      }]}]}]}`,
    spoil: ['"traceId":""', '"traceId":"no hex"'],
  },
  {
    name: "otlp in protobuf",
    target: "/v1/logs",
    headers: { "content-type": "application/x-protobuf" },
    takesMany: true,
    hasIds: true,
    body: protobuf,
  },
  {
    name: "cloudevents, batched",
    target: "/cloudevents",
    headers: { "content-type": "application/cloudevents-batch+json" },
    takesMany: true,
    hasIds: true,
    body: (marks) => `[${each(marks, cloudEvent)}]`,
  },
  {
    name: "cloudevents, structured",
    target: "/cloudevents",
    headers: { "content-type": "application/cloudevents+json" },
    takesMany: false,
    hasIds: true,
    body: ([mark = ""]) => ` ${cloudEvent(mark)} `,
  },
  {
    name: "cloudevents, binary",
    target: "/cloudevents",
    headers: {
      ...JSON_TYPE,
      "ce-specversion": "1.0",
      "ce-id": "binary",
      "ce-source": "/shop",
      "ce-type": "bought",
      "ce-time": TIME,
    },
    takesMany: false,
    hasIds: true,
    body: ([mark = ""]) => `{"m":${quoted(mark)}}`,
  },
  {
    name: "splunk_hec",
    target: "/services/collector/event",
    headers: JSON_TYPE,
    takesMany: true,
    hasIds: false,
    body: (marks) => each(marks, hec).join(" "),
  },
  {
    name: "splunk_hec, raw",
    target: `/services/collector/raw?sourcetype=shop&time=${SECONDS}`,
    headers: { "content-type": "text/plain" },
    takesMany: true,
    hasIds: false,
    body: (marks) => each(marks, (mark) => `line "${mark}"`).join("\n"),
  },
  {
    name: "posthog",
    target: "/batch/",
    headers: JSON_TYPE,
    takesMany: true,
    hasIds: true,
    body: (marks) => `{"api_key":"k","batch":[${each(marks, posthog)}]}`,
    spoil: ['"distinct_id":"17"', '"distinct_id":""'],
  },
  {
    name: "tinybird",
    target: "/v0/events?name=clicks",
    headers: JSON_TYPE,
    takesMany: true,
    hasIds: false,
    body: (marks) =>
      each(marks, (mark) => `{"timestamp":"${TIME}","m":${quoted(mark)},"f":1.0}`).join("\n"),
    spoil: ['"f":1.0}', '"f":1.0'],
  },
];

/** The way of this name. */
export function way(name: string): Way {
  const found = WAYS.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`no way ${name}`);
  return found;
}
