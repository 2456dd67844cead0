/**
 * Indexer acknowledgement of the Splunk HTTP Event Collector: a request sent on a channel gets a
 * number, and the client asks later which of its numbers are stored.
 *
 * Bounded. A number that had to be forgotten reads false, so the client sends that request again:
 * its events may be stored twice, never not at all. Channels that are asked about are kept before
 * those that are not, which clients open only because HEC wants a channel named.
 */

import type { Admission } from "../admission.ts";

/** What it is made of. */
export interface HecAcksOptions {
  /**
   * The first number of a channel. 0 if what was answered is on the disk, and so survives the
   * collector; else one above all that earlier runs may have given, so that the numbers of events
   * they lost are never taken for new ones.
   */
  readonly firstId: number;
  /** Whether so many of the run's events are committed: see `Admission.sequence`. */
  readonly isCommitted: (sequence: number) => boolean;
  /** Default: {@linkcode HEC_ACKS_BOUNDS}. */
  readonly bounds?: HecAcksBounds;
}

/** How much is remembered at most. */
export interface HecAcksBounds {
  /** Channels. */
  readonly channels: number;
  /** Numbers that were not read as true, per channel. */
  readonly pendingPerChannel: number;
  /** The same, of all channels. */
  readonly pending: number;
}

/** About 50 MB when full. */
export const HEC_ACKS_BOUNDS: HecAcksBounds = {
  channels: 10_000,
  pendingPerChannel: 100_000,
  pending: 1_000_000,
};

interface Channel {
  readonly source: string;
  /** Sequences by number, of what was not read as true yet. */
  readonly pending: Map<number, number>;
  /** No number below it is pending. */
  oldestId: number;
  nextId: number;
}

/** See the head of this file. */
export class HecAcks {
  readonly #options: HecAcksOptions;
  readonly #bounds: HecAcksBounds;
  /** By source and name; the one not asked about for the longest time first. */
  readonly #channels = new Map<string, Channel>();
  /** How many channels each source has. */
  readonly #channelsOf = new Map<string, number>();
  #pending = 0;
  #firstId: number;

  /** Knows no channel yet. */
  constructor(options: HecAcksOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? HEC_ACKS_BOUNDS;
    this.#firstId = options.firstId;
  }

  /** How many numbers are pending. */
  get pending(): number {
    return this.#pending;
  }

  /** How many channels are known. */
  get channels(): number {
    return this.#channels.size;
  }

  /** The number of a request on a channel; a token's channels are its own. */
  register(source: string, name: string, { sequence }: Pick<Admission, "sequence">): number {
    const channel = this.#channelFor(source, keyOf(source, name));
    const id = channel.nextId++;
    channel.pending.set(id, sequence);
    this.#pending++;
    if (channel.pending.size > this.#bounds.pendingPerChannel) this.#forgetOldest(channel);
    if (this.#pending > this.#bounds.pending) this.#dropChannel();
    return id;
  }

  /** Which of these numbers are stored. One that is read as true is forgotten. */
  query(source: string, name: string, ids: readonly number[]): Record<string, boolean> {
    const key = keyOf(source, name), channel = this.#channels.get(key);
    const answer: Record<string, boolean> = {};
    for (const id of ids) {
      const sequence = channel?.pending.get(id);
      const isStored = sequence !== undefined && this.#options.isCommitted(sequence);
      if (isStored && channel?.pending.delete(id)) this.#pending--;
      // A number that the same query holds twice was read as true already.
      answer[id] = isStored || answer[id] === true;
    }
    if (channel !== undefined) {
      this.#channels.delete(key); // to the end of the order
      this.#channels.set(key, channel);
    }
    return answer;
  }

  #channelFor(source: string, key: string): Channel {
    const known = this.#channels.get(key);
    if (known !== undefined) return known;
    if (this.#channels.size >= this.#bounds.channels) this.#dropChannel();
    this.#channelsOf.set(source, (this.#channelsOf.get(source) ?? 0) + 1);
    const channel = { source, pending: new Map(), oldestId: this.#firstId, nextId: this.#firstId };
    this.#channels.set(key, channel);
    return channel;
  }

  #forgetOldest(channel: Channel): void {
    while (!channel.pending.delete(channel.oldestId)) channel.oldestId++;
    channel.oldestId++;
    this.#pending--;
  }

  /**
   * Drops a channel of the source that has the most, so that none is driven out by another: the one
   * that was not asked about for the longest time.
   */
  #dropChannel(): void {
    const [[greediest = "", most = 0] = []] = [...this.#channelsOf].sort((a, b) => b[1] - a[1]);
    for (const [key, { source, pending, nextId }] of this.#channels) {
      if (source !== greediest) continue;
      this.#channels.delete(key);
      if (most > 1) this.#channelsOf.set(source, most - 1);
      else this.#channelsOf.delete(source);
      this.#pending -= pending.size;
      this.#firstId = Math.max(this.#firstId, nextId); // it may come back: no number comes twice
      return;
    }
  }
}

function keyOf(source: string, name: string): string {
  return `${name} ${source}`; // no name has a space in it
}
