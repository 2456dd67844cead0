/** Takes a renewed certificate into use. */

import { CollectorError } from "../errors.ts";
import type { BodyReader } from "./body.ts";
import type { Listener } from "./listener.ts";
import { readTlsPair, type TlsPaths } from "./tls_files.ts";

/** What it works on. */
export interface RenewalOptions {
  /** Listens. */
  readonly listener: Listener;
  /** Reads the bodies, which a change of listeners would break. */
  readonly bodies: BodyReader;
  /** Longest wait for the bodies that are being read, in ms. */
  readonly waitMs: number;
  /** Told what came of it. */
  readonly onNotice: (level: "info" | "warn", text: string) => void;
}

/** Reads the files and listens with them from now on; if they are not good, nothing changes. */
export async function renewCertificate(paths: TlsPaths, options: RenewalOptions): Promise<void> {
  const { listener, bodies, waitMs, onNotice } = options;
  try {
    const pair = readTlsPair(paths);
    await bodies.idle(waitMs);
    await bodies.cutBy(() => listener.renew(pair)); // those that are not there by now
    onNotice("info", `the certificate in ${paths.cert} is in use`);
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    onNotice("warn", `${error.message} The certificate in use stays`);
  }
}
