/** Counts the events that came, by the protocol they came by. */

/** What events count under that came by no protocol: dead letters that could not be replayed. */
const REPLAY = "replay";

/** See the head of this file. */
export class ReceivedCounts {
  readonly #events = new Map<string, number>();

  /**
   * Counts events; `protocol` is as in a submission: what follows a `/` is left out, since clients
   * choose it. Null if they came by none.
   */
  add(protocol: string | null, events: number): void {
    const name = protocol === null ? REPLAY : protocolName(protocol);
    this.#events.set(name, (this.#events.get(name) ?? 0) + events);
  }

  /** The events so far of each protocol that had any. */
  get events(): ReadonlyMap<string, number> {
    return this.#events;
  }
}

function protocolName(protocol: string): string {
  const slash = protocol.indexOf("/");
  return slash < 0 ? protocol : protocol.slice(0, slash);
}
