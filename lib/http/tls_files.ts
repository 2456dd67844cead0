/** Certificate and key, as PEM files that may be renewed while the collector runs. */

import { CollectorError } from "../errors.ts";

/** Where they are. */
export interface TlsPaths {
  /** Certificate chain, PEM. */
  readonly cert: string;
  /** Private key, PEM. */
  readonly key: string;
}

/** What they hold. */
export interface TlsPair {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/**
 * Reads both and tries them out.
 *
 * @throws {CollectorError} `config` if they can not be read or do not belong together.
 */
export function readTlsPair({ cert, key }: TlsPaths): TlsPair {
  const pair = { cert: readPem(cert), key: readPem(key) };
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair }).close();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CollectorError("config", `Cannot use ${cert} with ${key}: ${why}.`, {
      hint: "Check --tls-cert and --tls-key: PEM files, the certificate first in its chain.",
      cause,
    });
  }
  return pair;
}

function readPem(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CollectorError("config", `Cannot read ${path}: ${why}.`, {
      hint: "Check --tls-cert and --tls-key, and that this user may read both.",
      cause,
    });
  }
}
