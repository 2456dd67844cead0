/**
 * Where in a block the events with a value are: per field, the offsets of all of its events, sorted
 * into buckets by a hash of their value.
 *
 * ```text
 *  bucket: n tags of 16 bits, then n offsets of 16 bits, little-endian, in the order of the events
 * ```
 *
 * A value is in one bucket, and with it some hundreds of others of which one in 65,536 has the same
 * tag: what is found is to be compared with the row. A value of which there are too many is left
 * out and named in `common`: its block is read through, and it is found there all the time.
 */

import { fingerprint } from "../fingerprint.ts";
import { BLOCK_EVENTS } from "./block.ts";

/** What is indexed. */
export type IndexedField = "user" | "type" | "event";
/** In this order they are stored. */
export const INDEXED_FIELDS: readonly IndexedField[] = ["user", "type", "event"];
/** Buckets a field. */
export const BUCKETS = 256;
const COMMON_EVENTS = BLOCK_EVENTS / 32;
const SEED = new Uint32Array([0x46484331, 1, 2, 3]);

/** What a value hashes to: 8 bits of bucket above 16 of tag. */
export type ValueHash = number;

const words = new Uint32Array(4);

/** The hash of a value. */
export function hashOf(value: string): ValueHash {
  fingerprint(value, SEED, words, 0);
  return (words[0] as number) & 0xffffff;
}

/** The bucket of a hash. */
export function bucketOf(hash: ValueHash): number {
  return hash >>> 16;
}

/** One field of a block. */
export interface FieldIndex {
  /** What is in each bucket; empty ones are null. */
  readonly buckets: readonly (Uint8Array | null)[];
  /** Hashes of the values that are left out. */
  readonly common: readonly ValueHash[];
}

/** Gathers the values of one field of a block. */
export class FieldIndexer {
  #hashes = new Uint32Array(BLOCK_EVENTS);
  #offsets = new Uint16Array(BLOCK_EVENTS);
  readonly #sizes = new Uint32Array(BUCKETS);
  #length = 0;

  /** Notes that the event at `offset` has this value. */
  add(value: string, offset: number): void {
    if (this.#length === this.#hashes.length) this.#grow();
    const hash = hashOf(value), bucket = bucketOf(hash);
    this.#hashes[this.#length] = hash;
    this.#offsets[this.#length++] = offset;
    this.#sizes[bucket] = (this.#sizes[bucket] as number) + 1;
  }

  /** All that was noted. */
  finish(): FieldIndex {
    const common = this.#commonHashes();
    const entries = [...this.#sizes].map((): number[] => []);
    for (let i = 0; i < this.#length; i++) {
      const hash = this.#hashes[i] as number;
      if (common.size === 0 || !common.has(hash)) entries[bucketOf(hash)]?.push(i);
    }
    const buckets = entries.map((each) => each.length === 0 ? null : this.#bucketOf(each));
    return { buckets, common: [...common] };
  }

  #bucketOf(entries: readonly number[]): Uint8Array {
    const bucket = new Uint16Array(entries.length * 2);
    entries.forEach((entry, i) => {
      bucket[i] = this.#hashes[entry] as number; // its lower 16 bits
      bucket[entries.length + i] = this.#offsets[entry] as number;
    });
    return new Uint8Array(bucket.buffer);
  }

  /** Only a large bucket can hold one. */
  #commonHashes(): ReadonlySet<ValueHash> {
    const counts = new Map<ValueHash, number>();
    if (this.#sizes.some((size) => size > COMMON_EVENTS)) {
      for (const hash of this.#hashes.subarray(0, this.#length)) {
        if ((this.#sizes[bucketOf(hash)] as number) <= COMMON_EVENTS) continue;
        counts.set(hash, (counts.get(hash) ?? 0) + 1);
      }
    }
    return new Set([...counts].filter(([, n]) => n > COMMON_EVENTS).map(([hash]) => hash));
  }

  #grow(): void {
    const hashes = new Uint32Array(this.#length * 2), offsets = new Uint16Array(this.#length * 2);
    hashes.set(this.#hashes);
    offsets.set(this.#offsets);
    this.#hashes = hashes;
    this.#offsets = offsets;
  }
}

/** The offsets in a bucket whose values have the hash, rising. */
export function offsetsIn(bucket: Uint8Array, hash: ValueHash): number[] {
  const entries = bucket.length / 4, tag = hash & 0xffff;
  const view = new DataView(bucket.buffer, bucket.byteOffset, bucket.byteLength);
  const found: number[] = [];
  for (let i = 0; i < entries; i++) {
    if (view.getUint16(i * 2, true) !== tag) continue;
    const offset = view.getUint16((entries + i) * 2, true);
    if (found.at(-1) !== offset) found.push(offset);
  }
  return found;
}
