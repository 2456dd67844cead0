/** What the clients of a simulation sent, and what they were told of it. */

import type { Admission } from "../../lib/admission.ts";
import type { Submission } from "../../lib/event.ts";
import type { KeyedRequest } from "../../lib/idempotency.ts";
import type { EventSpec } from "./steps.ts";

/** An event, the same however often it is sent. */
export interface SentEvent {
  readonly n: number;
  readonly id: string;
  readonly metadata: string;
  /** Whether it was ever taken; if not, it must be nowhere. */
  isAdmitted: boolean;
  /** Whether a client was told that it is flushed: then it must be somewhere for ever. */
  isAcknowledged: boolean;
  /** Its place among what each run admitted. */
  readonly places: Map<string, number>;
}

/** A request, the same however often it is sent. */
export interface SentRequest {
  readonly events: readonly SentEvent[];
  readonly key: string | null;
  readonly body: string;
}

/** A request that was admitted, once. */
export interface SentAdmission extends Admission {
  readonly request: SentRequest;
  readonly run: string;
  readonly receiptId: string;
  isAcknowledged: boolean;
}

const SOURCE = "simulation";

/** See the head of this file. */
export class Clients {
  readonly events: SentEvent[] = [];
  readonly requests: SentRequest[] = [];
  readonly admissions: SentAdmission[] = [];
  #keys = 0;

  /** A new request. */
  request(specs: readonly EventSpec[], key: "none" | "new" | number): SentRequest {
    const events = specs.map((spec) => this.#event(spec));
    const keyed = this.requests.filter((request) => request.key !== null);
    const known = typeof key === "number" ? keyed[key % keyed.length]?.key ?? null : null;
    const request = {
      events,
      key: key === "new" ? `key-${++this.#keys}` : known,
      body: events.map(({ metadata }) => metadata).join("\n"),
    };
    this.requests.push(request);
    return request;
  }

  /** An earlier request that may be sent again: one that is known by its key or its events' ids. */
  again(which: number): SentRequest | null {
    const safe = this.requests.filter(({ key, events }) =>
      key !== null || events.every(({ id }) => id !== "")
    );
    return safe[safe.length - 1 - which % safe.length] ?? null;
  }

  #event(spec: EventSpec): SentEvent {
    const named = this.events.filter(({ id }) => id !== "");
    if (typeof spec === "number" && named.length > 0) {
      return named[spec % named.length] as SentEvent;
    }
    const n = this.events.length + 1;
    const event = {
      n,
      id: spec === "plain" ? "" : `id-${n}`,
      metadata: spec === "poison" ? `{"n":${n},"poison":1}` : `{"n":${n}}`,
      isAdmitted: false,
      isAcknowledged: false,
      places: new Map<string, number>(),
    };
    this.events.push(event);
    return event;
  }
}

/** A request as the decoder gives it. */
export function submissionOf({ events, body }: SentRequest, receivedAt: number): Submission {
  const hasIds = events.some(({ id }) => id !== "");
  return {
    events: events.length,
    bytes: 100 * events.length,
    receivedAt,
    source: SOURCE,
    protocol: "test",
    fields: events.flatMap(({ n, id, metadata }) => [
      String(n),
      "2026-11-24T11:03:40Z",
      metadata,
      ...hasIds ? [id] : [],
    ]),
    body,
    splitBody: (bytes) => new TextDecoder().decode(bytes).split("\n"),
  };
}

/** A request's key as the handler gives it; null if it has none. */
export function keyedOf({ key, body }: SentRequest): KeyedRequest | null {
  return key === null ? null : { source: SOURCE, key, body: new TextEncoder().encode(body) };
}
