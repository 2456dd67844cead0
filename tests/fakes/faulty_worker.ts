/**
 * The real store Worker with one fault planted: the first write that finds a file `<database>.fault`
 * removes it and meets the fault it names.
 */

/// <reference lib="deno.worker" />

import { open } from "#driver";
import "../../lib/store/worker.ts";
import type { Numbered, StoreAnswer, StoreEvent, StoreQuestion } from "../../lib/store/messages.ts";

/**
 * What can be planted. `-before`: nothing is written yet; `-after`: stored, not yet answered;
 * `-applied`: it goes on until it has applied a part of the journal, which it does not tell.
 */
export type Fault =
  | "throw-before"
  | "throw-after"
  | "throw-with-lock"
  | "reject-before"
  | "reject-after"
  | "close-before"
  | "close-after"
  | "close-applied"
  | "spin-before";

/** How long `spin-before` spins: longer than the test's `hangMs`, and not for ever. */
export const SPIN_MS = 500;

type Handler = (event: MessageEvent<Numbered<StoreQuestion>>) => void;

const real = globalThis.onmessage as Handler | null;
let path = "";

/** Only in the Worker: who imports this module for its types has no handler. */
if (real !== null) {
  self.onmessage = (event: MessageEvent<Numbered<StoreQuestion>>) => {
    if (event.data.content.kind === "open") path = event.data.content.options.path;
    const fault = event.data.content.kind === "write" ? takeFault() : null;
    if (fault === null) return real(event);
    const [what, when] = fault.split(/-(.*)/);
    if (when === "applied") {
      endWhenApplied();
      return real(event);
    }
    if (when === "after") withoutAnswer(() => real(event));
    if (when === "with-lock") open(path).prepare("BEGIN IMMEDIATE").run([]);
    if (what === "throw") throw new Error("planted in the Worker");
    if (what === "reject") return void Promise.reject(new Error("planted in the Worker"));
    if (what === "close") return self.close();
    spin();
    real(event);
  };
}

function takeFault(): string | null {
  try {
    const fault = Deno.readTextFileSync(`${path}.fault`);
    Deno.removeSync(`${path}.fault`);
    return fault;
  } catch {
    return null;
  }
}

function withoutAnswer(write: () => void): void {
  const { postMessage } = self;
  self.postMessage = () => {};
  write();
  self.postMessage = postMessage;
}

function endWhenApplied(): void {
  const { postMessage } = self;
  self.postMessage = (message: Numbered<StoreAnswer | StoreEvent>) => {
    if (message.content.kind === "known") self.close();
    else postMessage.call(self, message);
  };
}

function spin(): void {
  const end = performance.now() + SPIN_MS;
  while (performance.now() < end);
}
