/**
 * Remembers requests by their Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), within
 * their source, so that a repeat is answered like the first and nothing is stored again.
 *
 * A remembered request is 11 words, in memory and in the database:
 *
 * ```text
 *  0 ────── 3  4 ─────── 7  8         9           10
 *  key         body         accepted  duplicates  at, Unix epoch in s
 *  fingerprint SHA-256
 * ```
 *
 * On its way there, with the events of the request, it is text: the body's hash in hexadecimal, the
 * three numbers, and the key itself. Fingerprints differ from database to database.
 */

import { hash } from "node:crypto";
import { SourceSeeds } from "./event_ids.ts";
import { fingerprint, type Seed } from "./fingerprint.ts";
import { RecentKeys } from "./recent_keys.ts";

/** Words of a remembered request. */
export const REQUEST_WORDS = 11;
const KEY_WORDS = 4, BODY_AT = 4, BODY_WORDS = 4, ACCEPTED_AT = 8, DUPLICATES_AT = 9, AT_AT = 10;
/** In memory two words more: how many events the run had admitted when it was. */
const SEQUENCE_AT = REQUEST_WORDS, VALUE_WORDS = REQUEST_WORDS - KEY_WORDS + 2;
const HEX_DIGITS = 8;
const BODY_DIGITS = BODY_WORDS * HEX_DIGITS;
/** How long a key is remembered at most, in s. */
export const KEY_WINDOW_S = 24 * 3600;

/** A request with a key, as it came. */
export interface KeyedRequest {
  /** Token or protocol it came through: keys of others are other keys. */
  readonly source: string;
  /** The key. */
  readonly key: string;
  /** The body, its coding undone. */
  readonly body: Uint8Array;
}

/** A request that was admitted before. */
export interface KnownRequest {
  /** Whether it had the same body. */
  readonly isSameBody: boolean;
  /** Events it had admitted. */
  readonly accepted: number;
  /** Events of it that were known already. */
  readonly duplicates: number;
  /** How many events this run had admitted with it; 0 for an earlier run. */
  readonly sequence: number;
}

/** See the head of this file. */
export class Requests {
  readonly #recent: RecentKeys;
  readonly #scopes: SourceSeeds;
  readonly #words = new Uint32Array(REQUEST_WORDS);
  #described: KeyedRequest | null = null;
  readonly #clockStartS = Date.now() / 1000 - performance.now() / 1000;

  /**
   * Remembers what it starts with.
   *
   * @param capacity How many requests it remembers, at least 1.
   * @param seed Of the fingerprints, 4 words.
   * @param requests What to start with, the oldest first.
   */
  constructor(capacity: number, seed: Seed, requests: Uint32Array) {
    this.#recent = new RecentKeys({ capacity, valueWords: VALUE_WORDS });
    this.#scopes = new SourceSeeds(seed);
    for (let at = 0; at < requests.length; at += REQUEST_WORDS) {
      const slot = this.#recent.add(requests, at);
      this.#recent.value(slot).set(requests.subarray(at + KEY_WORDS, at + REQUEST_WORDS));
    }
  }

  /** The request that had the same key; null if there was none within the window. */
  find(request: KeyedRequest): KnownRequest | null {
    const slot = this.#recent.find(this.#describe(request));
    if (slot < 0) return null;
    const value = this.#recent.value(slot);
    const word = (at: number) => value[at - KEY_WORDS] as number;
    // The clock of this process does not step; one that went back between two runs forgets nothing.
    if (this.#nowS() - word(AT_AT) > KEY_WINDOW_S) return null;
    const body = this.#words.subarray(BODY_AT, BODY_AT + BODY_WORDS);
    return {
      isSameBody: body.every((part, i) => part === word(BODY_AT + i)),
      accepted: word(ACCEPTED_AT),
      duplicates: word(DUPLICATES_AT),
      sequence: word(SEQUENCE_AT) * 2 ** 32 + word(SEQUENCE_AT + 1),
    };
  }

  /** Remembers a request that is being admitted, and gives the text that goes with its events. */
  remember(
    request: KeyedRequest,
    { accepted, duplicates, sequence }: Omit<KnownRequest, "isSameBody">,
  ): string {
    const words = this.#describe(request);
    words[ACCEPTED_AT] = accepted;
    words[DUPLICATES_AT] = duplicates;
    words[AT_AT] = this.#nowS();
    const value = this.#recent.value(this.#recent.add(words));
    value.set(words.subarray(KEY_WORDS));
    value[SEQUENCE_AT - KEY_WORDS] = Math.floor(sequence / 2 ** 32);
    value[SEQUENCE_AT + 1 - KEY_WORDS] = sequence % 2 ** 32;
    const digits = [...words.subarray(BODY_AT, BODY_AT + BODY_WORDS)]
      .map((word) => word.toString(16).padStart(HEX_DIGITS, "0"));
    return `${digits.join("")} ${accepted} ${duplicates} ${words[AT_AT]} ${request.key}`;
  }

  #describe(request: KeyedRequest): Uint32Array {
    if (request === this.#described) return this.#words; // found a moment ago
    this.#described = request;
    const { source, key, body } = request;
    fingerprint(key, this.#scopes.get(source), this.#words, 0);
    const digest = hash("sha256", body, "buffer");
    for (let i = 0; i < BODY_WORDS; i++) this.#words[BODY_AT + i] = digest.readUInt32LE(4 * i);
    return this.#words;
  }

  #nowS(): number {
    return Math.floor(this.#clockStartS + performance.now() / 1000);
  }
}

/** The words of the text that {@linkcode Requests.remember} gave, for a source with this seed. */
export function requestWords(text: string, seed: Seed): Uint32Array {
  const [digits = "", accepted, duplicates, at, ...key] = text.split(" ");
  const words = new Uint32Array(REQUEST_WORDS);
  fingerprint(key.join(" "), seed, words, 0);
  for (let i = 0; i < BODY_DIGITS; i += HEX_DIGITS) {
    words[BODY_AT + i / HEX_DIGITS] = parseInt(digits.slice(i, i + HEX_DIGITS), 16);
  }
  words[ACCEPTED_AT] = Number(accepted);
  words[DUPLICATES_AT] = Number(duplicates);
  words[AT_AT] = Number(at);
  return words;
}

/**
 * The key in an Idempotency-Key header: a structured-field string, or as many clients send it, the
 * bare characters. Null if it is neither, or longer than 255.
 */
export function parseIdempotencyKey(header: string): string | null {
  if (header.length > 2 * KEY_LENGTH_MAX + 2) return null;
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(header)?.[1];
  const key = quoted?.replace(/\\(.)/g, "$1") ?? (BARE_KEY.test(header) ? header : "");
  return key !== "" && key.length <= KEY_LENGTH_MAX ? key : null;
}

const KEY_LENGTH_MAX = 255;
/** Visible ASCII without quotes, backslash, comma (two headers become one with it) and semicolon. */
const BARE_KEY = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;
