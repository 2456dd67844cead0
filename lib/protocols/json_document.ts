/**
 * A JSON text whose values can be found and cut out as they were sent. For protocols that wrap their
 * events: the whole is checked once, then only what is asked for is built.
 */

import { byteAt, MALFORMED, skipSpace, skipString, skipValue, utf8Slice } from "./json_bytes.ts";

/** Deepest nesting of a request: an event may nest 64 deep by itself, what wraps it comes to it. */
export const DEPTH_MAX = 64;

/** Where a value lies in its document, in bytes. */
export interface Span {
  /** Its first byte. */
  readonly start: number;
  /** The byte behind it. */
  readonly end: number;
}

/** What a value is, by its first byte. */
export type Kind = "object" | "array" | "string" | "number" | "literal";

/** See the head of this file. The bytes must be UTF-8. */
export class JsonDocument {
  readonly #bytes: Uint8Array;

  /** Reads nothing yet. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where text begins: behind a byte order mark (RFC 8259 §8.1) and space; the length if nowhere. */
  get start(): number {
    const bytes = this.#bytes;
    const hasBom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return skipSpace(bytes, hasBom ? 3 : 0);
  }

  /** Whether there is nothing but space. */
  get isEmpty(): boolean {
    return this.start === this.#bytes.length;
  }

  /** The one value that all of the text is; `MALFORMED` or `TOO_DEEP` of `json_bytes.ts` otherwise. */
  root(): Span | number {
    const span = this.valueAt(this.start);
    if (typeof span === "number") return span;
    return skipSpace(this.#bytes, span.end) === this.#bytes.length ? span : MALFORMED;
  }

  /** The value that begins at a position; `MALFORMED` or `TOO_DEEP` if none does. */
  valueAt(start: number): Span | number {
    const end = skipValue(this.#bytes, start, DEPTH_MAX);
    return end < 0 ? end : { start, end };
  }

  /** The first position at or behind `at` that is not JSON whitespace, or the length. */
  skipSpace(at: number): number {
    return skipSpace(this.#bytes, at);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#bytes.length;
  }

  /** What kind a value is. */
  kind({ start }: Span): Kind {
    switch (byteAt(this.#bytes, start)) {
      case 123:
        return "object";
      case 91:
        return "array";
      case 34:
        return "string";
      case 116:
      case 102:
      case 110:
        return "literal";
      default:
        return "number";
    }
  }

  /** The elements of an array that was checked. */
  elements(array: Span): Span[] {
    const bytes = this.#bytes, elements: Span[] = [];
    let at = skipSpace(bytes, array.start + 1);
    while (byteAt(bytes, at) !== 93) {
      const end = skipValue(bytes, at, DEPTH_MAX);
      elements.push({ start: at, end });
      at = skipSpace(bytes, end);
      if (byteAt(bytes, at) === 44) at = skipSpace(bytes, at + 1);
    }
    return elements;
  }

  /** The members of an object that was checked, by name; of a name that comes twice the last. */
  members(object: Span): Map<string, Span> {
    const bytes = this.#bytes, members = new Map<string, Span>();
    let at = skipSpace(bytes, object.start + 1);
    while (byteAt(bytes, at) !== 125) {
      const nameEnd = skipString(bytes, at);
      const name = this.#string(at, nameEnd);
      const start = skipSpace(bytes, skipSpace(bytes, nameEnd) + 1);
      const end = skipValue(bytes, start, DEPTH_MAX);
      members.set(name, { start, end });
      at = skipSpace(bytes, end);
      if (byteAt(bytes, at) === 44) at = skipSpace(bytes, at + 1);
    }
    return members;
  }

  /** A value as it was sent. */
  raw({ start, end }: Span): string {
    return utf8Slice(this.#bytes, start, end);
  }

  /** What a string says; null if the value is no string or not there. */
  string(span: Span | undefined): string | null {
    return span !== undefined && this.kind(span) === "string"
      ? this.#string(span.start, span.end)
      : null;
  }

  #string(start: number, end: number): string {
    const inside = this.raw({ start: start + 1, end: end - 1 });
    return inside.includes("\\") ? JSON.parse(this.raw({ start, end })) : inside;
  }
}
