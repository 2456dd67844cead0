/**
 * When and how an admitted request is answered: at once, once it is flushed, or once it is
 * committed, as the collector is set or the request prefers (RFC 7240).
 */

import type { Admission, Durability, Level } from "../admission.ts";
import type { Collector } from "../collector.ts";
import type { Refusal } from "../errors.ts";
import type { IngestRoute } from "../protocol.ts";

/** What it is made of. */
export interface AcknowledgeOptions {
  /** Knows how far an admission has got. */
  readonly collector: Collector;
  /** When a request without a preference is answered. */
  readonly durability: Durability;
  /** Longest wait for the flush, in ms. */
  readonly ackTimeoutMs: number;
}

/** What a request prefers; nothing is the default. */
type Preference =
  /** To be answered once it is committed, or when this time has run out. */
  | { readonly kind: "wait"; readonly seconds: number }
  /** To be answered at once. */
  | { readonly kind: "respond-async" };

const ANSWERS_MAX = 64;
/** Longest wait a request can ask for. */
const WAIT_SECONDS_MAX = 60;
const PREFER_LENGTH_MAX = 256;
/** Where receipts are asked for. */
export const RECEIPTS_PATH = "/receipts/";

/** See the head of this file. */
export class Acknowledger {
  readonly #options: AcknowledgeOptions;
  /** Answers that were given before: cloning one costs less than making one. */
  readonly #answers = new Map<string, Response>();

  /** Holds no resources. */
  constructor(options: AcknowledgeOptions) {
    this.#options = options;
  }

  /** Answers an admitted request, given its Prefer header. */
  answer(
    route: IngestRoute,
    admission: Admission,
    prefer: string | null,
  ): Response | Promise<Response | Refusal> {
    const preference = prefer === null ? null : parsePreference(prefer);
    if (preference !== null) return this.#prefer(route, admission, preference);
    return this.#options.durability === "memory"
      ? this.#respond(route, admission, "queued")
      : this.#whenFlushed(route, admission);
  }

  async #whenFlushed(route: IngestRoute, admission: Admission): Promise<Response | Refusal> {
    const { collector, ackTimeoutMs } = this.#options;
    if (!await collector.flushed(admission, ackTimeoutMs)) return UNCONFIRMED;
    return this.#respond(route, admission, collector.level(admission));
  }

  async #prefer(
    route: IngestRoute,
    admission: Admission,
    preference: Preference,
  ): Promise<Response> {
    const { collector } = this.#options;
    const headers = new Headers({ "content-type": "application/json" });
    let level: Level = "queued";
    if (preference.kind === "wait") {
      const seconds = Math.min(preference.seconds, WAIT_SECONDS_MAX);
      await collector.committed(admission, seconds * 1000);
      level = collector.level(admission);
      headers.set(APPLIED, `wait=${seconds}`);
    } else headers.set(APPLIED, preference.kind);
    const isCommitted = level === "committed";
    if (!isCommitted) headers.set("location", RECEIPTS_PATH + collector.receiptId(admission));
    if (admission.isReplay) headers.set(REPLAYED, "true");
    const body = route.accepted(admission, level);
    return new Response(body, { status: isCommitted ? 200 : 202, headers });
  }

  #respond(route: IngestRoute, admission: Admission, level: Level): Response {
    const body = route.accepted(admission, level);
    const known = admission.isReplay ? undefined : this.#answers.get(body);
    if (known !== undefined) return known.clone();
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (admission.isReplay) headers[REPLAYED] = "true";
    const answer = new Response(body, { status: 202, headers });
    if (!admission.isReplay && this.#answers.size < ANSWERS_MAX) {
      this.#answers.set(body, answer.clone());
    }
    return answer;
  }
}

const REPLAYED = "idempotency-replayed", APPLIED = "preference-applied";

/** The preference in a Prefer header that is understood, `wait` first (RFC 7240 §4.3); others are ignored. */
function parsePreference(header: string): Preference | null {
  if (header.length > PREFER_LENGTH_MAX) return null;
  const parts = header.toLowerCase().split(/[,;]/);
  for (const part of parts) {
    const wait = /^\s*wait\s*=\s*"?(\d{1,15})"?\s*$/.exec(part)?.[1];
    if (wait !== undefined) return { kind: "wait", seconds: Number(wait) };
  }
  return parts.some((part) => part.trim() === "respond-async") ? { kind: "respond-async" } : null;
}

const UNCONFIRMED: Refusal = {
  code: "unconfirmed",
  detail: "The events were not flushed to the disk in time; they may be stored later.",
};
