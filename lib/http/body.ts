/**
 * Reads request bodies under limits the runtime does not have: size, time, and how many at once.
 *
 * After a timeout the connection cannot be closed from here, and the runtime goes on reading: such
 * a body counts as in flight until the client ends it, so the limits hold for the process.
 */

import { Buffer } from "node:buffer";
import type { Refusal } from "../errors.ts";

/** Limits on bodies as they come over the wire. */
export interface BodyLimits {
  /** Most bytes a body, before content decoding. */
  readonly bytesMax: number;
  /** Longest time from head to last byte, in ms; kept to within twice {@linkcode SWEEP_MS}. */
  readonly timeoutMs: number;
  /** Most bodies being read at once. */
  readonly inFlightMax: number;
  /** Most bytes held of bodies that are being read. */
  readonly inFlightBytesMax: number;
}

/**
 * Up to this length a body is read by one call and its declared length counts as held from the head
 * on; a longer one is read piece by piece, and counts as it comes.
 */
const SMALL_BYTES = 16 * 1024;

/** How often timeouts are looked for, in ms. */
export const SWEEP_MS = 250;

interface Reading {
  readonly startedMs: number;
  end(result: Uint8Array | Refusal): void;
}

/** See the head of this file. */
export class BodyReader {
  #limits: BodyLimits;
  readonly #readings = new Set<Reading>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #idle: (() => void)[] = [];
  /** Read by every request; a clock call each would cost more than the precision is worth. */
  #nowMs = performance.now();
  #inFlight = 0;
  #inFlightBytes = 0;
  #cut: Refusal = INCOMPLETE;

  /** Starts the timer that looks for timeouts; dispose of the reader to stop it. */
  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** Keeps these limits from now on, also for bodies that are being read. */
  limit(limits: BodyLimits): void {
    this.#limits = limits;
  }

  /** Bodies being read, those that timed out and go on included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Stops the timer. */
  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }

  /**
   * Reads the body whole or says why not. `declared` is the Content-Length header, null if the
   * length is not known beforehand. (Touching `request.body` makes a stream of it, which costs more
   * than all the rest here: only a body of unknown or great length is read that way.)
   */
  read(
    request: Request,
    declared: string | null,
  ): Promise<Uint8Array | Refusal> | Refusal {
    const { bytesMax, inFlightMax, inFlightBytesMax } = this.#limits;
    const length = declared === null ? null : declaredLength(declared);
    if (length !== null && length > bytesMax) return tooLarge(bytesMax);
    const isSmall = length !== null && length <= SMALL_BYTES;
    const charge = isSmall ? length : 0;
    if (this.#inFlight >= inFlightMax || this.#inFlightBytes + charge > inFlightBytesMax) {
      return TOO_MANY;
    }
    this.#inFlight++;
    this.#inFlightBytes += charge;
    return new Promise((resolve) => {
      const reading: Reading = { startedMs: this.#nowMs, end: resolve };
      this.#readings.add(reading);
      const ended = (body: Uint8Array | Refusal) => {
        this.#inFlight--;
        this.#inFlightBytes -= charge;
        this.#readings.delete(reading);
        const isCut = length !== null && body instanceof Uint8Array && body.length !== length;
        resolve(isCut ? this.#cut : body);
        if (this.#idle.length > 0 && this.#readings.size === 0) this.#tellIdle();
      };
      const whole = isSmall ? request.bytes() : this.#readPieces(request, reading);
      whole.then(ended, () => ended(this.#cut));
    });
  }

  /** Resolves when no body is being read, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void> {
    if (this.#readings.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => (clearTimeout(timer), resolve()));
    });
  }

  /** Bodies that end early while this is done have been cut by it, not by their senders. */
  async cutBy(act: () => Promise<void>): Promise<void> {
    this.#cut = CUT;
    try {
      await act();
    } finally {
      this.#cut = INCOMPLETE;
    }
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Reads a body piece by piece, giving up where it passes a limit or its time. */
  async #readPieces(request: Request, reading: Reading): Promise<Uint8Array | Refusal> {
    const { bytesMax, inFlightBytesMax } = this.#limits;
    if (request.body === null) return new Uint8Array();
    const reader = request.body.getReader();
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          return chunks.length === 1 ? chunks[0] as Uint8Array : Buffer.concat(chunks, length);
        }
        length += value.length;
        this.#inFlightBytes += value.length;
        const isTooLarge = length > bytesMax;
        const isAnswered = !this.#readings.has(reading); // by the timeout
        if (isTooLarge || isAnswered || this.#inFlightBytes > inFlightBytesMax) {
          reader.cancel().catch(() => {}); // the client may be gone
          return isTooLarge ? tooLarge(bytesMax) : TOO_MANY;
        }
        chunks.push(value.slice()); // a piece keeps its whole buffer of 64 KiB alive
      }
    } finally {
      this.#inFlightBytes -= length;
    }
  }

  #sweep(): void {
    this.#nowMs = performance.now();
    const { timeoutMs } = this.#limits;
    for (const reading of this.#readings) { // oldest first
      if (this.#nowMs - reading.startedMs < timeoutMs + SWEEP_MS) break; // the start was rounded down
      this.#readings.delete(reading);
      reading.end({
        code: "body-timeout",
        detail: `The body was not complete after ${timeoutMs} ms.`,
        headers: { connection: "close" }, // the runtime adds it most times, not always
      });
    }
    if (this.#readings.size === 0) this.#tellIdle();
  }
}

const TOO_MANY: Refusal = {
  code: "too-many-bodies",
  detail: "Too many requests are being received at once. Send it again later.",
  headers: { "retry-after": "1" },
};

const INCOMPLETE: Refusal = {
  code: "body-incomplete",
  detail: "The connection ended before the body did.",
};

const CUT: Refusal = {
  code: "draining",
  detail: "The collector closed its connections while the body was coming. Send it again.",
  headers: { "retry-after": "1" },
};

/** The length a Content-Length header declares; the runtime lets several pass if they are equal. */
export function declaredLength(header: string): number {
  const length = Number(header);
  return Number.isNaN(length) ? Number(header.slice(0, header.indexOf(","))) : length;
}

function tooLarge(bytesMax: number): Refusal {
  return {
    code: "body-too-large",
    detail: `Expected at most ${bytesMax} bytes before decoding.`,
  };
}
