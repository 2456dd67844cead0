/** Decodes bodies as the HTTP layer would, and shows the outcome as the tests like it. */

import { isRefusal, type Refusal } from "../../lib/errors.ts";
import { decodeBatch, decodeGroups, encodeBatch, type EventRow } from "../../lib/event.ts";
import type {
  DecodeContext,
  Decoded,
  Format,
  Outcome,
  Protocol,
  ProtocolLimits,
  RequestHead,
} from "../../lib/protocol.ts";

/** When everything is received: 2023-11-14T22:13:20.000Z. */
export const RECEIVED_AT = 1_700_000_000_000;
/** The same as a row has it. */
export const RECEIVED = "2023-11-14T22:13:20.000Z";
/** Limits that no test meets by accident. */
export const LIMITS: ProtocolLimits = { maxRequestEvents: 10_000, maxEventBytes: 262_144 };

/** A request as a test describes it. */
export interface Sent {
  /** Path, with its query if it has one. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The token's name; default: the protocol's. */
  readonly source?: string;
}

/** The head of a request. */
export function headOf({ target, headers = {} }: Sent): RequestHead {
  const [path = "", query = ""] = target.split("?");
  return { path, query, headers: new Headers(headers) };
}

/** The body of a request in bytes. */
export function bytesOf({ body = "" }: Sent): Uint8Array<ArrayBuffer> {
  return typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
}

/** What a decoder is given. */
export function contextOf(protocol: Protocol, sent: Sent): DecodeContext {
  return {
    receivedAt: RECEIVED_AT,
    isAscii: bytesOf(sent).every((byte) => byte < 128),
    source: sent.source ?? protocol.name,
    head: headOf(sent),
  };
}

/** The format that a request is in; throws if the protocol does not take it. */
export function formatOf(protocol: Protocol, sent: Sent): Format {
  const head = headOf(sent);
  const route = protocol.routes.get(head.path);
  if (route === undefined) throw new Error(`no route ${head.path}`);
  const type = (head.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const format = route.formatOf === undefined
    ? route.formats.get(type) ?? route.otherwise
    : route.formatOf(head);
  if (format === null) throw new Error(`no format for ${type} at ${head.path}`);
  return format;
}

/** What the protocol makes of a request. */
export function decodeSent(protocol: Protocol, sent: Sent): Decoded | Refusal {
  return formatOf(protocol, sent).decode(bytesOf(sent), contextOf(protocol, sent));
}

/** What it makes of a request that it accepts; throws if it refuses it. */
export function decoded(protocol: Protocol, sent: Sent): Decoded {
  const outcome = decodeSent(protocol, sent);
  if (isRefusal(outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Why it refuses a request; throws if it does not. */
export function refusalOf(protocol: Protocol, sent: Sent): Refusal {
  const outcome = decodeSent(protocol, sent);
  if (!isRefusal(outcome)) throw new Error(`accepted: ${outcome.submission?.fields}`);
  return outcome;
}

/** The rows as the store will see them. */
export function rowsOf({ submission }: Decoded): EventRow[] {
  const rows: EventRow[] = [];
  if (submission !== null) decodeBatch(encodeBatch([submission]), (row) => rows.push(row));
  return rows;
}

/** The dead letters: reason and raw text. */
export function lettersOf({ aside }: Decoded): { reason: string; raw: string }[] {
  if (aside === undefined) return [];
  return decodeGroups(encodeBatch([aside])).flatMap(({ rows, start, fields }) =>
    Array.from({ length: rows }, (_, row) => ({
      reason: fields[start + 2 * row] as string,
      raw: JSON.parse(fields[start + 2 * row + 1] as string),
    }))
  );
}

/** The outcome of an admitted request, as the HTTP layer hands it to `accepted`. */
export function outcomeOf(sent: Sent, decoded: Decoded, more: Partial<Outcome> = {}): Outcome {
  const accepted = decoded.submission?.events ?? 0, aside = decoded.aside?.events ?? 0;
  const events = accepted + aside;
  return {
    admission: {
      events,
      accepted: events,
      duplicates: 0,
      first: 0,
      sequence: events,
      isReplay: false,
    },
    level: "committed",
    decoded,
    head: headOf(sent),
    preference: null,
    receiptId: () => "run-0-1",
    ...more,
  };
}
