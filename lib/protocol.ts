/** What a wire protocol is to the rest of the program: pure functions over bytes. */

import type { Admission, Level } from "./admission.ts";
import type { Refusal } from "./errors.ts";
import type { Submission } from "./event.ts";

/** What a decoder is given beside the body. */
export interface DecodeContext {
  /** Collector's clock, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Whether the body is ASCII; if not, it is UTF-8. */
  readonly isAscii: boolean;
}

/** Decodes a request body, its content coding undone: 1..n events, or why not. */
export type Decode = (body: Uint8Array, context: DecodeContext) => Submission | Refusal;

/** One path where events may be sent. */
export interface IngestRoute {
  /** Decoders by media type, in lower case without parameters. */
  readonly decoders: ReadonlyMap<string, Decode>;
  /** The JSON of the answer to a request that was admitted and has got so far. */
  readonly accepted: (admission: Admission, level: Level) => string;
}

/** The routes of a protocol by path. */
export type Routes = ReadonlyMap<string, IngestRoute>;
