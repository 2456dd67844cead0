/** The situations that are the same for all clients. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { delay, Live, type LiveOptions, SMALL_QUEUE } from "./live.ts";
import type { Json } from "./stored.ts";

/** A client that was told where to send. */
export interface Sender {
  /**
   * Sends an event that carries a mark. Resolves to null when the client thinks that it is
   * delivered, or if it does not tell; to what it tells if it is not. Never rejects.
   */
  send(mark: string): Promise<string | null>;
  /** Sends what it still holds and ends it. Resolves to what it complained of, other than above. */
  close(): Promise<string>;
}

/** How a client is used. */
export interface Adapter {
  /** Tells it where to send, and with which token. */
  open(url: string, token: string): Sender | Promise<Sender>;
  /** The mark in the metadata of a row. */
  markOf(metadata: Json): string;
}

/** For a collector that has no tokens: clients want one all the same. */
const ANY_TOKEN = "none-needed";
const MARKS = ["m1", "m2", "m3"];

/** (b) for a client that sends again: in the end all is stored once. */
export async function fullThenFrees(
  { open, markOf }: Adapter,
  options: LiveOptions = {},
): Promise<void> {
  await using live = await start(options, SMALL_QUEUE);
  const sender = await open(live.url, ANY_TOKEN);
  const full = await live.fill();
  const told = MARKS.map((mark) => sender.send(mark));
  await live.untilRefused(2); // the first was what `fill` found
  deepEqual(live.rows(), []);
  await full.release();
  deepEqual(await Promise.all(told), MARKS.map(() => null));
  await live.untilRows(MARKS.length);
  equal(await sender.close(), "");
  await live.stop();
  deepEqual(live.rows().map(({ metadata }) => markOf(metadata)).sort(), MARKS);
}

/** (b) for a client that does not: it is told, nothing refused is stored, and later ones are. */
export async function fullAndTold(
  { open, markOf }: Adapter,
  refusal: RegExp,
  options: LiveOptions = {},
): Promise<void> {
  await using live = await start(options, SMALL_QUEUE);
  const sender = await open(live.url, ANY_TOKEN);
  const full = await live.fill();
  for (const mark of MARKS) match(await sender.send(mark) ?? "delivered", refusal);
  await full.release();
  equal(await sender.send("later"), null);
  await sender.close();
  await live.stop();
  deepEqual(live.rows().map(({ metadata }) => markOf(metadata)), ["later"]);
}

/** What became of a stream of events while the collector was stopped and started. */
export interface Stream {
  /** What the client told of each mark, in the order they were sent. */
  readonly told: ReadonlyMap<string, string | null>;
  /** The marks that are stored, in the order they were sent; one that is there twice, twice. */
  readonly stored: readonly string[];
  /** What it complained of besides. */
  readonly complaints: string;
}

const EVERY_MS = 60, BEFORE_MS = 300, REFUSING_MS = 300, DOWN_MS = 200, AFTER_MS = 300;

/**
 * Sends a stream of events while the collector is stopped and started again: some of it is refused
 * while it stops, some of it finds nobody there.
 */
export async function stream(
  { open, markOf }: Adapter,
  options: LiveOptions = {},
): Promise<Stream> {
  await using live = await start(options, []);
  const sender = await open(live.url, ANY_TOKEN);
  const told = new Map<string, Promise<string | null>>();
  const restart = async () => {
    await delay(BEFORE_MS);
    await live.stopSlowly(REFUSING_MS);
    await delay(DOWN_MS);
    await live.startAgain();
    await delay(AFTER_MS);
  };
  let isOver = false;
  const restarted = restart().finally(() => isOver = true);
  while (!isOver) {
    const mark = `s${100 + told.size}`;
    told.set(mark, sender.send(mark));
    await delay(EVERY_MS);
  }
  await restarted;
  const settled = new Map<string, string | null>();
  for (const [mark, promise] of told) settled.set(mark, await promise);
  await live.untilRows([...settled.values()].filter((each) => each === null).length);
  const complaints = await sender.close();
  await live.stop();
  const stored = live.rows().map(({ metadata }) => markOf(metadata)).sort();
  return { told: settled, stored, complaints };
}

/** (c) for a client that sends again: all of the stream is stored once. */
export async function stoppedAndStarted(
  adapter: Adapter,
  options: LiveOptions = {},
): Promise<void> {
  const { told, stored, complaints } = await stream(adapter, options);
  deepEqual([...told].filter(([, against]) => against !== null), []);
  deepEqual(stored, [...told.keys()]);
  equal(complaints, "");
}

/** (c) for a client that does not: stored once is what it was told is delivered, and no more. */
export async function stoppedAndTold(adapter: Adapter, options: LiveOptions = {}): Promise<void> {
  const { told, stored } = await stream(adapter, options);
  const delivered = [...told].filter(([, against]) => against === null).map(([mark]) => mark);
  deepEqual(stored, delivered);
  ok(delivered.length < told.size, "none was sent while the collector was away");
  equal(delivered.at(-1), [...told.keys()].at(-1), "nothing is delivered after the restart");
}

/** A token that is not known: the client is told in its protocol's words, and nothing is stored. */
export async function wrongToken(
  { open }: Adapter,
  refusal: RegExp,
  flags: readonly string[] = [],
): Promise<void> {
  await using live = await Live.start({ tokens: { right: flags } });
  const sender = await open(live.url, "fh_wrong");
  const told = await sender.send("m1");
  const complaints = await sender.close();
  match(`${told ?? ""} ${complaints}`, refusal);
  await live.stop();
  deepEqual(live.rows(), []);
  deepEqual(live.deadLetters(), []);
}

function start(options: LiveOptions, args: readonly string[]): Promise<Live> {
  return Live.start({ ...options, args: [...args, ...options.args ?? []] });
}
