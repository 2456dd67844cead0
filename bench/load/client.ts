/** One client: makes the body of a request, posts it, and posts it again when it is told to. */

import { pause } from "./pause.ts";

/** How long a refused request is sent again, from its first try. */
export const PATIENCE_MS = 120_000;

/** How a request ended. */
export type Outcome =
  | { readonly kind: "accepted"; readonly latencyMs: number }
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
}

/** How a request is delivered. */
export interface DeliverOptions {
  /** The latency counts from here, as `performance.now()`; null for the start of the try. */
  readonly dueMs: number | null;
  /** Ends the waits, not a request under way. */
  readonly signal: AbortSignal;
  /** Told when it starts to wait (1) and when it has waited (-1). */
  readonly onWaiting: (change: 1 | -1) => void;
  /** Told of each try but the first. */
  readonly onRetry: () => void;
}

type Answer =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs: number | null }
  | { readonly kind: "failed" | "unknown"; readonly label: string };

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
  const { run, client, sequence, events, atMs } = source;
  const timestamp = new Date(atMs).toISOString();
  const lines: string[] = [];
  for (let i = sequence; i < sequence + events; i++) {
    const item = (client * 7919 + i * 104_729) % 10_000;
    lines.push(
      `{"user_id":${10_000 + client},"timestamp":"${timestamp}","metadata":{"run":"${run}",` +
        `"client":${client},"sequence":${i},"action":"view","path":"/products/${item}"}}`,
    );
  }
  return lines.join("\n");
}

/** Posts a body until it is accepted, or refused without a word on when to come back. */
export async function deliver(
  target: Target,
  body: string,
  options: DeliverOptions,
): Promise<Outcome> {
  const { dueMs, signal, onWaiting, onRetry } = options;
  const giveUpMs = performance.now() + PATIENCE_MS;
  for (let isRetry = false;; isRetry = true) {
    if (isRetry) onRetry();
    const startMs = isRetry ? performance.now() : dueMs ?? performance.now();
    const answer = await post(target, body);
    if (answer.kind !== "answered") return answer;
    const { status, retryAfterMs } = answer;
    const nowMs = performance.now();
    if (status === 202) return { kind: "accepted", latencyMs: nowMs - startMs };
    if (!isRefusal(status)) return { kind: "unknown", label: String(status) };
    if (retryAfterMs === null || nowMs + retryAfterMs > giveUpMs) {
      return { kind: "failed", label: String(status) };
    }
    onWaiting(1);
    await pause(retryAfterMs, signal);
    onWaiting(-1);
    if (signal.aborted) return { kind: "cut-short" };
  }
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
    await response.arrayBuffer(); // frees the connection for the next request
    const mayRetry = response.status === 503 || response.status === 429;
    const header = mayRetry ? response.headers.get("retry-after") : null;
    return {
      kind: "answered",
      status: response.status,
      retryAfterMs: retryAfterMs(header, Date.now()),
    };
  } catch (error) {
    return abort.signal.aborted ? { kind: "unknown", label: "timeout" } : describeFailure(error);
  } finally {
    clearTimeout(timer);
  }
}
