/** A collector that is killed again and again, and started again each time, as by a supervisor. */

import type { CollectorProcess } from "../e2e/collector_process.ts";
import { LockHolder } from "../e2e/lock_holder.ts";
import { runLoad } from "./load.ts";
import { checkDatabase, EventLog, type Tolerance } from "./oracle.ts";
import { type Durability, settled, start, stop, TempFolder } from "./process.ts";

/** How it is run. */
export interface SupervisedOptions {
  readonly folder: string;
  readonly durability?: Durability;
  readonly program?: string | undefined;
  readonly args?: readonly string[];
}

/** See the head of this file. */
export class Supervised implements AsyncDisposable {
  readonly #options: SupervisedOptions;
  #collector: CollectorProcess;
  #lock: LockHolder | null = null;

  private constructor(options: SupervisedOptions, collector: CollectorProcess) {
    this.#options = options;
    this.#collector = collector;
  }

  static async start(options: SupervisedOptions): Promise<Supervised> {
    return new Supervised(options, await start(options));
  }

  /** Where it listens now, or did before it was killed. */
  get url(): string {
    return this.#collector.url;
  }

  get database(): string {
    return this.#collector.database;
  }

  /** Locks the database against it; the next start lets go. */
  async lock(): Promise<void> {
    this.#lock ??= await LockHolder.start(this.database);
  }

  /** Kills it without a word and starts it again. */
  async killAndRestart(): Promise<void> {
    await this.#collector.stop("SIGKILL");
    const starting = start(this.#options);
    await this.#unlock(); // not before: the last to close a database tidies it up
    this.#collector = await starting;
  }

  /** Lets it settle, stops it, and gives every violation. */
  async finish(log: EventLog, tolerance?: Tolerance): Promise<string[]> {
    await this.#unlock();
    const { residual } = await settled(this.#collector);
    const code = await stop(this.#collector);
    return [
      ...residual === 0 ? [] : [`O5: the residual is ${residual}`],
      ...code === 0 ? [] : [`the stop ended with ${code}: ${this.#collector.output}`],
      ...checkDatabase(this.database, log, tolerance),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unlock();
    await this.#collector[Symbol.asyncDispose]();
  }

  async #unlock(): Promise<void> {
    const lock = this.#lock;
    this.#lock = null;
    await lock?.[Symbol.asyncDispose]();
  }
}

/** How {@linkcode killedAgainAndAgain} goes about it. */
export interface AgainOptions {
  readonly kills: number;
  readonly clients: number;
  readonly program?: string | undefined;
  /** Before the first kill, between two, and after the last; default a random time. */
  readonly pause?: (log: EventLog, kill: number, signal: AbortSignal) => Promise<void>;
}

const RUN_MS_MAX = 500;
const LOCK_EVERY = 3;
const SENDING_MS_MAX = 120_000;

/**
 * Kills it under clients that repeat by id or key until everything is durable, the database locked in some
 * of the rounds, and gives every violation; an event that was given up is one too.
 */
export async function killedAgainAndAgain(options: AgainOptions): Promise<string[]> {
  const { kills, clients, program, pause = randomPause } = options;
  await using folder = new TempFolder();
  await using collector = await Supervised.start({ folder: folder.path, program });
  const log = new EventLog(), end = new AbortController(), giveUp = new AbortController();
  const load = runLoad({
    url: () => collector.url,
    log,
    clients,
    firstClient: 1,
    delivery: "until-durable",
    ids: "or-key",
    prefer: ["", "", "", "", "wait=1", "", "", "", ""],
    signal: end.signal,
    giveUp: giveUp.signal,
  });
  load.catch(() => end.abort()); // it is awaited below
  try {
    for (let kill = 0; kill < kills && !end.signal.aborted; kill++) {
      if (kill % LOCK_EVERY === 1) await collector.lock();
      await pause(log, kill, end.signal);
      await collector.killAndRestart();
    }
    await pause(log, kills, end.signal);
  } catch (error) {
    giveUp.abort();
    await load.catch(() => {});
    throw error;
  }
  end.abort();
  await load;
  const givenUp = log.count - log.events("durable").length;
  const violations = await collector.finish(log);
  return givenUp === 0 ? violations : [...violations, `${givenUp} events were given up`];
}

/** A pause that lasts until so many more events were sent. */
export function whileSending(events: number): NonNullable<AgainOptions["pause"]> {
  return async (log, kill, signal) => {
    const endMs = Date.now() + SENDING_MS_MAX;
    while (log.count < (kill + 1) * events && !signal.aborted) {
      if (Date.now() > endMs) throw new Error(`only ${log.count} events were sent in time`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
}

function randomPause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * RUN_MS_MAX));
}
