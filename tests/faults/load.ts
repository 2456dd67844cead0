/** The load of the fault suite: clients that send one request after the other and log each event. */

import { type Answer, post } from "./answer.ts";
import { type MadeEvent, makeEvent } from "./events.ts";
import type { EventLog } from "./oracle.ts";

/** What is sent, and until when. */
export interface LoadOptions {
  /** Where the collector listens now; asked before each attempt. */
  readonly url: () => string;
  readonly log: EventLog;
  readonly clients: number;
  /** Number of the first client; no two loads of a log may share one. */
  readonly firstClient: number;
  /** Requests of each client; default: until the signal. */
  readonly requests?: number;
  /** Ends each client after the request it is at. */
  readonly signal?: AbortSignal;
  /** Ends each client at once: nobody will answer any more. */
  readonly giveUp?: AbortSignal;
  /**
   * Which events carry an id of their own: `all` (default), those of every second request, or those
   * of most requests, the others having an Idempotency-Key instead.
   */
  readonly ids?: "all" | "some" | "or-key";
  /** Values of `Prefer` to take turns with; default none. */
  readonly prefer?: readonly string[];
  /**
   * `once`: a request is sent once, and a client ends when one gets no answer. `until-durable`: it
   * is sent until it is answered as durable, some of them again after that, as by a client that lost
   * the answer. `until-2xx`: the same, until it is accepted.
   */
  readonly delivery: "once" | "until-durable" | "until-2xx";
}

const ATTEMPT_TIMEOUT_MS = 15_000;
const PATIENCE_MS = 90_000; // a client that is not served for so long is a failure of its own
const PAUSE_MS = 25;
const BATCH_EVERY = 4, BATCH_MAX = 12;
const REPEAT_EVERY = 7;
const KEY_EVERY = 5;

/** Runs all clients to their end. Rejects if one is refused for good, or not served in time. */
export async function runLoad(options: LoadOptions): Promise<void> {
  const numbers = Array.from({ length: options.clients }, (_, i) => options.firstClient + i);
  await Promise.all(numbers.map((client) => runClient(client, options)));
}

/** Sends events again, by their ids, until they are durable. */
export async function resend(url: string, events: MadeEvent[], log: EventLog): Promise<void> {
  for (let i = 0; i < events.length; i += BATCH_MAX) {
    const request = { events: events.slice(i, i + BATCH_MAX), number: 0, key: "" };
    await deliver(request, { url: () => url, log, delivery: "until-durable" });
  }
}

async function runClient(client: number, options: LoadOptions): Promise<void> {
  const { requests = Infinity, signal, ids = "all" } = options;
  let sequence = 0;
  for (let request = 0; request < requests && signal?.aborted !== true; request++) {
    const count = request % BATCH_EVERY === 2 ? 2 + (client + request) % (BATCH_MAX - 1) : 1;
    const hasKey = ids === "or-key" && request % KEY_EVERY === 0;
    const hasId = ids === "some" ? request % 2 === 0 : !hasKey;
    const events = Array.from({ length: count }, () => makeEvent(client, sequence++, hasId));
    const sent = { events, number: request, key: hasKey ? `key-${client}-${request}` : "" };
    if (options.delivery !== "once") await deliver(sent, options);
    else if ((await attempt(sent, options)).status === 0) return;
  }
}

type DeliverOptions = Pick<LoadOptions, "url" | "log" | "delivery" | "prefer" | "giveUp">;

interface SentRequest {
  readonly events: readonly MadeEvent[];
  /** Which of the client's requests it is, from 0. */
  readonly number: number;
  /** Its Idempotency-Key; empty for none. */
  readonly key: string;
}

async function deliver(request: SentRequest, options: DeliverOptions): Promise<void> {
  const giveUpMs = performance.now() + PATIENCE_MS;
  const enough = options.delivery === "until-durable" ? ["durable"] : ["durable", "accepted"];
  let repeats = request.number % REPEAT_EVERY === 1 ? 1 : 0;
  for (let isKnown = false;;) {
    const answer = await attempt(request, options);
    const { outcome, status } = answer;
    if (enough.includes(outcome)) {
      if (isKnown) checkRepeat(request, answer, options.log);
      if (repeats-- === 0) return;
      isKnown = true;
      continue;
    }
    if (outcome === "refused" && status !== 503 && status !== 429) {
      throw new Error(`a valid request was refused: ${status}`);
    }
    options.giveUp?.throwIfAborted();
    if (performance.now() > giveUpMs) throw new Error(`not served in time: ${outcome} ${status}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** A request that was acknowledged before is answered as known. */
function checkRepeat({ events, key }: SentRequest, answer: Answer, log: EventLog): void {
  const { duplicates, isReplay } = answer;
  if (key === "" ? duplicates === events.length : isReplay) return;
  const keys = events.map(({ key }) => key).join();
  log.complaints.push(`a repeat of ${keys} was answered as new, duplicates: ${duplicates}`);
}

async function attempt(
  { events, number, key }: SentRequest,
  { url, log, prefer = [] }: DeliverOptions,
): Promise<Answer> {
  log.sending(events);
  const preferred = prefer[number % prefer.length] ?? "";
  const timeoutMs = ATTEMPT_TIMEOUT_MS;
  const answer = await post(url(), events, { prefer: preferred, key, timeoutMs });
  log.ended(events, answer.outcome);
  if (answer.complaint !== null) log.complaints.push(answer.complaint);
  return answer;
}
