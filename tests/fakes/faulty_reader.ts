/** The real reader Worker, with faults for events of certain ids. */

/// <reference lib="deno.worker" />

import type { ReaderQuestion } from "../../lib/reader/messages.ts";

/** Asking for the event with this id meets the fault. */
export const FAULTS = { throw: 900_000_001, reject: 900_000_002, silence: 900_000_003 } as const;

type Handler = (event: MessageEvent<{ readonly content: ReaderQuestion }>) => void;

/** Only in the Worker: a test imports this module for the ids. */
if (typeof self.postMessage === "function") {
  await import("../../lib/reader/worker.ts");
  const real = self.onmessage as Handler;
  self.onmessage = (event: MessageEvent<{ readonly content: ReaderQuestion }>) => {
    const { content } = event.data;
    const id = content.kind === "event" ? content.id : 0;
    if (id === FAULTS.throw) throw new Error("planted in the reader");
    if (id === FAULTS.reject) return void Promise.reject(new Error("planted in the reader"));
    if (id !== FAULTS.silence) real(event);
  };
}
