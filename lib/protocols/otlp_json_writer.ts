/** JSON text that grows as bytes: of small values there may be millions in one request. */

/** Most bytes: more than any log that is sent for its content takes. */
const BYTES_MAX = 16 * 1024 * 1024;
const CAPACITY_MIN = 1024;
/** Up to this length a loop beats a call into the runtime. */
const SHORT = 64;

/** Thrown when it would become longer than it may. */
export class TooLong extends Error {}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** See the head of this file. */
export class JsonWriter {
  #bytes = new Uint8Array(CAPACITY_MIN);
  #length = 0;

  /** Adds ASCII as it is. */
  ascii(text: string): void {
    const { length } = text, bytes = this.#reserve(length);
    if (length > SHORT) encoder.encodeInto(text, bytes.subarray(this.#length));
    else for (let i = 0; i < length; i++) bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += length;
  }

  /** Adds a string that is given in UTF-8. Throws if it is not. */
  string(utf8: Uint8Array): void {
    if (needsNoEscape(utf8)) {
      this.ascii('"');
      this.#reserve(utf8.length).set(utf8, this.#length);
      this.#length += utf8.length;
      return this.ascii('"');
    }
    const text = JSON.stringify(decoder.decode(utf8));
    const bytes = this.#reserve(3 * text.length); // what UTF-16 takes at most
    this.#length += encoder.encodeInto(text, bytes.subarray(this.#length)).written;
  }

  /** All of it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The bytes, with room for so many more. Throws beyond the most there may be. */
  #reserve(more: number): Uint8Array {
    const needed = this.#length + more;
    if (needed > BYTES_MAX) throw new TooLong();
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    return this.#bytes;
  }
}

/** Whether all is ASCII, without control characters, quotes and backslashes. */
function needsNoEscape(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (c < 32 || c > 126 || c === 34 || c === 92) return false;
  }
  return true;
}
