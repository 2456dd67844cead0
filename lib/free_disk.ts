/** How much room is left on a disk. */

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
