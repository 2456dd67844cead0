/** Samples as the decoder hands them on. */

import { isRefusal, type Refusal } from "../lib/errors.ts";
import type { Submission } from "../lib/event.ts";
import type { DecodeContext, Decoded } from "../lib/protocol.ts";

/** What a decoder is given beside a sample. */
export const CONTEXT: DecodeContext = {
  receivedAt: 1_795_520_166_556,
  isAscii: true,
  source: "native",
  head: { path: "/event", query: "", headers: new Headers() },
};

/** The events of a sample. @throws {TypeError} if it was refused. */
export function submissionOf(decoded: Decoded | Refusal): Submission {
  if (isRefusal(decoded) || decoded.submission === null) throw new TypeError("a sample is refused");
  return decoded.submission;
}
