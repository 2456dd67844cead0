/** Saves what was fetched: where a token is needed, a plain link would come without it. */

import { el } from "./dom.js";

/** Most bytes that are collected before they are saved. */
export const COLLECTED_MAX = 512 * 1024 * 1024;

/**
 * Saves bytes under a name.
 * @param {Blob} blob
 * @param {string} name
 */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const anchor = el("a", { href: url, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** There is more than can be collected. */
export class TooLargeError extends Error {}

/** The connection ended before all was there. */
export class BrokenOffError extends Error {
  constructor() {
    super("It broke off before all was there; nothing was saved.");
  }
}

/**
 * Collects the body of an answer and saves it once it is whole.
 * @param {Response} response
 * @param {string} name
 * @param {(total: number) => void} onBytes told how much there is so far
 * @throws {TooLargeError} if it is more than {@linkcode COLLECTED_MAX}.
 * @throws {BrokenOffError} if it does not come whole.
 */
export async function saveResponse(response, name, onBytes) {
  let total = 0;
  const counting = new TransformStream({
    transform(/** @type {Uint8Array<ArrayBuffer>} */ chunk, controller) {
      onBytes(total += chunk.length);
      if (total > COLLECTED_MAX) throw new TooLargeError();
      controller.enqueue(chunk);
    },
  });
  const type = response.headers.get("content-type") ?? "application/octet-stream";
  const body = response.body?.pipeThrough(counting) ?? null;
  // The browser collects it outside of this page's memory. It tells no reason if that fails.
  const blob = await new Response(body, { headers: { "content-type": type } }).blob().catch(() => {
    throw total > COLLECTED_MAX ? new TooLargeError() : new BrokenOffError();
  });
  saveBlob(blob, name);
}
