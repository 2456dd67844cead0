/**
 * The most recent 128-bit keys, each with a few words of value; the oldest is forgotten first.
 *
 * ```text
 *  records  [ key key key key value… | key key key key value… | … ]   a ring, oldest overwritten
 *  heads    [ 0 | 3 | 0 | 1 … ]      bucket ─► its newest record      (slot + 1; 0 is none)
 *  next     [ 0 | 0 | 1 … ]          record ─► the next older one of its bucket
 * ```
 *
 * All memory is three flat arrays made at once: nothing is ever rehashed and the garbage collector
 * has nothing to follow. They start as zeros, which no memory backs until it is written, so an
 * unused capacity costs address space only. That is why a slot is kept plus one: −1 for "none"
 * would have to be written everywhere first.
 */

/** What is remembered. */
export interface RecentKeysOptions {
  /** Most keys, an integer from 1 to 2²⁴. */
  readonly capacity: number;
  /** 32-bit words of value with each key, an integer from 0 to 12. Default 0. */
  readonly valueWords?: number;
}

const CAPACITY_MAX = 2 ** 24;
const KEY_WORDS = 4;
/** A record then fills a 64-byte line of the processor's cache. */
const VALUE_WORDS_MAX = 12;

/** See the head of this file. */
export class RecentKeys {
  /** Most keys it remembers. */
  readonly capacity: number;
  readonly #recordWords: number;
  readonly #records: Uint32Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #size = 0;
  /** The slot that is written next. */
  #end = 0;

  /**
   * Makes an empty memory.
   *
   * @throws {RangeError} if an option is not an integer within its range, or the arrays cannot be
   * had.
   */
  constructor(options: RecentKeysOptions) {
    const { capacity, valueWords = 0 } = options;
    checkRange("capacity", capacity, 1, CAPACITY_MAX);
    checkRange("valueWords", valueWords, 0, VALUE_WORDS_MAX);
    this.capacity = capacity;
    this.#recordWords = KEY_WORDS + valueWords;
    this.#records = new Uint32Array(capacity * this.#recordWords);
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity)));
    this.#next = new Int32Array(capacity);
  }

  /** How many keys it remembers now. */
  get size(): number {
    return this.#size;
  }

  /**
   * Memory of its arrays when full. A key takes 24 bytes, and 4 more for each word of value, where
   * the capacity is a power of two; up to 4 more where it is not.
   */
  get bytes(): number {
    return this.#records.byteLength + this.#heads.byteLength + this.#next.byteLength;
  }

  /**
   * The slot of the key `key[at]` … `key[at + 3]`, or −1. Of a key that was added twice, the newest.
   * The slot is good until its key is forgotten or removed.
   */
  find(key: Uint32Array, at = 0): number {
    let link = this.#heads[this.#bucket(key, at)] as number;
    while (link !== 0 && !this.#isAt(link - 1, key, at)) link = this.#next[link - 1] as number;
    return link - 1;
  }

  /**
   * Remembers the key `key[at]` … `key[at + 3]` as the newest, its value all 0, and returns its
   * slot; a full memory forgets its oldest. A key that is there already is there twice from then
   * on: look first where that is not wanted.
   */
  add(key: Uint32Array, at = 0): number {
    const slot = this.#end;
    if (this.#size === this.capacity) this.#unlink(slot);
    else this.#size++;
    this.#end = slot + 1 === this.capacity ? 0 : slot + 1;

    const record = slot * this.#recordWords;
    for (let i = 0; i < KEY_WORDS; i++) this.#records[record + i] = key[at + i] as number;
    for (let i = KEY_WORDS; i < this.#recordWords; i++) this.#records[record + i] = 0;
    const bucket = this.#bucket(key, at);
    this.#next[slot] = this.#heads[bucket] as number;
    this.#heads[bucket] = slot + 1;
    return slot;
  }

  /**
   * The words of value of a slot, to read and to write: a view, not a copy.
   *
   * @throws {RangeError} if the slot holds no key.
   */
  value(slot: number): Uint32Array {
    const isHeld = slot >= 0 && slot < this.capacity &&
      (this.#end - 1 - slot + this.capacity) % this.capacity < this.#size;
    if (!isHeld) throw new RangeError(`Cannot give a value: slot ${slot} holds no key`);
    const record = slot * this.#recordWords;
    return this.#records.subarray(record + KEY_WORDS, record + this.#recordWords);
  }

  /** Takes out of its bucket the newest record, which is the first there, or the oldest, the last. */
  #unlink(slot: number): void {
    const heads = this.#heads, next = this.#next;
    const bucket = this.#bucket(this.#records, slot * this.#recordWords);
    let link = heads[bucket] as number;
    if (link === slot + 1) {
      heads[bucket] = next[slot] as number;
      return;
    }
    while (next[link - 1] !== slot + 1) link = next[link - 1] as number;
    next[link - 1] = 0;
  }

  #isAt(slot: number, key: Uint32Array, at: number): boolean {
    const records = this.#records, record = slot * this.#recordWords;
    return records[record] === key[at] && records[record + 1] === key[at + 1] &&
      records[record + 2] === key[at + 2] && records[record + 3] === key[at + 3];
  }

  /** Mixes all words, so that keys that differ in a few bits of any of them spread. */
  #bucket(key: Uint32Array, at: number): number {
    let hash = Math.imul(key[at] as number, 0x9e3779b1);
    hash = Math.imul((hash ^ (hash >>> 15)) + (key[at + 1] as number), 0x85ebca77);
    hash = Math.imul((hash ^ (hash >>> 13)) + (key[at + 2] as number), 0xc2b2ae3d);
    hash = Math.imul((hash ^ (hash >>> 15)) + (key[at + 3] as number), 0x27d4eb2f);
    hash ^= hash >>> 15;
    return (hash ^ (hash >>> 7)) & (this.#heads.length - 1);
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `Cannot remember keys: ${name} must be an integer from ${min} to ${max}, got ${value}`,
  );
}
