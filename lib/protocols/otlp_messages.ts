/** The messages of opentelemetry-proto that a log request is made of, field by field. */

import { WireType } from "@bufbuild/protobuf/wire";

/** How a value is read from protobuf and written in OTLP/JSON. */
export type Scalar =
  | "base64"
  | "bool"
  | "double"
  | "fixed32"
  | "fixed64"
  | "hex"
  | "int32"
  | "int64"
  | "string"
  | "uint32";

/** A field of a message. */
export interface Field {
  /** Its name in JSON, in quotes and with a colon. */
  readonly name: string;
  /** What its value is: a message is given as a function, since messages hold one another. */
  readonly kind: Scalar | (() => Message);
  /** Whether there may be any number of them. */
  readonly isRepeated: boolean;
  /** A bit that no other field of the message has. */
  readonly bit: number;
}

/** A message. */
export interface Message {
  /** Its fields by their tags. */
  readonly fields: ReadonlyMap<number, Field>;
  /** Whether they are all of one `oneof`: of several the last is meant. */
  readonly isOneof: boolean;
}

/** A field's number and wire type, as protobuf writes them before the value. */
export function tagOf(number: number, wireType: number): number {
  return number << 3 | wireType;
}

const WIRE_TYPES: Readonly<Record<Scalar, WireType>> = {
  base64: WireType.LengthDelimited,
  bool: WireType.Varint,
  double: WireType.Bit64,
  fixed32: WireType.Bit32,
  fixed64: WireType.Bit64,
  hex: WireType.LengthDelimited,
  int32: WireType.Varint,
  int64: WireType.Varint,
  string: WireType.LengthDelimited,
  uint32: WireType.Varint,
};

/** Fields by their numbers; a name in brackets is repeated. */
type Table = Readonly<
  Record<number, readonly [name: string | readonly [string], kind: Field["kind"]]>
>;

function message(table: Table): Message {
  const fields = Object.entries(table).map(([number, [name, kind]], index) => {
    const wireType = typeof kind === "string" ? WIRE_TYPES[kind] : WireType.LengthDelimited;
    const field = { name: `"${name}":`, kind, isRepeated: Array.isArray(name), bit: 1 << index };
    return [tagOf(Number(number), wireType), field] as const;
  });
  return { fields: new Map(fields), isOneof: false };
}

function oneof(table: Table): Message {
  return { ...message(table), isOneof: true };
}

// opentelemetry/proto/common/v1/common.proto
const ANY_VALUE: Message = oneof({
  1: ["stringValue", "string"],
  2: ["boolValue", "bool"],
  3: ["intValue", "int64"],
  4: ["doubleValue", "double"],
  5: ["arrayValue", () => ARRAY_VALUE],
  6: ["kvlistValue", () => KEY_VALUE_LIST],
  7: ["bytesValue", "base64"],
});
const ARRAY_VALUE: Message = message({ 1: [["values"], () => ANY_VALUE] });
const KEY_VALUE: Message = message({ 1: ["key", "string"], 2: ["value", () => ANY_VALUE] });
const KEY_VALUE_LIST: Message = message({ 1: [["values"], () => KEY_VALUE] });
const ENTITY_REF: Message = message({
  1: ["schemaUrl", "string"],
  2: ["type", "string"],
  3: [["idKeys"], "string"],
  4: [["descriptionKeys"], "string"],
});
const SCOPE: Message = message({
  1: ["name", "string"],
  2: ["version", "string"],
  3: [["attributes"], () => KEY_VALUE],
  4: ["droppedAttributesCount", "uint32"],
});

// opentelemetry/proto/resource/v1/resource.proto
const RESOURCE: Message = message({
  1: [["attributes"], () => KEY_VALUE],
  2: ["droppedAttributesCount", "uint32"],
  3: [["entityRefs"], () => ENTITY_REF],
});

// opentelemetry/proto/logs/v1/logs.proto
const LOG_RECORD: Message = message({
  1: ["timeUnixNano", "fixed64"],
  2: ["severityNumber", "int32"],
  3: ["severityText", "string"],
  5: ["body", () => ANY_VALUE],
  6: [["attributes"], () => KEY_VALUE],
  7: ["droppedAttributesCount", "uint32"],
  8: ["flags", "fixed32"],
  9: ["traceId", "hex"],
  10: ["spanId", "hex"],
  11: ["observedTimeUnixNano", "fixed64"],
  12: ["eventName", "string"],
});
const SCOPE_LOGS: Message = message({
  1: ["scope", () => SCOPE],
  2: [["logRecords"], () => LOG_RECORD],
  3: ["schemaUrl", "string"],
});
const RESOURCE_LOGS: Message = message({
  1: ["resource", () => RESOURCE],
  2: [["scopeLogs"], () => SCOPE_LOGS],
  3: ["schemaUrl", "string"],
});

// opentelemetry/proto/collector/logs/v1/logs_service.proto
/** `ExportLogsServiceRequest`. */
export const REQUEST: Message = message({ 1: [["resourceLogs"], () => RESOURCE_LOGS] });
