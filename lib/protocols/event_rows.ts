/**
 * Gathers the events of one request as rows, and those that can not be stored as dead letters. For
 * the protocols whose events fill all columns.
 */

import type { EventProblem } from "../errors.ts";
import { FORBIDDEN_IN_FIELDS, type Submission } from "../event.ts";
import type { DecodeContext, Decoded } from "../protocol.ts";
import { DeadLetters } from "./dead_letters.ts";

/** One event, as its protocol has it. */
export interface EventFields {
  /** The user's id as sent; empty if there is none. */
  readonly actor: string;
  /** RFC 3339 in UTC. */
  readonly timestamp: string;
  /** JSON text: the whole event as sent. */
  readonly metadata: string;
  /** Event name; empty if there is none. */
  readonly type: string;
  /** The producer's id, checked by {@linkcode isEventId}; empty if it gave none. */
  readonly eventId: string;
}

/** Where the events come from. */
export interface EventRowsOptions {
  /** See `Submission.protocol`. */
  readonly protocol: string;
  /** Of the request. */
  readonly context: DecodeContext;
  /** Length of the body, in bytes. */
  readonly bodyBytes: number;
}

/** Longest event id, in characters. */
export const EVENT_ID_LENGTH_MAX = 1024;
const FIELD_LENGTH_MAX = 1024;
/** Memory an event takes beside the bytes of its body. */
const EVENT_OVERHEAD_BYTES = 300;

/** See the head of this file. */
export class EventRows {
  readonly #options: EventRowsOptions;
  readonly #fields: string[] = [];
  readonly #letters = new DeadLetters();
  #events = 0;

  /** Holds no event yet. */
  constructor(options: EventRowsOptions) {
    this.#options = options;
  }

  /** How many events were added, those that were set aside included. */
  get events(): number {
    return this.#events + this.#letters.count;
  }

  /** Adds an event. What a column can not hold is left out of it: `metadata` has it as sent. */
  add({ actor, timestamp, metadata, type, eventId }: EventFields): void {
    const user = asField(actor);
    this.#fields.push(integerUser(user), timestamp, metadata, user, asField(type), eventId);
    this.#events++;
  }

  /** Adds an event that can not be stored: its raw text becomes a dead letter. */
  setAside(raw: string, problem: EventProblem): void {
    this.#letters.add(raw, problem);
  }

  /** All of them. */
  finish(): Decoded {
    const events = this.#submission(this.#events, this.#fields);
    const { count, fields, problems } = this.#letters;
    const aside = this.#submission(count, fields);
    return aside === null ? { submission: events } : { submission: events, aside, problems };
  }

  #submission(events: number, fields: readonly string[]): Submission | null {
    if (events === 0) return null;
    const { protocol, context: { receivedAt, source }, bodyBytes } = this.#options;
    const part = events / this.events; // of the body; its strings may take 2 bytes a character
    const bytes = Math.ceil(3 * bodyBytes * part) + events * EVENT_OVERHEAD_BYTES;
    return { events, bytes, receivedAt, source, protocol, fields, body: "", splitBody: noText };
  }
}

/** Whether a text can be an event id: 1 to 1,024 characters, none of them a control character. */
export function isEventId(text: string): boolean {
  return text !== "" && text.length <= EVENT_ID_LENGTH_MAX && !FORBIDDEN_IN_FIELDS.test(text) &&
    text.isWellFormed();
}

/** A text as a column holds it; empty if it can not. */
function asField(text: string): string {
  const canHold = text.length <= FIELD_LENGTH_MAX && !FORBIDDEN_IN_FIELDS.test(text) &&
    text.isWellFormed();
  return canHold ? text : "";
}

/** A user id that is a safe integer in its usual spelling, as a number in the text; empty if not. */
export function integerUser(actor: string): string {
  return /^(?:0|-?[1-9]\d{0,15})$/.test(actor) && Number.isSafeInteger(Number(actor)) ? actor : "";
}

function noText(): readonly string[] {
  return [];
}
