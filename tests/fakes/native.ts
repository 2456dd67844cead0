/** Decodes native bodies as the handler would, and shows the outcome as the tests like it. */

import { isRefusal, type Refusal } from "../../lib/errors.ts";
import { decodeBatch, encodeBatch, type EventRow, type Submission } from "../../lib/event.ts";
import { nativeProtocol } from "../../lib/protocols/native.ts";
import type { ProtocolLimits } from "../../lib/protocol.ts";

/** A timestamp that is fine. */
export const TIME = "2026-11-24T11:03:40Z";

/** Where and as what a body is sent. */
export type Format = "event" | "array" | "lines";

/** All formats. */
export const FORMATS: readonly Format[] = ["event", "array", "lines"];

const LIMITS: ProtocolLimits = { maxRequestEvents: 10_000, maxEventBytes: 1e6 };
const RECEIVED_AT = 1_700_000_000_000;

/** An event as text; each member is given as text too. */
export function eventText(members: Readonly<Record<string, string>> = {}): string {
  const all = { user_id: "1", timestamp: `"${TIME}"`, metadata: "{}", ...members };
  return `{${Object.entries(all).map(([name, text]) => `"${name}":${text}`).join()}}`;
}

/** What the decoder of the format makes of the body. */
export function decode(
  format: Format,
  body: string,
  limits: Partial<ProtocolLimits> = {},
): Submission | Refusal {
  const path = format === "event" ? "/event" : "/events";
  const route = nativeProtocol({ ...LIMITS, ...limits }).routes.get(path);
  const type = format === "lines" ? "application/x-ndjson" : "application/json";
  const decode = route?.formats.get(type)?.decode;
  if (decode === undefined) throw new TypeError(`no decoder for ${format}`);
  // deno-lint-ignore no-control-regex -- ASCII includes control characters
  const isAscii = /^[\x00-\x7f]*$/.test(body);
  const head = { path, query: "", headers: new Headers() };
  const context = { receivedAt: RECEIVED_AT, isAscii, source: "native", head };
  const outcome = decode(new TextEncoder().encode(body), context);
  return isRefusal(outcome) ? outcome : outcome.submission as Submission;
}

/** The submission; throws if the body was refused. */
export function accepted(
  format: Format,
  body: string,
  limits: Partial<ProtocolLimits> = {},
): Submission {
  const outcome = decode(format, body, limits);
  if (isRefusal(outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** The refusal; throws if the body was accepted. */
export function refused(
  format: Format,
  body: string,
  limits: Partial<ProtocolLimits> = {},
): Refusal {
  const outcome = decode(format, body, limits);
  if (!isRefusal(outcome)) throw new Error(`accepted: ${outcome.fields}`);
  return outcome;
}

/** The rows of a submission as the store will see them. */
export function rowsOf(submission: Submission): EventRow[] {
  const rows: EventRow[] = [];
  decodeBatch(encodeBatch([submission]), (row) => rows.push(row));
  return rows;
}

/** The problems in short: code and pointer. */
export function problems(refusal: Refusal): string[] {
  return (refusal.errors ?? []).map(({ code, pointer }) => `${code} ${pointer}`);
}

/** The raw text of the events of a submission, in the order of its rows. */
export function rawEvents({ body, splitBody }: Submission): readonly string[] {
  return splitBody(Uint8Array.from(body, (char) => char.charCodeAt(0)));
}
