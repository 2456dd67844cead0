/** The events of the fault suite: each says who sent it as what, with a hash of all that must survive. */

import { createHash } from "node:crypto";

/** An event as it is sent. */
export interface MadeEvent {
  /** Who sent it, as which of his: `client/sequence`. */
  readonly key: string;
  /** Of everything a row must give back. */
  readonly hash: string;
  /** Its own id, by which a repeat is known; null if it has none. */
  readonly id: string | null;
  readonly json: string;
}

/** What the hash is made of, as sent and as stored. */
export interface Hashed {
  readonly userId: string;
  readonly timestamp: string;
  readonly id: string | null;
  readonly payload: string;
}

const LONG_EVERY = 17, LONG_LENGTH = 9000; // more than a page of the database

/** Event number `sequence` of a client; the same numbers give the same event. */
export function makeEvent(client: number, sequence: number, hasId: boolean): MadeEvent {
  const key = `${client}/${sequence}`;
  const id = hasId ? `id-${key}` : null;
  const length = sequence % LONG_EVERY === 3
    ? LONG_LENGTH
    : 20 + (client * 31 + sequence * 7) % 150;
  const payload = `é"\\${key} `.repeat(Math.ceil(length / 8));
  const userId = String(9007199254740993n + BigInt(client)); // no double holds it
  const timestamp = `2026-11-24T11:03:40.${String(sequence % 1000).padStart(3, "0")}Z`;
  const hash = hashOf({ userId, timestamp, id, payload });
  const metadata = JSON.stringify({ client, sequence, sha256: hash, payload });
  const idMember = id === null ? "" : `"id":${JSON.stringify(id)},`;
  const json = `{${idMember}"user_id":${userId},"timestamp":"${timestamp}","metadata":${metadata}}`;
  return { key, hash, id, json };
}

/** SHA-256 in hex. */
export function hashOf({ userId, timestamp, id, payload }: Hashed): string {
  return createHash("sha256").update(JSON.stringify([userId, timestamp, id, payload])).digest(
    "hex",
  );
}
