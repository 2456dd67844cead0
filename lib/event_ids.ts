/**
 * Recognises events that were admitted before, by the id their producer gave them, within their
 * source and among the most recent ids. It is filled from the database and the journal before the
 * first request, so a repeat is recognised across restarts and crashes too.
 */

import { EVENT_ID_FIELD, fieldsPerRow, type Submission } from "./event.ts";
import { fingerprint, scopeSeed, type Seed } from "./fingerprint.ts";
import { RecentKeys } from "./recent_keys.ts";

/** Words of a fingerprint. */
export const FINGERPRINT_WORDS = 4;

/** See the head of this file. */
export class EventIds {
  readonly #recent: RecentKeys | null;
  readonly #scopes: SourceSeeds;
  readonly #fingerprint = new Uint32Array(FINGERPRINT_WORDS);

  /**
   * Remembers what it starts with.
   *
   * @param capacity How many ids it remembers; 0 for none, then nothing is a duplicate.
   * @param seed Of the fingerprints, 4 words.
   * @param ids The fingerprints to start with, the oldest first.
   */
  constructor(capacity: number, seed: Seed, ids: Uint32Array) {
    this.#recent = capacity === 0 ? null : new RecentKeys({ capacity });
    this.#scopes = new SourceSeeds(seed);
    for (let at = 0; at < ids.length; at += FINGERPRINT_WORDS) this.#recent?.add(ids, at);
  }

  /** How many ids it remembers now. */
  get size(): number {
    return this.#recent?.size ?? 0;
  }

  /**
   * The submission without the events whose id is remembered, and remembers the others; of an id
   * that comes twice the first event stays. Null if no event is left.
   */
  keepNew(submission: Submission): Submission | null {
    const width = fieldsPerRow(submission);
    const idField = EVENT_ID_FIELD[width];
    const recent = this.#recent;
    if (idField < 0 || recent === null) return submission;
    const seed = this.#scopes.get(submission.source);
    const { fields, events } = submission;
    const key = this.#fingerprint;
    let kept: number[] | null = null; // null as long as all are
    for (let event = 0; event < events; event++) {
      const id = fields[event * width + idField] as string;
      if (id !== "") {
        fingerprint(id, seed, key, 0);
        if (recent.find(key) >= 0) {
          kept ??= Array.from({ length: event }, (_, index) => index);
          continue;
        }
        recent.add(key);
      }
      kept?.push(event);
    }
    return kept === null ? submission : kept.length === 0 ? null : only(submission, kept);
  }
}

/** The seeds of the sources that were met, made once. */
export class SourceSeeds {
  readonly #seed: Seed;
  readonly #bySource = new Map<string, Seed>();

  /** `seed` is the database's. */
  constructor(seed: Seed) {
    this.#seed = seed;
  }

  /** The seed for what comes through a source. */
  get(source: string): Seed {
    let seed = this.#bySource.get(source);
    if (seed === undefined) this.#bySource.set(source, seed = scopeSeed(source, this.#seed));
    return seed;
  }
}

/** A submission with only these of its events. */
function only(submission: Submission, kept: readonly number[]): Submission {
  const { fields, splitBody } = submission;
  const width = fieldsPerRow(submission);
  return {
    ...submission,
    events: kept.length,
    fields: kept.flatMap((event) => fields.slice(event * width, (event + 1) * width)),
    splitBody: (body) => {
      const raw = splitBody(body);
      return kept.map((event) => raw[event] ?? "");
    },
  };
}
