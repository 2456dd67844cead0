/** Which version this is. */

/** The version in `deno.json`, which a compiled program can not read. */
export const VERSION = "0.1.0";
