/**
 * SIGTERM, SIGINT, and SIGHUP of a closed terminal: the first asks the program to stop, a second one
 * or the time ends its patience.
 */

/**
 * How soon after the first a signal is taken for the same one, in ms: under `deno task`, Ctrl-C
 * arrives twice, from the terminal and forwarded.
 */
export const SAME_SIGNAL_MS = 1000;

/** What is known of the wish to stop. */
export interface StopSignal {
  /** Resolves with the name of the first signal. */
  readonly stop: Promise<string>;
  /** Resolves with the reason when the program should end at once. */
  readonly expired: Promise<string>;
}

/** Listens for the signals; `timeoutMs` runs from the first one. */
export function onStopSignal(timeoutMs: number): StopSignal {
  const stop = Promise.withResolvers<string>();
  const expired = Promise.withResolvers<string>();
  let firstMs: number | null = null;
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(name, () => {
      const nowMs = performance.now();
      if (firstMs === null) {
        firstMs = nowMs;
        stop.resolve(name);
        setTimeout(() => expired.resolve(`not finished after ${timeoutMs} ms`), timeoutMs);
      } else if (nowMs - firstMs > SAME_SIGNAL_MS) expired.resolve(`a second ${name}`);
    });
  }
  return { stop: stop.promise, expired: expired.promise };
}
