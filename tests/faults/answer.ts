/** One attempt: posts events and says what the answer, or its absence, makes of them. */

import type { MadeEvent } from "./events.ts";
import type { Outcome } from "./oracle.ts";

/** What became of an attempt. */
export interface Answer {
  readonly outcome: Outcome;
  /** 0 if there was no answer. */
  readonly status: number;
  /** How many of the events were known before, as the answer says. */
  readonly duplicates: number;
  /** Whether it is the answer to a request whose Idempotency-Key came before. */
  readonly isReplay: boolean;
  /** What is wrong with the answer itself; null if nothing is. */
  readonly complaint: string | null;
}

/** How to post. */
export interface PostOptions {
  /** Value of the `Prefer` header; empty for none. */
  readonly prefer?: string;
  /** Value of the `Idempotency-Key` header; empty for none. */
  readonly key?: string;
  readonly timeoutMs: number;
}

const STORED: Readonly<Record<string, Outcome>> = {
  committed: "durable",
  journaled: "durable",
  queued: "accepted",
};

/** Posts events as one request: one event as JSON, more as lines. Never throws. */
export async function post(
  url: string,
  events: readonly MadeEvent[],
  { prefer = "", key = "", timeoutMs }: PostOptions,
): Promise<Answer> {
  const headers = new Headers({
    "content-type": events.length === 1 ? "application/json" : "application/x-ndjson",
  });
  if (prefer !== "") headers.set("prefer", prefer);
  if (key !== "") headers.set("idempotency-key", key);
  try {
    const response = await fetch(`${url}/${events.length === 1 ? "event" : "events"}`, {
      method: "POST",
      headers,
      body: new Blob([events.map(({ json }) => json).join("\n")]), // fetch would resend a text itself
      signal: AbortSignal.timeout(timeoutMs),
    });
    const isReplay = response.headers.get("idempotency-replayed") === "true";
    return { ...classify(response.status, await response.text()), isReplay };
  } catch {
    return { ...classify(0, ""), complaint: null };
  }
}

/** What an answer says of the events of its request. */
export function classify(status: number, text: string): Answer {
  const { stored, duplicates = 0 } = parse(text);
  const answer = (outcome: Outcome, complaint: string | null = null) => ({
    outcome,
    status,
    duplicates,
    isReplay: false,
    complaint: complaint === null ? null : `${complaint}: ${status} ${text.slice(0, 200)}`,
  });
  if (status === 200 || status === 202) {
    const outcome = STORED[stored ?? ""];
    return outcome === undefined ? answer("unknown", "a 2xx without a level") : answer(outcome);
  }
  if (status === 0 || status === 409 || (status >= 500 && status !== 503)) {
    return stored === "none" ? answer("unknown", "an unknown that says none") : answer("unknown");
  }
  if (stored !== "none") return answer("refused", "a refusal that does not say stored: none");
  return answer("refused");
}

function parse(text: string): { readonly stored?: string; readonly duplicates?: number } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
