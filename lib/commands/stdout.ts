/** What a command writes to stdout when it matters that all of it arrives. */

import { failure } from "./collector_client.ts";

/**
 * Writes bytes whole; gives whether somebody still reads: not after `| head` has seen enough.
 *
 * @throws {CollectorError} if they can not be written, such as into a file on a full disk.
 */
export function writeOut(bytes: Uint8Array): boolean {
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    const why = error instanceof Error ? error.message : String(error);
    throw failure(`Cannot write to stdout: ${why}`, "Look at where it leads to.");
  }
}
