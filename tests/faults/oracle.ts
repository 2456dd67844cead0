/**
 * The judge of every fault: compares what is stored with what was sent and how it was answered.
 *
 * O1 every durable event is there once, unaltered. O2 no refused one is there. O3 nothing is there
 * that was not sent, and nothing twice. O4 of the accepted ones at most so many are missing. O6 the
 * database is sound. (The numbers are those of reliability.md; O5, the residual, is asked of a
 * running collector.)
 */

import { hashOf, type MadeEvent } from "./events.ts";
import { query, type StoredEvent } from "../e2e/rows.ts";

/** What an answer, or none, says of an event. */
export type Outcome = "durable" | "accepted" | "refused" | "unknown";

/** The part of a row that is judged. */
export type JudgedRow = Pick<StoredEvent, "user_id" | "timestamp" | "metadata" | "event_id">;

/** What may be missing. */
export interface Tolerance {
  /** Most accepted (202 queued) events that may be missing. */
  readonly acceptedLostMax: number;
}

interface Entry {
  readonly event: MadeEvent;
  attempts: number;
  readonly outcomes: Record<Outcome, number>;
}

/** What was sent, and each answer to it. */
export class EventLog {
  readonly #entries = new Map<string, Entry>();
  /** What was wrong with answers themselves. */
  readonly complaints: string[] = [];

  /** How many events were sent. */
  get count(): number {
    return this.#entries.size;
  }

  /** To be called before each attempt: an attempt without an answer is unknown. */
  sending(events: readonly MadeEvent[]): void {
    for (const event of events) {
      const entry = this.#entries.get(event.key);
      if (entry !== undefined) entry.attempts++;
      else {
        const outcomes = { durable: 0, accepted: 0, refused: 0, unknown: 0 };
        this.#entries.set(event.key, { event, attempts: 1, outcomes });
      }
    }
  }

  /** To be called when an attempt has ended. */
  ended(events: readonly MadeEvent[], outcome: Outcome): void {
    for (const { key } of events) {
      const entry = this.#entries.get(key);
      if (entry === undefined) throw new RangeError(`event ${key} was never sent`);
      entry.outcomes[outcome]++;
    }
  }

  /** What is known of an event after all attempts; undefined if it was never sent. */
  outcome(key: string): Outcome | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const { attempts, outcomes } = entry;
    if (outcomes.durable > 0) return "durable";
    if (outcomes.accepted > 0) return "accepted";
    return outcomes.refused === attempts ? "refused" : "unknown";
  }

  /** All events that ended so, or all. */
  events(outcome?: Outcome): MadeEvent[] {
    const all = [...this.#entries.values()].map(({ event }) => event);
    return outcome === undefined ? all : all.filter(({ key }) => this.outcome(key) === outcome);
  }

  /** The event of that key. */
  get(key: string): MadeEvent | undefined {
    return this.#entries.get(key)?.event;
  }

  /** Another log of the same: what happens after is told to it alone. */
  copy(): EventLog {
    const log = new EventLog();
    for (const [key, { event, attempts, outcomes }] of this.#entries) {
      log.#entries.set(key, { event, attempts, outcomes: { ...outcomes } });
    }
    log.complaints.push(...this.complaints);
    return log;
  }
}

/** Every violation, in words; none if all is well. */
export function check(
  rows: Iterable<JudgedRow>,
  log: EventLog,
  { acceptedLostMax }: Tolerance = { acceptedLostMax: 0 },
): string[] {
  const violations = [...log.complaints];
  const present = new Set<string>();
  for (const row of rows) {
    const { key, hash } = read(row);
    const sent = key === null ? undefined : log.get(key);
    if (key === null || sent === undefined) {
      violations.push(`O3: a row that nobody sent: ${JSON.stringify(row.metadata).slice(0, 100)}`);
      continue;
    }
    const outcome = log.outcome(key);
    if (present.has(key)) violations.push(`O3: ${key} (${outcome}) is there twice`);
    present.add(key);
    if (hash !== sent.hash) violations.push(`O1: ${key} (${outcome}) is altered`);
    if (outcome === "refused") violations.push(`O2: ${key} was refused and is there`);
  }
  const isMissing = ({ key }: MadeEvent) => !present.has(key);
  for (const { key } of log.events("durable").filter(isMissing)) {
    violations.push(`O1: ${key} was answered as durable and is missing`);
  }
  const lost = log.events("accepted").filter(isMissing).length;
  if (lost > acceptedLostMax) {
    violations.push(`O4: ${lost} accepted are missing, ${acceptedLostMax} may be`);
  }
  return violations;
}

/** The same for a database that no collector has open. */
export function checkDatabase(path: string, log: EventLog, tolerance?: Tolerance): string[] {
  const integrity = query<{ integrity_check: string }>(path, "PRAGMA integrity_check");
  const unsound = integrity.map((row) => row.integrity_check).filter((text) => text !== "ok");
  const rows = query<JudgedRow>(path, "SELECT user_id, timestamp, metadata, event_id FROM events");
  const deadLetters = query<{ reason: string }>(path, "SELECT reason FROM dead_letters");
  return [
    ...unsound.map((text) => `O6: ${text}`),
    ...deadLetters.map(({ reason }) => `O1: a dead letter: ${reason}`),
    ...check(rows, log, tolerance),
  ];
}

/** Throws with the first violations, if there are any. */
export function expectNone(violations: readonly string[], context = ""): void {
  if (violations.length === 0) return;
  const shown = violations.slice(0, 20).join("\n  ");
  throw new Error(`${violations.length} violations ${context}:\n  ${shown}`);
}

function read(row: JudgedRow): { readonly key: string | null; readonly hash: string } {
  try {
    const { client, sequence, payload } = JSON.parse(row.metadata);
    const { timestamp, event_id: id } = row;
    const hash = hashOf({ userId: String(row.user_id), timestamp, id, payload });
    return { key: `${client}/${sequence}`, hash };
  } catch {
    return { key: null, hash: "" };
  }
}
