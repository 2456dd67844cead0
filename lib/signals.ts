/**
 * The signals: SIGTERM and SIGINT ask the program to stop, a second one or the time ends its
 * patience; SIGHUP asks it to read its files again, or, where it writes to a terminal, says that the
 * terminal was closed.
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

/** What is done on a signal. */
export interface SignalOptions {
  /** From the first signal to stop until the patience ends, in ms. */
  readonly timeoutMs: number;
  /** Called on each SIGHUP that asks to read files again; null if there are none: it stops then. */
  readonly onReload: (() => void) | null;
}

/** Listens for the signals. */
export function onSignals(options: SignalOptions): StopSignal {
  const { onReload } = options;
  const stop = Promise.withResolvers<string>();
  const expired = Promise.withResolvers<string>();
  let firstMs: number | null = null;
  const stopping = (name: string) => () => {
    const nowMs = performance.now();
    if (firstMs === null) {
      const { timeoutMs } = options; // it may have changed by now
      firstMs = nowMs;
      stop.resolve(name);
      setTimeout(() => expired.resolve(`not finished after ${timeoutMs} ms`), timeoutMs);
    } else if (nowMs - firstMs > SAME_SIGNAL_MS) expired.resolve(`a second ${name}`);
  };
  Deno.addSignalListener("SIGTERM", stopping("SIGTERM"));
  Deno.addSignalListener("SIGINT", stopping("SIGINT"));
  const isReload = onReload !== null && !Deno.stderr.isTerminal();
  Deno.addSignalListener("SIGHUP", isReload ? onReload : stopping("SIGHUP"));
  return { stop: stop.promise, expired: expired.promise };
}
