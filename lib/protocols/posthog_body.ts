/**
 * The JSON in a body of PostHog's clients. Browsers can not say Content-Encoding in a request that
 * needs no preflight, nor always text/plain, so theirs may be gzip without a word of it, or base64
 * in a form; what the query says of that (`compression`) is not there in all versions.
 */

import { Buffer, isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { decodedBytesMax } from "../decoded_limit.ts";
import type { Refusal } from "../errors.ts";
import type { DecodeContext } from "../protocol.ts";

/** Most bytes of a body that is gzip by itself, after decoding. */
const DECODED_BYTES_MAX = 8_388_608;
const FORM = "application/x-www-form-urlencoded";

/** The JSON text of a body, which is UTF-8, or why there is none. */
export function posthogJson(body: Uint8Array, { head }: DecodeContext): Uint8Array | Refusal {
  const type = head.headers.get("content-type")?.toLowerCase() ?? "";
  const data = type.startsWith(FORM) ? formData(body) : body;
  const text = isGzip(data) ? gunzipped(data) : data;
  if (!(text instanceof Uint8Array) || isUtf8(text)) return text;
  return { code: "invalid-utf8", detail: "Expected the body to be UTF-8." };
}

/** The parameter `data` of a form: JSON, or base64 of it; the body itself if it is no such form. */
function formData(body: Uint8Array): Uint8Array {
  if (!isUtf8(body)) return body; // such as gzip
  const form = Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  if (/^\s*[[{]/.test(form)) return body; // JSON, as `curl -d` sends it
  const start = form.startsWith("data=") ? 0 : form.indexOf("&data=") + 1;
  if (!form.startsWith("data=", start)) return body;
  const end = form.indexOf("&", start);
  const value = form.slice(start + "data=".length, end < 0 ? form.length : end);
  try {
    const data = decodeURIComponent(value);
    // In a form a plus sign is a space; in base64 it is itself.
    return /^[\s+]*[[{]/.test(data)
      ? Buffer.from(decodeURIComponent(value.replaceAll("+", " ")))
      : Buffer.from(data, "base64");
  } catch { // an escape that is none
    return body;
  }
}

/** By its first three bytes: the mark, and the only method there is (RFC 1952 §2.3). */
function isGzip([first, second, third]: Uint8Array): boolean {
  return first === 0x1f && second === 0x8b && third === 8;
}

/** Throws nothing; a stream that is cut, broken or followed by anything is refused. */
function gunzipped(data: Uint8Array): Uint8Array | Refusal {
  const limit = decodedBytesMax(data.length, DECODED_BYTES_MAX);
  try {
    return gunzipSync(data, { maxOutputLength: limit });
  } catch (error) {
    return (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE"
      ? {
        code: "decoded-too-large",
        detail: `Expected at most ${limit} bytes after decoding.`,
      }
      : { code: "content-coding", detail: "The body is not one whole gzip stream." };
  }
}
