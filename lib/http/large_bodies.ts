/**
 * Answers that are too large to be left with the runtime until a slow client has read them: all of
 * them together are bounded, and a client that does not read loses its own.
 */

/** Answers of fewer bytes are not counted. */
const LARGE_BYTES = 64 * 1024;
/** Most bytes of large answers that wait for their clients. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** How long a client may not read. */
const STALL_MS = 30_000;

/** See the head of this file. */
export class LargeBodies {
  #waitingBytes = 0;

  /** A text as a body; null if too much waits for other clients. */
  bodyOf(text: string): BodyInit | null {
    if (text.length < LARGE_BYTES) return text;
    const bytes = new TextEncoder().encode(text);
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) return null;
    return this.#streamOf(bytes);
  }

  #streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#waitingBytes += bytes.length;
    let at = 0, isOver = false, stall: ReturnType<typeof setTimeout> | undefined;
    const over = () => {
      clearTimeout(stall);
      if (!isOver) this.#waitingBytes -= bytes.length;
      isOver = true;
    };
    const wait = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
      clearTimeout(stall);
      stall = setTimeout(() => {
        over();
        controller.error(new Error("nobody reads the answer"));
      }, STALL_MS);
    };
    return new ReadableStream({
      start: wait,
      pull(controller) {
        wait(controller);
        controller.enqueue(bytes.subarray(at, at += PIECE_BYTES));
        if (at < bytes.length) return;
        over();
        controller.close();
      },
      cancel: over,
    }, { highWaterMark: 0 });
  }
}
