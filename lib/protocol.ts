/**
 * What a wire protocol is to the rest of the program: its paths, its decoders and its answers. All
 * of it pure: bytes and header values in, events, refusals and the text of answers out.
 */

import type { Admission, Level } from "./admission.ts";
import type { EventProblem, Refusal } from "./errors.ts";
import type { Submission } from "./event.ts";

/** Reads headers by name, in lower case; null if a header is not there. */
export interface HeaderReader extends Iterable<readonly [string, string]> {
  /** The value of a header; several of one name are joined by a comma. */
  get(name: string): string | null;
  /** Whether a header is there. */
  has(name: string): boolean;
}

/** A request without its body. */
export interface RequestHead {
  /** The path, percent-encoding as sent. */
  readonly path: string;
  /** The query as sent, without the question mark; empty if there is none. */
  readonly query: string;
  /** The headers. */
  readonly headers: HeaderReader;
}

/** What a decoder is given beside the body. */
export interface DecodeContext {
  /** Collector's clock, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Whether the body is ASCII; if not, it is UTF-8 (or anything, for a binary format). */
  readonly isAscii: boolean;
  /** What the events carry as `source`: the name of the token, or of the protocol. */
  readonly source: string;
  /** The request. */
  readonly head: RequestHead;
}

/** What a decoder made of a body. */
export interface Decoded {
  /** The events; null if the request is well formed and holds none. */
  readonly submission: Submission | null;
  /** Those that can not be stored, to be kept aside as dead letters: see `event.ts`. */
  readonly aside?: Submission;
  /** Why they can not: the first problems, for the answer. */
  readonly problems?: readonly EventProblem[];
  /** A token that came in the body, where the protocol puts it there. */
  readonly credential?: string;
}

/** Decodes a request body, its content coding undone, or says why not. Throws nothing. */
export type Decode = (body: Uint8Array, context: DecodeContext) => Decoded | Refusal;

/** An answer in the words of its protocol. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** The body; text, or bytes for a binary protocol. */
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Its media type; null if there is no body. */
  readonly type: string | null;
  /** More headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What became of a request that was admitted, and how far it has got. */
export interface Outcome {
  /** What was admitted. */
  readonly admission: Admission;
  /** How far its events have got. */
  readonly level: Level;
  /** What the decoder made of it. */
  readonly decoded: Decoded;
  /** The request. */
  readonly head: RequestHead;
  /** What it preferred, as far as that was heeded. */
  readonly preference: Preference | null;
  /** The name of its receipt. */
  readonly receiptId: () => string;
}

/** When a request prefers to be answered; nothing is the default. */
export type Preference =
  /** Once it is committed, or when this time has run out. */
  | { readonly kind: "wait"; readonly seconds: number }
  /** At once. */
  | { readonly kind: "respond-async" };

/** One way to send events to a path. */
export interface Format {
  /** Whether bodies are text, which is then checked to be UTF-8. */
  readonly isText: boolean;
  /** Decodes a body. */
  readonly decode: Decode;
  /** The answer to a request that was admitted, or that held no events. */
  readonly accepted: (outcome: Outcome) => Answer;
  /** The answer to a refused request. */
  readonly refused: (refusal: Refusal) => Answer;
}

/** A token as a request carries it. */
export interface Credential {
  /** The token. */
  readonly token: string;
  /** Whether it stood in the URL, where logs and histories keep it. */
  readonly isInUrl: boolean;
}

/** One path where events may be sent. */
export interface IngestRoute {
  /** Name of the protocol, in `protocol` columns and as `source` of requests without a token. */
  readonly protocol: string;
  /** Formats by media type, in lower case without parameters. */
  readonly formats: ReadonlyMap<string, Format>;
  /** The format of a request whose media type is missing or none of these; null to refuse it. */
  readonly otherwise: Format | null;
  /** Finds the format where the media type alone does not tell; default: by media type. */
  readonly formatOf?: (head: RequestHead) => Format | null;
  /** The token in the head of a request, wherever the protocol puts it; null if there is none. */
  readonly credential: (head: RequestHead) => Credential | null;
  /** Whether the token may be in the body instead. */
  readonly hasBodyCredential?: boolean;
  /** Whether a request may carry an Idempotency-Key; all that tells two apart must be in the body. */
  readonly hasKeys?: boolean;
  /** When the request prefers to be answered; default: no preference. */
  readonly preference?: (head: RequestHead) => Preference | null;
  /** Refuses a request by its head alone; null to go on. */
  readonly refusesHead?: (head: RequestHead) => Refusal | null;
  /** The answer to a refused request whose format is not known. */
  readonly refused: (refusal: Refusal) => Answer;
  /** The answer to OPTIONS where the protocol defines one; null for the usual one. */
  readonly options?: (head: RequestHead) => Answer | null;
}

/** A path of a protocol that takes no events, such as a health check. */
export interface Service {
  /** Its one method. */
  readonly method: "GET" | "POST";
  /** Whether a token is needed, with the scope `ingest`. */
  readonly needsToken: boolean;
  /** As for {@linkcode IngestRoute}. */
  readonly credential: (head: RequestHead) => Credential | null;
  /** The answer; the body is empty for GET, its coding undone and UTF-8 otherwise. */
  readonly answer: (head: RequestHead, body: Uint8Array, source: string) => Answer | Refusal;
  /** The answer to a refused request. */
  readonly refused: (refusal: Refusal) => Answer;
}

/** A wire protocol. */
export interface Protocol {
  /** Its name. */
  readonly name: string;
  /** Paths where events may be sent. */
  readonly routes: ReadonlyMap<string, IngestRoute>;
  /** Its other paths. */
  readonly services?: ReadonlyMap<string, Service>;
  /**
   * Decodes the raw text of a dead letter of this protocol, one event, as if it had just come; its
   * events carry the source of the context. `parameter` is what followed the protocol's name.
   */
  readonly replay: (
    raw: Uint8Array,
    context: DecodeContext,
    parameter: string,
  ) => Decoded | Refusal;
}

/** The limits that decoders keep. */
export interface ProtocolLimits {
  /** Most events a request. */
  readonly maxRequestEvents: number;
  /** Most bytes an event, as UTF-8. */
  readonly maxEventBytes: number;
}
