/** One client: makes the body of a request, posts it, and posts it again when it is told to. */

import { pause } from "./pause.ts";

/** How long a refused request is sent again, from its first try. */
export const PATIENCE_MS = 120_000;

/** How a request ended. */
export type Outcome =
  | { readonly kind: "accepted"; readonly latencyMs: number; readonly duplicates: number }
  /** Certainly not accepted. */
  | { readonly kind: "failed"; readonly label: string }
  /** Sent, but what became of it is not known. */
  | { readonly kind: "unknown"; readonly label: string }
  /** Refused and told to come back, but the run ended before. */
  | { readonly kind: "cut-short" };

/** Where the requests go. */
export interface Target {
  readonly url: string;
  readonly contentType: string;
  readonly timeoutMs: number;
}

/** Who sends which events. */
export interface BodySource {
  /** The same for all events of a run. */
  readonly run: string;
  readonly client: number;
  /** Number of the first event, among those of this client. */
  readonly sequence: number;
  readonly events: number;
  readonly atMs: number;
  /** Whether each event carries the id that {@linkcode eventId} gives. */
  readonly ids: boolean;
}

/** How a request is delivered. */
export interface DeliverOptions {
  /** The latency counts from here, as `performance.now()`; null for the start of the try. */
  readonly dueMs: number | null;
  /** Ends the waits, not a request under way. */
  readonly signal: AbortSignal;
  /** Told when it starts to wait (1) and when it has waited (-1). */
  readonly onWaiting: (change: 1 | -1) => void;
  /** Told of each try but the first: after a refusal, or after an outcome that is not known. */
  readonly onRetry: (after: "refusal" | "unknown") => void;
  /** Whether it may be sent again after an outcome that is not known: its events have ids. */
  readonly mayRepeat: boolean;
}

type Answer =
  | {
    readonly kind: "answered";
    readonly status: number;
    readonly retryAfterMs: number | null;
    readonly duplicates: number;
  }
  | { readonly kind: "failed" | "unknown"; readonly label: string };

const REPEAT_PAUSE_MS = 200;

/** Where a batch of this size is posted, and as what. */
export function target(
  { url, batch, timeoutMs }: { url: string; batch: number; timeoutMs: number },
): Target {
  return batch === 1
    ? { url: `${url}/event`, contentType: "application/json", timeoutMs }
    : { url: `${url}/events`, contentType: "application/x-ndjson", timeoutMs };
}

/** One event a line, each about 150 bytes and different from any other. */
export function makeBody(source: BodySource): string {
  const { run, client, sequence, events, atMs, ids } = source;
  const timestamp = new Date(atMs).toISOString();
  const lines: string[] = [];
  for (let i = sequence; i < sequence + events; i++) {
    const item = (client * 7919 + i * 104_729) % 10_000;
    const id = ids ? `"id":"${eventId(run, client, i)}",` : "";
    lines.push(
      `{${id}"user_id":${10_000 + client},"timestamp":"${timestamp}","metadata":{"run":"${run}",` +
        `"client":${client},"sequence":${i},"action":"view","path":"/products/${item}"}}`,
    );
  }
  return lines.join("\n");
}

/** The id of an event: that of its run, then its place in it. */
export function eventId(run: string, client: number, sequence: number): string {
  return `${run}-${client}-${sequence}`;
}

/**
 * Posts a body until it is accepted, or refused without a word on when to come back. What may be
 * repeated is posted until it is known what became of it, even after the signal.
 */
export async function deliver(
  target: Target,
  body: string,
  options: DeliverOptions,
): Promise<Outcome> {
  const { dueMs, signal, onWaiting, onRetry } = options;
  const giveUpMs = performance.now() + PATIENCE_MS;
  let hasUnknown = false;
  for (let isRetry = false;; isRetry = true) {
    const startMs = isRetry ? performance.now() : dueMs ?? performance.now();
    const answer = await post(target, body);
    const nowMs = performance.now();
    const step = next(answer, options.mayRepeat);
    if (step.kind === "accepted") {
      return { kind: "accepted", latencyMs: nowMs - startMs, duplicates: step.duplicates };
    }
    hasUnknown ||= step.kind === "unknown";
    const { label, retryAfterMs } = step;
    if (retryAfterMs === null || nowMs + retryAfterMs > giveUpMs) {
      return { kind: hasUnknown ? "unknown" : "failed", label };
    }
    onWaiting(1);
    await pause(retryAfterMs, hasUnknown ? NEVER : signal);
    onWaiting(-1);
    if (signal.aborted && !hasUnknown) return { kind: "cut-short" };
    onRetry(step.after);
  }
}

const NEVER = new AbortController().signal;

type Step =
  | { readonly kind: "accepted"; readonly duplicates: number }
  | {
    readonly kind: "failed" | "unknown";
    readonly label: string;
    /** Null: not again. */
    readonly retryAfterMs: number | null;
    readonly after: "refusal" | "unknown";
  };

/** What an answer means, and whether to send the request again. */
function next(answer: Answer, mayRepeat: boolean): Step {
  const repeat = { retryAfterMs: mayRepeat ? REPEAT_PAUSE_MS : null, after: "unknown" } as const;
  if (answer.kind !== "answered") return { ...answer, ...repeat };
  const { status, retryAfterMs, duplicates } = answer;
  if (status === 202) return { kind: "accepted", duplicates };
  const label = String(status);
  return isRefusal(status)
    ? { kind: "failed", label, retryAfterMs, after: "refusal" }
    : { kind: "unknown", label, ...repeat };
}

/** The wait a Retry-After asks for: seconds or a date (RFC 9110 §10.2.3); null if it is neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

/** What became of a request that got no answer; only one that never connected was surely not taken. */
export function describeFailure(error: unknown): { kind: "failed" | "unknown"; label: string } {
  if (!(error instanceof Error)) return { kind: "unknown", label: "unknown error" };
  const { message } = error.cause instanceof Error ? error.cause : error;
  const label = message.slice(message.lastIndexOf(": ") + 1).replace(/\(os error \d+\)/, "").trim();
  return { kind: message.includes("client error (Connect)") ? "failed" : "unknown", label };
}

/** Whether the status says that nothing was taken; after a 500 or 502 one cannot know. */
function isRefusal(status: number): boolean {
  return (status >= 300 && status < 500) || status === 503;
}

async function post({ url, contentType, timeoutMs }: Target, body: string): Promise<Answer> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": contentType },
      body: new Blob([body]), // text would be sent a second time, unseen, if the connection breaks
      redirect: "manual",
      signal: abort.signal,
    });
    const text = await response.text(); // frees the connection for the next request
    const mayRetry = response.status === 503 || response.status === 429;
    const header = mayRetry ? response.headers.get("retry-after") : null;
    return {
      kind: "answered",
      status: response.status,
      retryAfterMs: retryAfterMs(header, Date.now()),
      duplicates: Number(/"duplicates":(\d+)/.exec(text)?.[1] ?? 0),
    };
  } catch (error) {
    return abort.signal.aborted ? { kind: "unknown", label: "timeout" } : describeFailure(error);
  } finally {
    clearTimeout(timer);
  }
}
