/**
 * The program as one file: what `deno task bundle` makes of this is `firehouse.js`. A Worker of it is
 * the same file once more, and its name says which one it is.
 */

/// <reference lib="deno.worker" />

const worker = self.name ?? ""; // the main thread has none
if (worker.startsWith("firehouse-store")) {
  await import("../../lib/store/worker.ts");
} else if (worker.startsWith("firehouse-reader")) {
  await import("../../lib/reader/worker.ts");
} else {
  const { main } = await import("../../main.ts");
  await main();
}
