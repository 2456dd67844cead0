/**
 * Turns OTLP log requests in protobuf into OTLP/JSON. What is kept and read of them is then the
 * same as of requests that came in JSON, by the same code.
 *
 * Fields that are not known are passed over, as OTLP demands. Everything else that is there is
 * written, zeros too, in the order it is in. The text is at most eight times as long as the bytes.
 */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Buffer } from "node:buffer";
import type { Refusal } from "../errors.ts";
import { JsonWriter, TooLong } from "./otlp_json_writer.ts";
import { type Field, type Message, REQUEST, type Scalar, tagOf } from "./otlp_messages.ts";

/** Deepest nesting of messages: bounds the stack. The JSON decoder allows about half of it. */
const MESSAGE_DEPTH_MAX = 64;

/**
 * An `ExportLogsServiceRequest` as OTLP/JSON. No bytes are a request too: one without records. A
 * body that was cut between two `ResourceLogs` is a request that ends there; only the framing of
 * HTTP can tell.
 */
export function otlpJsonOf(body: Uint8Array): Uint8Array | Refusal {
  const transcoder = new Transcoder(body);
  try {
    transcoder.message(REQUEST, body.length, 1);
  } catch (error) { // this is how the library says that bytes are not protobuf
    return error instanceof TooDeep ? DEEP : error instanceof TooLong ? LONG : MALFORMED;
  }
  return transcoder.out.finish();
}

class TooDeep extends Error {}

class Transcoder {
  readonly out: JsonWriter = new JsonWriter();
  readonly #reader: BinaryReader;
  /** The fields found of the messages that are being written, the innermost last. */
  readonly #fields: Field[] = [];
  /** Where the value of each begins. */
  readonly #starts: number[] = [];

  constructor(body: Uint8Array) {
    this.#reader = new BinaryReader(body);
  }

  /** Writes the message from here to `end`; it is inside of `depth` messages, itself included. */
  message(message: Message, end: number, depth: number): void {
    if (depth > MESSAGE_DEPTH_MAX) throw new TooDeep();
    const fields = this.#fields, first = fields.length;
    this.#find(message, end);
    const last = fields.length - 1;
    this.out.ascii("{");
    // Repeated fields need not be next to one another, and what comes twice counts as it is last.
    let written = 0;
    for (let at = message.isOneof ? Math.max(first, last) : first; at <= last; at++) {
      const field = fields[at] as Field;
      if ((written & field.bit) !== 0) continue;
      if (written !== 0) this.out.ascii(",");
      written |= field.bit;
      this.out.ascii(field.name);
      if (field.isRepeated) this.#list(at, last, depth);
      else this.#value(fields.lastIndexOf(field), depth);
    }
    this.out.ascii("}");
    fields.length = this.#starts.length = first;
  }

  /** Notes the known fields of a message, and checks that they end where it does. */
  #find({ fields }: Message, end: number): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = fields.get(tagOf(number, wireType));
      if (field !== undefined) {
        this.#fields.push(field);
        this.#starts.push(reader.pos);
      }
      reader.skip(wireType, number);
    }
    // The library checks the end of the body only.
    if (reader.pos !== end) throw new RangeError("a field ends behind its message");
  }

  /** Writes what there is of a repeated field between two places. */
  #list(first: number, last: number, depth: number): void {
    const field = this.#fields[first];
    this.out.ascii("[");
    for (let at = first; at <= last; at++) {
      if (this.#fields[at] !== field) continue;
      if (at !== first) this.out.ascii(",");
      this.#value(at, depth);
    }
    this.out.ascii("]");
  }

  #value(at: number, depth: number): void {
    const reader = this.#reader, { kind } = this.#fields[at] as Field;
    reader.pos = this.#starts[at] as number;
    if (kind === "string") return this.out.string(reader.bytes());
    if (typeof kind === "string") return this.out.ascii(WRITTEN[kind](reader));
    const length = reader.uint32();
    this.message(kind(), reader.pos + length, depth + 1);
  }
}

/** How values are written, as proto3 JSON and OTLP want it. */
const WRITTEN: Readonly<Record<Exclude<Scalar, "string">, (reader: BinaryReader) => string>> = {
  base64: (reader) => bytesText(reader.bytes(), "base64"),
  bool: (reader) => String(reader.bool()),
  double: (reader) => doubleText(reader.double()),
  fixed32: (reader) => String(reader.fixed32()),
  fixed64: (reader) => `"${reader.fixed64()}"`,
  hex: (reader) => bytesText(reader.bytes(), "hex"),
  int32: (reader) => String(reader.int32()),
  int64: (reader) => `"${reader.int64()}"`,
  uint32: (reader) => String(reader.uint32()),
};

function bytesText({ buffer, byteOffset, length }: Uint8Array, encoding: "base64" | "hex"): string {
  return `"${Buffer.from(buffer, byteOffset, length).toString(encoding)}"`;
}

/** JSON has no numbers for some of them. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

const MALFORMED: Refusal = {
  code: "malformed-json",
  detail: "The body is not protobuf, or its strings are not UTF-8; " +
    "expected an ExportLogsServiceRequest.",
};
const LONG: Refusal = {
  code: "body-too-large",
  detail: "The request is too long when it is written as JSON; expected fewer log records in it.",
};
const DEEP: Refusal = {
  code: "too-deep",
  detail: `Messages may nest at most ${MESSAGE_DEPTH_MAX} deep, the request itself included.`,
};
