/** What the native protocol answers, and what a request may prefer (RFC 7240). */

import type { Answer, Outcome, Preference, RequestHead } from "../protocol.ts";
import { RECEIPTS_PATH } from "../receipt.ts";
import { jsonAnswer } from "./answers.ts";

const PREFER_LENGTH_MAX = 256;

/** The answer to an admitted request; `members` come after its status. */
export function acceptedAnswer(outcome: Outcome, members: string): Answer {
  const { admission: { duplicates, isReplay }, level, decoded, preference } = outcome;
  const body = `{"status":"accepted",${members}"stored":"${level}"` +
    (duplicates === 0 ? "" : `,"duplicates":${duplicates}`) +
    (decoded.aside === undefined ? "}" : `,${rejectedMembers(outcome)}}`);
  if (preference === null && !isReplay && decoded.aside === undefined) return jsonAnswer(202, body);
  const isCommitted = preference?.kind === "wait" && level === "committed";
  return jsonAnswer(isCommitted ? 200 : 202, body, headersOf(outcome));
}

function rejectedMembers({ decoded: { aside, problems } }: Outcome): string {
  return `"rejected":${aside?.events},"errors":${JSON.stringify(problems)}`;
}

function headersOf({ admission, level, decoded, preference, receiptId }: Outcome) {
  const headers: Record<string, string> = {}, applied: string[] = [];
  if (preference?.kind === "wait") applied.push(`wait=${preference.seconds}`);
  else if (preference !== null) applied.push(preference.kind);
  if (decoded.aside !== undefined) applied.push(LENIENT);
  if (applied.length > 0) headers["preference-applied"] = applied.join(", ");
  const isCommitted = preference?.kind === "wait" && level === "committed";
  if (preference !== null && !isCommitted) headers.location = RECEIPTS_PATH + receiptId();
  if (admission.isReplay) headers["idempotency-replayed"] = "true";
  return headers;
}

/** When the request prefers to be answered, `wait` first (RFC 7240 §4.3); null if it does not say. */
export function preferenceOf(head: RequestHead): Preference | null {
  const header = head.headers.get("prefer");
  if (header === null || header.length > PREFER_LENGTH_MAX) return null;
  const parts = preferences(header);
  for (const part of parts) {
    const wait = /^wait\s*=\s*"?(\d{1,15})"?$/.exec(part)?.[1];
    if (wait !== undefined) return { kind: "wait", seconds: Number(wait) };
  }
  return parts.includes("respond-async") ? { kind: "respond-async" } : null;
}

const LENIENT = "handling=lenient";

/** Whether the good events of a request are to be stored though others are bad (RFC 7240 §4.4). */
export function isLenient(head: RequestHead): boolean {
  const header = head.headers.get("prefer");
  if (header === null || header.length > PREFER_LENGTH_MAX) return false;
  return preferences(header).some((part) => part.replaceAll(/[\s"]/g, "") === LENIENT);
}

function preferences(header: string): string[] {
  return header.toLowerCase().split(/[,;]/).map((part) => part.trim());
}
