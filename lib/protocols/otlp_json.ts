/**
 * Decodes OTLP log requests in JSON.
 *
 * A log record says little without its resource (which service) and its scope (which library), so
 * the metadata of a row is a whole `ResourceLogs`: cut out of the sender's own bytes, with this
 * record as the only one in it. That is an OTLP message again: `{"resourceLogs":[<metadata>]}` can
 * be sent to any OTLP receiver, and {@linkcode replayOtlpJson} reads it.
 *
 * The price: a resource is written once for each of its records, so a small request can ask for a
 * lot of text. How much is known, and refused if it is too much, before any of it is made.
 */

import { type EventProblem, isRefusal, type Refusal } from "../errors.ts";
import type { DecodeContext, Decoded, ProtocolLimits } from "../protocol.ts";
import { utcOfMs, utcOfNanoseconds } from "../timestamp.ts";
import { type EventFields, EventRows, isEventId } from "./event_rows.ts";
import { JsonDocument, type Span } from "./json_document.ts";
import {
  bytesAround,
  findRecords,
  type Found,
  length,
  type Root,
  textsAround,
} from "./otlp_records.ts";
import { attributesOf, isHexId, nanosecondsOf, stringAttribute, userOf } from "./otlp_values.ts";

/** Name of the protocol. */
export const OTLP = "otlp";

/** Most bytes of all rows of a request, if four times its body is not more. */
const ROWS_BYTES_MAX = 32 * 1024 * 1024;

/** Decodes an `ExportLogsServiceRequest`. The bytes must be UTF-8. */
export function decodeOtlpJson(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  return decode(body, "ExportLogsServiceRequest", context, limits);
}

/** Decodes a `ResourceLogs`, such as the metadata of a row. The bytes must be UTF-8. */
export function replayOtlpJson(
  raw: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  return decode(raw, "ResourceLogs", context, limits);
}

function decode(
  body: Uint8Array,
  root: Root,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const document = new JsonDocument(body), eventsMax = limits.maxRequestEvents;
  const found = findRecords(body, { start: document.start, root, eventsMax });
  if (isRefusal(found)) return found;
  const { events, bytes } = found;
  if (events > eventsMax) {
    const detail = `A request may hold at most ${eventsMax} log records.`;
    return { code: "too-many-events", detail, events };
  }
  if (bytes > Math.max(ROWS_BYTES_MAX, 4 * body.length)) {
    const detail = "With the resource and the scope beside each, the log records are too long; " +
      "expected fewer in one request, or a shorter resource.";
    return { code: "body-too-large", detail, events };
  }
  return rowsOf(document, found, context, limits);
}

function rowsOf(
  document: JsonDocument,
  { groups, bytes }: Found,
  context: DecodeContext,
  { maxEventBytes }: ProtocolLimits,
): Decoded {
  const rows = new EventRows({ protocol: OTLP, context, bodyBytes: bytes });
  const users = new Map<Span | undefined, string>(); // a resource is read once for all its scopes
  for (const group of groups) {
    let resourceUser = users.get(group.resource);
    if (resourceUser === undefined) {
      resourceUser = userOf(document, attributesOf(document, group.resource));
      users.set(group.resource, resourceUser);
    }
    const [before, after] = textsAround(document, group), around = bytesAround(group);
    const reader: RecordReader = {
      document,
      received: utcOfMs(context.receivedAt),
      resourceUser,
    };
    for (const record of group.records) {
      const metadata = before + document.raw(record) + after;
      const fields = around + length(record) > maxEventBytes
        ? problem("", "event-too-large", `Expected at most ${maxEventBytes} bytes.`)
        : readRecord(reader, record);
      if ("code" in fields) rows.setAside(metadata, { index: rows.events, ...fields });
      else rows.add({ ...fields, metadata });
    }
  }
  return rows.finish();
}

/** What the records of a group are read with. */
interface RecordReader {
  readonly document: JsonDocument;
  /** Time of receipt. */
  readonly received: string;
  /** The user that the resource names; empty if it does not. */
  readonly resourceUser: string;
}

function readRecord(
  { document, received, resourceUser }: RecordReader,
  record: Span,
): Omit<EventFields, "metadata"> | EventProblem {
  if (document.kind(record) !== "object") return problem("", "type", "Expected an object.");
  const members = document.members(record);
  const time = nanosecondsOf(document, members.get("timeUnixNano"));
  if (time === null) return problem("/timeUnixNano", "timestamp", NANOSECONDS);
  const observed = nanosecondsOf(document, members.get("observedTimeUnixNano"));
  if (observed === null) return problem("/observedTimeUnixNano", "timestamp", NANOSECONDS);
  for (const id of ["traceId", "spanId"]) {
    if (!isHexId(document, members.get(id))) {
      return problem(`/${id}`, "hex", "Expected hex digits.");
    }
  }
  const attributes = attributesOf(document, record);
  const eventId = stringAttribute(document, attributes, "log.record.uid");
  if (eventId !== "" && !isEventId(eventId)) return problem("/attributes", "id", EVENT_ID);
  const instant = time || observed; // 0 is how protobuf says that there is none
  return {
    actor: userOf(document, attributes) || resourceUser,
    timestamp: (instant && utcOfNanoseconds(instant)) || received,
    type: document.string(members.get("eventName")) ||
      stringAttribute(document, attributes, "event.name"),
    eventId,
  };
}

const NANOSECONDS = "Expected nanoseconds since the Unix epoch, a string of decimal digits.";
const EVENT_ID = "Expected a log.record.uid of 1 to 1024 characters, none a control character.";

function problem(pointer: string, code: string, detail: string): EventProblem {
  return { pointer, code, detail };
}
