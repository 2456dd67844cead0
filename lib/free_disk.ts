/** How much room is left on a disk. */

import { statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";

/**
 * Bytes that this user may still write to the disk that a path is on; null if that is not known:
 * Deno tells only with `--allow-sys=statfs`.
 */
export async function freeDiskBytes(path: string): Promise<number | null> {
  // Without leave it would ask on a terminal.
  const { state } = await Deno.permissions.query({ name: "sys", kind: "statfs" });
  if (state !== "granted") return null;
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** The same, for a Worker that may wait for it. */
export function freeDiskBytesSync(path: string): number | null {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "statfs" });
  if (state !== "granted") return null;
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}
