/** Why the collector does not admit a submission that could be decoded. */

import type { Channel, Weighted } from "./channel.ts";
import { retryAfterSeconds } from "./drain_rate.ts";
import type { Refusal } from "./errors.ts";
import type { Submission } from "./event.ts";

/** The submission does not fit: now, or ever. `perSecond` is how many events drain. */
export function queueFull(
  channel: Channel<Submission>,
  submission: Weighted,
  perSecond: number,
): Refusal {
  const { capacity, capacityBytes } = channel;
  if (submission.events > capacity) {
    const detail = `The whole queue has room for ${capacity} events (--queue-capacity), ` +
      `the request holds ${submission.events}. Send fewer a request.`;
    return { code: "too-many-events", detail };
  }
  if (submission.bytes > capacityBytes) {
    const detail = `The whole queue has room for ${capacityBytes} bytes (--queue-bytes), ` +
      `the request needs ${submission.bytes}. Send less a request.`;
    return { code: "body-too-large", detail };
  }
  const depth = channel.queuedEvents + channel.inFlightEvents;
  const bytes = channel.queuedBytes + channel.inFlightBytes;
  const seconds = retryAfterSeconds(depth, perSecond, Math.random());
  const detail = `The queue holds ${depth} of ${capacity} events and ${bytes} of ` +
    `${capacityBytes} bytes. Send the request again later.`;
  return { code: "queue-full", detail, headers: { "retry-after": String(seconds) } };
}

/** What a request is answered while the collector stops. */
export const DRAINING: Refusal = {
  code: "draining",
  detail: "The collector is stopping and takes no more events.",
  headers: { "connection": "close", "retry-after": "5" },
};
/** What the repeat of a key with another body is answered. */
export const KEY_REUSED: Refusal = {
  code: "key-reused",
  detail: "A request with this Idempotency-Key had another body.",
};
/** What the repeat of a key is answered before the first has an answer. */
export const KEY_IN_FLIGHT: Refusal = {
  code: "key-in-flight",
  detail: "A request with this Idempotency-Key is not stored yet.",
  headers: { "retry-after": "1" },
};

/** What a request is answered while neither database nor journal take anything. */
export function storeFailing(reason: string): Refusal {
  return {
    code: "store-failing",
    detail: `Nothing can be stored at present: ${reason}. Send the request again later.`,
    headers: { "retry-after": "1" },
  };
}
