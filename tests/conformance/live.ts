/** A collector that clients send to: the real process, which can be filled up, stopped and started. */

import { strictEqual as equal } from "node:assert/strict";
import {
  CollectorProcess,
  event,
  shippedPermissions,
  type StatsJson,
} from "../e2e/collector_process.ts";
import { Holder, WRITE_LOCK } from "../faults/holder.ts";
import { deadLetters, fillers, type Letter, type Row, rows } from "./stored.ts";

/** How to start it. */
export interface LiveOptions {
  /** More flags. */
  readonly args?: readonly string[];
  /** Tokens to make beforehand: the flags of `token create` by name. */
  readonly tokens?: Readonly<Record<string, readonly string[]>>;
}

/** A collector whose queue is full. */
export interface Filled {
  /** Lets it store again. */
  release(): Promise<void>;
  /** How many events of its own the queue was filled with. */
  readonly events: number;
}

/** A collector whose queue is soon full: what waits for a locked database has to fit into it. */
export const SMALL_QUEUE: readonly string[] = ["--durability", "memory", "--queue-capacity", "10"];

const ROOT = new URL("../../", import.meta.url).pathname;

/** See the head of this file. Without tokens it takes any, and `stats` may be asked for. */
export class Live implements AsyncDisposable {
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #tokens = new Map<string, string>();
  #process: CollectorProcess | null = null;
  #url = "";

  private constructor(args: readonly string[]) {
    this.#folder = Deno.makeTempDirSync({ prefix: "firehouse-conformance-" });
    this.#args = args;
  }

  /** Makes the tokens and starts it. */
  static async start({ args = [], tokens = {} }: LiveOptions = {}): Promise<Live> {
    const live = new Live(args);
    try {
      for (const [name, flags] of Object.entries(tokens)) {
        live.#tokens.set(name, await createToken(live.database, name, flags));
      }
      await live.startAgain();
      return live;
    } catch (error) {
      await live[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where it listens, such as `http://127.0.0.1:41234`; the same after it was started again. */
  get url(): string {
    return this.#url;
  }

  /** Path of the database. */
  get database(): string {
    return `${this.#folder}/events.db`;
  }

  /** A token by its name. */
  token(name: string): string {
    const token = this.#tokens.get(name);
    if (token === undefined) throw new Error(`no token ${name}`);
    return token;
  }

  /** The rows that clients made. */
  rows(): Row[] {
    return rows(this.database);
  }

  /** The dead letters. */
  deadLetters(): Letter[] {
    return deadLetters(this.database);
  }

  /** Asks it to stop, as systemd does. It has stored everything it took, or this throws. */
  async stop(): Promise<void> {
    const collector = this.#running();
    equal(await collector.stop("SIGTERM"), 0, collector.output);
    this.#process = null;
  }

  /**
   * The same, but a slow body of an event that was being received delays it: new requests are refused
   * for so long, as those of a busy collector are.
   */
  async stopSlowly(ms: number): Promise<void> {
    const collector = this.#running();
    const { hostname, port } = new URL(this.#url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const body = new TextEncoder().encode(event("filler")), half = body.length >> 1;
    const head = `POST /event HTTP/1.1\r\nhost: ${hostname}:${port}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    await connection.write(body.subarray(0, half));
    await collector.until(({ bodies_in_flight = 0 }) => bodies_in_flight > 0);
    const stopped = this.stop();
    await delay(ms);
    await connection.write(body.subarray(half));
    await stopped;
    equal(fillers(this.database), 1, "a body that was being received is finished");
  }

  /** Starts it with the same database, and on the same port if it had one. */
  async startAgain(): Promise<void> {
    const port = this.#url === "" ? [] : ["--port", new URL(this.#url).port];
    const args = [...this.#args, ...port];
    this.#process = await CollectorProcess.start({ folder: this.#folder, args });
    this.#url = this.#process.url;
  }

  /**
   * Locks the database and fills the queue with events of its own. Start it with
   * {@linkcode SMALL_QUEUE}: with durability disk the journal would take them.
   */
  async fill(): Promise<Filled> {
    const holder = await Holder.start(this.database, WRITE_LOCK);
    const collector = this.#running();
    let events = 0;
    while ((await collector.post("/event", event("filler"))).status === 202) events++;
    const release = async () => {
      await holder[Symbol.asyncDispose]();
      await collector.settled();
      equal(fillers(this.database), events);
    };
    return { events, release };
  }

  /** Waits until so many requests were refused because the queue was full. */
  async untilRefused(count: number): Promise<void> {
    const refused = ({ refused_requests: { "queue-full": full = 0 } }: StatsJson) => full >= count;
    await this.#running().until(refused, 15_000);
  }

  /** Waits until so many rows of clients are stored; gives up, and lets the caller judge. */
  async untilRows(count: number, timeoutMs = 15_000): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    while (this.rows().length < count && Date.now() < endMs) await delay(50);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  #running(): CollectorProcess {
    if (this.#process === null) throw new Error("the collector does not run");
    return this.#process;
  }
}

/** Resolves after some time. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Makes a token as an operator does. */
async function createToken(
  database: string,
  name: string,
  flags: readonly string[],
): Promise<string> {
  const words = ["main.ts", "token", "create", name, "--db", database, ...flags];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...shippedPermissions(), ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const [token = ""] = new TextDecoder().decode(stdout).split("\n");
  if (!success || token === "") throw new Error(new TextDecoder().decode(stderr));
  return token;
}
