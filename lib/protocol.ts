/** What a wire protocol is to the rest of the program: pure functions over text. */

import type { Refusal } from "./errors.ts";
import type { Submission } from "./event.ts";

/** What a decoder is given beside the text. */
export interface DecodeContext {
  /** Collector's clock, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Bytes of memory a character of the text takes: 1 if all are ASCII, else 2. */
  readonly bytesPerChar: number;
}

/** Decodes the text of a request body: 1..n events, or why not. */
export type Decode = (text: string, context: DecodeContext) => Submission | Refusal;

/** One path where events may be sent. */
export interface IngestRoute {
  /** Decoders by media type, in lower case without parameters. */
  readonly decoders: ReadonlyMap<string, Decode>;
  /** The JSON of the 202 answer once a submission was admitted. */
  readonly accepted: (submission: Submission) => string;
}

/** The routes of a protocol by path. */
export type Routes = ReadonlyMap<string, IngestRoute>;
