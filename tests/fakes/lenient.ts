/** Native requests that prefer to be handled leniently, and what becomes of them. */

import type { Decoded, ProtocolLimits } from "../../lib/protocol.ts";
import { nativeProtocol } from "../../lib/protocols/native.ts";
import { decoded, lettersOf, LIMITS, rowsOf, type Sent } from "./decoding.ts";
import { eventText } from "./native.ts";

const TYPES = { lines: "application/x-ndjson", array: "application/json" } as const;

/** A request for lenient handling, or with another preference. */
export function sent(format: keyof typeof TYPES, body: string, prefer = "handling=lenient"): Sent {
  return { target: "/events", headers: { "content-type": TYPES[format], prefer }, body };
}

/** What becomes of a body that is to be handled leniently; throws if it is refused. */
export function lenient(
  format: keyof typeof TYPES,
  body: string,
  limits: Partial<ProtocolLimits> = {},
): Decoded {
  return decoded(nativeProtocol({ ...LIMITS, ...limits }), sent(format, body));
}

/** The text of a good event. */
export const good = (user: number, more: Readonly<Record<string, string>> = {}): string =>
  eventText({ user_id: String(user), ...more });
/** The text of a bad one. */
export const BAD = '{"user_id":true,"timestamp":"2026-11-24T11:03:40Z","metadata":{}}';
/** The users of the good events. */
export const users = (outcome: Decoded): number[] =>
  rowsOf(outcome).map(({ userId }) => Number(userId));
/** The raw texts of the bad ones. */
export const raws = (outcome: Decoded): string[] => lettersOf(outcome).map(({ raw }) => raw);
/** Where the bad events are said to be, and what is wrong with them. */
export const places = ({ problems = [] }: Decoded): string[] =>
  problems.map(({ index, line, pointer, code }) => `${index ?? line} ${pointer} ${code}`);
