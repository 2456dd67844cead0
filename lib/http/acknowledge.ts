/**
 * When an admitted request is answered: at once, once it is flushed, or once it is committed, as the
 * collector is set or the request prefers.
 */

import type { Admission, Durability } from "../admission.ts";
import type { Collector } from "../collector.ts";
import type { Refusal } from "../errors.ts";
import type { Answer, Decoded, Format, Outcome, Preference, RequestHead } from "../protocol.ts";

/** What it is made of. */
export interface AcknowledgeOptions {
  /** Knows how far an admission has got. */
  readonly collector: Collector;
  /** When a request without a preference is answered. */
  readonly durability: Durability;
  /** Longest wait for the flush, in ms. */
  readonly ackTimeoutMs: number;
}

/** An admitted request. */
export interface Admitted {
  /** How it came. */
  readonly format: Format;
  /** Its head. */
  readonly head: RequestHead;
  /** What it held. */
  readonly decoded: Decoded;
  /** What became of it. */
  readonly admission: Admission;
}

/** Longest wait a request can ask for. */
const WAIT_SECONDS_MAX = 60;

/** See the head of this file. */
export class Acknowledger {
  readonly #options: AcknowledgeOptions;

  /** Holds no resources. */
  constructor(options: AcknowledgeOptions) {
    this.#options = options;
  }

  /** Answers an admitted request. */
  answer(admitted: Admitted, preference: Preference | null): Answer | Promise<Answer | Refusal> {
    if (preference !== null) return this.#prefer(admitted, preference);
    return this.#options.durability === "memory"
      ? this.#accepted(admitted, { level: "queued", preference })
      : this.#whenFlushed(admitted);
  }

  async #whenFlushed(admitted: Admitted): Promise<Answer | Refusal> {
    const { collector, ackTimeoutMs } = this.#options;
    const { admission } = admitted;
    if (!await collector.flushed(admission, ackTimeoutMs)) return UNCONFIRMED;
    return this.#accepted(admitted, { level: collector.level(admission), preference: null });
  }

  async #prefer(admitted: Admitted, preference: Preference): Promise<Answer> {
    if (preference.kind === "respond-async") {
      return this.#accepted(admitted, { level: "queued", preference });
    }
    const { collector } = this.#options, { admission } = admitted;
    const seconds = Math.min(preference.seconds, WAIT_SECONDS_MAX);
    await collector.committed(admission, seconds * 1000);
    const level = collector.level(admission);
    return this.#accepted(admitted, { level, preference: { kind: "wait", seconds } });
  }

  #accepted(admitted: Admitted, got: Pick<Outcome, "level" | "preference">): Answer {
    const { format, head, decoded, admission } = admitted;
    const receiptId = () => this.#options.collector.receiptId(admission);
    return format.accepted({ ...got, admission, decoded, head, receiptId });
  }
}

const UNCONFIRMED: Refusal = {
  code: "unconfirmed",
  detail: "The events were not flushed to the disk in time; they may be stored later.",
};
