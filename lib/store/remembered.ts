/** What a database remembers of a batch: the fingerprints of its event ids, its requests' keys. */

import { EVENT_ID_FIELD, type RowGroup } from "../event.ts";
import { FINGERPRINT_WORDS, type SourceSeeds } from "../event_ids.ts";
import { fingerprint } from "../fingerprint.ts";
import { requestWords } from "../idempotency.ts";

/** See the head of this file. */
export interface Remembered {
  /** Fingerprints, 4 words each, in the order of the events. */
  readonly eventIds: readonly Uint32Array[];
  /** Requests, as `idempotency.ts` lays them out. */
  readonly requests: readonly Uint32Array[];
}

/** What is to be remembered of the rows of a batch. */
export function rememberedOf(groups: readonly RowGroup[], seeds: SourceSeeds): Remembered {
  return {
    eventIds: groups
      .filter(({ fieldsPerRow }) => EVENT_ID_FIELD[fieldsPerRow] >= 0)
      .map((group) => fingerprints(group, seeds)),
    requests: groups
      .filter(({ request }) => request !== "")
      .map(({ request, source }) => requestWords(request, seeds.get(source))),
  };
}

function fingerprints(group: RowGroup, seeds: SourceSeeds): Uint32Array {
  const { rows, fields, fieldsPerRow, start, source } = group;
  const seed = seeds.get(source);
  const words = new Uint32Array(rows * FINGERPRINT_WORDS);
  let end = 0;
  for (let row = 0; row < rows; row++) {
    const id = fields[start + row * fieldsPerRow + EVENT_ID_FIELD[fieldsPerRow]] as string;
    if (id === "") continue;
    fingerprint(id, seed, words, end);
    end += FINGERPRINT_WORDS;
  }
  return words.subarray(0, end);
}

/** Pieces as one array, the first words left out if it would be longer than `wordsMax`. */
export function joined(
  pieces: readonly Uint32Array[],
  wordsMax = Infinity,
): Uint32Array {
  const filled = pieces.filter(({ length }) => length > 0);
  const [first] = filled;
  if (first !== undefined && filled.length === 1 && first.length <= wordsMax) return first;
  const all = new Uint32Array(filled.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of filled) {
    all.set(piece, at);
    at += piece.length;
  }
  return all.length > wordsMax ? all.slice(all.length - wordsMax) : all;
}
