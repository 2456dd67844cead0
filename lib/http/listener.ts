/**
 * Listens, and goes on listening: the accept loop of `Deno.serve` ends when the process is out of
 * file descriptors, and a renewed certificate needs another listener.
 */

import { CollectorError } from "../errors.ts";
import type { Handler } from "./handler.ts";
import type { TlsPair } from "./tls_files.ts";

/** How it listens. */
export interface ListenerOptions {
  /** Address to listen on. */
  readonly hostname: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Certificate and key; null for plain HTTP. */
  readonly tls: TlsPair | null;
  /** Answers the requests. */
  readonly handler: Handler;
  /** Told each time it has to listen again: why, and how often so far. */
  readonly onRelisten: (error: unknown, count: number) => void;
}

const RELISTEN_MS = 200;
/** How long the port is tried for at once when the listener before it was closed a moment ago. */
const TAKE_PORT_MS = 1000;
const SHUTDOWN_MS = 1000;

/** See the head of this file. */
export class Listener {
  readonly #options: ListenerOptions;
  #server: Deno.HttpServer<Deno.NetAddr> | null = null;
  #tls: TlsPair | null;
  #stopping = false;
  #relistens = 0;

  /** Listens nowhere: {@linkcode Listener.start} does. */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#tls = options.tls;
  }

  /** How often it had to listen again. */
  get relistens(): number {
    return this.#relistens;
  }

  /** Starts to listen and gives the address. @throws {CollectorError} if it can not. */
  start(): Deno.NetAddr {
    const { hostname, port } = this.#options;
    try {
      return this.#serve(port);
    } catch (cause) {
      const inUse = cause instanceof Deno.errors.AddrInUse;
      throw new CollectorError(
        "listen",
        `Cannot listen on ${hostname}:${port}: ${reason(cause)}.`,
        {
          hint: inUse
            ? "Another program has the port: stop it, or name another with --port (0 picks one)."
            : "Check --host and --port.",
          cause,
        },
      );
    }
  }

  /**
   * Closes what it can. Bodies in flight must have been waited for: the runtime's shutdown would
   * break them (denoland/deno#36809).
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    // It would wait for ever for a body that never ends; such a connection ends with the process.
    await Promise.race([this.#server?.shutdown(), delay(SHUTDOWN_MS)]);
  }

  /**
   * Listens with another certificate from now on. Connections that are open end once they have their
   * answers. Call it while no body is being read: the runtime would break it.
   */
  async renew(tls: TlsPair): Promise<void> {
    const before = this.#server;
    this.#tls = tls;
    if (before === null || this.#stopping) return;
    this.#server = null;
    const ended = before.shutdown();
    await this.#takePort(before.addr.port);
    await Promise.race([ended, delay(SHUTDOWN_MS)]);
  }

  async #takePort(port: number): Promise<void> {
    const endMs = performance.now() + TAKE_PORT_MS;
    for (;;) {
      try {
        this.#serve(port);
        return;
      } catch (error) {
        if (performance.now() > endMs) return await this.#relisten(error, port);
        await delay(1);
      }
    }
  }

  #serve(port: number): Deno.NetAddr {
    const { hostname, handler } = this.#options;
    const tls = this.#tls ?? {};
    const server = Deno.serve({ hostname, port, ...tls, onListen: () => {} }, handler);
    this.#server = server;
    server.finished.catch((error) => {
      if (this.#server === server) this.#relisten(error, server.addr.port);
    });
    return server.addr;
  }

  async #relisten(error: unknown, port: number): Promise<void> {
    while (!this.#stopping) {
      this.#relistens++;
      this.#options.onRelisten(error, this.#relistens);
      await delay(RELISTEN_MS);
      if (this.#stopping) return;
      try {
        this.#serve(port);
        return;
      } catch (again) {
        error = again;
      }
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
