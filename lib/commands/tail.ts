/** `firehouse tail`: follows the events of a running collector, over its restarts too. */

import { setTimeout as wait } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { Command } from "../config.ts";
import { CollectorError } from "../errors.ts";
import { CollectorClient, refusal } from "./collector_client.ts";
import type { CommandOutput } from "./command_output.ts";
import { filterOf, filterQuery } from "./filter_flags.ts";
import { writeOut } from "./stdout.ts";
import { tailLine } from "./tail_line.ts";

/** What is to be followed. */
export type TailCommand = Extract<Command, { readonly kind: "tail" }>;

const PAUSE_MS = { min: 500, max: 30_000 };
/** The collector says something every 15 s. */
const SILENCE_MS_MAX = 45_000;
/** Where a terminal does not know its own width. */
const COLUMNS = 80;
const ENCODER = new TextEncoder();

/**
 * Does it until `signal` asks it to end, or nobody reads any more.
 *
 * @throws {CollectorError} if no collector is there at first, or it refuses.
 */
export async function runTailCommand(
  command: TailCommand,
  { tell }: Pick<CommandOutput, "tell">,
  signal: AbortSignal,
): Promise<void> {
  const { given } = command;
  filterOf(given); // what it can not be asked is told before it is
  const server = new CollectorClient(command), show = shower(given.format);
  const tail = new Tail({ server, query: filterQuery(given), last: given.last ?? 0, show, tell });
  await tail.begin();
  for (let pauseMs = PAUSE_MS.min; !tail.isOver && !signal.aborted;) {
    const before = tail.connections, why = await tail.follow(signal);
    if (tail.isOver || signal.aborted) return;
    if (tail.connections > before) pauseMs = PAUSE_MS.min;
    tell(`${why}; trying again in ${pauseMs / 1000} s`);
    await wait(pauseMs, undefined, { signal }).catch(() => {});
    pauseMs = Math.min(PAUSE_MS.max, pauseMs * 2);
  }
}

/** Writes an event as it is wanted; gives whether somebody still reads. */
function shower(format: "text" | "json" | null): (json: string) => boolean {
  const isTerminal = Deno.stdout.isTerminal();
  const isText = format === null ? isTerminal : format === "text";
  const columns = () => isTerminal ? Deno.consoleSize().columns || COLUMNS : Infinity; // resized at any time
  return (json) => writeOut(ENCODER.encode((isText ? tailLine(json, columns()) : json) + "\n"));
}

interface TailOptions {
  readonly server: CollectorClient;
  /** Which events. */
  readonly query: URLSearchParams;
  /** Begin with so many that are there. */
  readonly last: number;
  readonly show: (json: string) => boolean;
  readonly tell: (line: string) => void;
}

/** Where it is, over all connections. */
class Tail {
  readonly #options: TailOptions;
  /** Id of the last event that was shown, or was there before; null: begin with the last so many. */
  #lastId: string | null = null;
  /** What the collector said when it ended the tail. */
  #reason: string | null = null;
  /** Nobody reads any more. */
  isOver = false;
  /** How many connections were made. */
  connections = 0;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** Looks where to begin: what comes while a first connection breaks off would be missed. */
  async begin(): Promise<void> {
    const { server, last } = this.#options;
    if (last > 0) return;
    const { events: [newest] } = await server.ask("GET", "/events?limit=1") as {
      readonly events: readonly { readonly id: number }[];
    };
    this.#lastId = String(newest?.id ?? 0);
  }

  /** Shows what comes, and says why nothing more does. @throws {CollectorError} if it is refused */
  async follow(signal: AbortSignal): Promise<string> {
    this.#reason = null;
    const ending = new AbortController();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(
        () => ending.abort(`The collector said nothing for ${SILENCE_MS_MAX / 1000} s`),
        SILENCE_MS_MAX,
      );
    };
    try {
      listen();
      const response = await this.#connect(AbortSignal.any([signal, ending.signal]));
      if (typeof response === "string") return response;
      const parser = createParser({ onEvent: (message) => this.#take(message) });
      for await (const text of response.pipeThrough(new TextDecoderStream())) {
        listen();
        parser.feed(text);
        if (this.isOver) return "";
      }
      return this.#reason ?? "The connection was closed";
    } catch (error) {
      if (error instanceof CollectorError) throw error;
      if (ending.signal.aborted) return String(ending.signal.reason);
      return this.#reason ?? "The connection broke off";
    } finally {
      clearTimeout(silence);
    }
  }

  /** The events to come, or why there are none now. @throws {CollectorError} if there will be none */
  async #connect(
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | string> {
    const { server, query: filter, last, tell } = this.#options;
    const query = new URLSearchParams(filter);
    if (this.#lastId === null) query.set("last", String(last));
    const headers = {
      accept: "text/event-stream",
      ...this.#lastId === null ? {} : { "last-event-id": this.#lastId },
    };
    const isFirst = this.connections === 0;
    let response: Response;
    try {
      response = await server.send(`/tail?${query}`, { headers, signal });
    } catch (error) {
      if (isFirst || !(error instanceof CollectorError)) throw error;
      return error.message.replace(/\.$/, "");
    }
    if (response.ok && response.body !== null) {
      if (!isFirst) tell(`following again after event ${this.#lastId ?? 0}`);
      this.connections++;
      return response.body;
    }
    const refused = await refusal(response, "GET /tail");
    const mayPass = response.status >= 500 || response.status === 429;
    if (isFirst || !mayPass) throw refused;
    return refused.message.replace(/\.$/, "");
  }

  #take({ event, id, data }: EventSourceMessage): void {
    const { show, tell } = this.#options;
    if (this.isOver) return;
    if (event === "end") this.#reason = reasonIn(data);
    else if (event === "gap") {
      tell(`up to ${skippedIn(data)} events were passed over: too many came`);
    } else if (event === undefined) {
      this.isOver = !show(data);
      this.#lastId = id ?? this.#lastId;
    }
  }
}

function reasonIn(data: string): string {
  const { reason } = JSON.parse(data) as { readonly reason: string };
  return `The tail was ended: ${reason.replace(/\.$/, "")}`;
}

function skippedIn(data: string): number {
  return (JSON.parse(data) as { readonly skipped: number }).skipped;
}
