/** Whether the database holds what was acknowledged, each event once. */

import { DatabaseSync } from "node:sqlite";
import { eventId } from "./client.ts";

/** Which events of a run were acknowledged. */
export class Acknowledged {
  /** Name of the run, as {@linkcode eventId} takes it. */
  readonly run: string;
  readonly #events: number;
  /** For each client the sequence at which each of its acknowledged requests begins. */
  readonly #requests: number[][] = [];

  /** `events` is how many each request holds. */
  constructor(run: string, events: number) {
    this.run = run;
    this.#events = events;
  }

  /** Notes a request that was answered as accepted. */
  add(client: number, sequence: number): void {
    (this.#requests[client] ??= []).push(sequence);
  }

  /** The ids of the events. */
  *ids(): Generator<string> {
    for (const [client, requests] of this.#requests.entries()) {
      for (const sequence of requests ?? []) {
        for (let i = 0; i < this.#events; i++) yield eventId(this.run, client, sequence + i);
      }
    }
  }
}

/** The result of the check, in events. */
export interface StoredCheck {
  /** Whether each acknowledged event is there, and none of the run twice. */
  readonly isRight: boolean;
  /** One sentence. */
  readonly verdict: string;
}

/** Reads all events of the run from the database. */
export function checkStored(path: string, acknowledged: Acknowledged): StoredCheck {
  let stored: Map<string, number>;
  try {
    stored = storedTimes(path, acknowledged.run);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { isRight: false, verdict: `${path} cannot be checked: ${why}` };
  }
  const twice = stored.values().filter((times) => times > 1).toArray().length;
  let all = 0, missing = 0;
  for (const id of acknowledged.ids()) {
    all++;
    if (!stored.has(id)) missing++;
  }
  const others = stored.size - (all - missing);
  const verdict = `stored ${all - missing} of ${all} acknowledged, ${missing} missing, ` +
    `${twice} twice${others === 0 ? "" : `; and ${others} that were not acknowledged`}`;
  return { isRight: missing === 0 && twice === 0, verdict };
}

/** How many times each event of the run is there. */
function storedTimes(path: string, run: string): Map<string, number> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [from, to] = [`${run}-`, `${run}.`]; // "." comes after "-": all ids that begin with `from`
    const rows = database.prepare(
      "SELECT event_id, count(*) AS times FROM events WHERE event_id > ? AND event_id < ? GROUP BY 1",
    ).iterate(from, to);
    const times = new Map<string, number>();
    for (const row of rows) times.set(String(row.event_id), Number(row.times));
    return times;
  } finally {
    database.close();
  }
}
