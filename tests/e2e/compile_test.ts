/** The single executable of `deno task compile`. */

import { match, ok } from "node:assert/strict";
import { build, livesThrough } from "./built_program.ts";

Deno.test("the executable holds the bundle and nothing else, and runs by itself", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-compile-" });
  try {
    let built = await build("compile", folder);
    const lacksRuntime = !built.success && /denort|download/i.test(built.output);
    // The result of this does not run, but what it holds is the same.
    if (lacksRuntime) built = await build("compile", folder, { DENORT_BIN: Deno.execPath() });
    ok(built.success, built.output);

    await t.step("it embeds one file, in which everything is: see bundle_test.ts", () => {
      match(built.output, /Embedded Files\s+firehouse\n└── firehouse\.js \([\d.]+MB\)\n/);
    });
    await t.step({
      name: lacksRuntime
        ? "SKIPPED: it is not run, because denort could not be downloaded from dl.deno.land"
        : "it collects, and answers for what it stored",
      ignore: lacksRuntime,
      fn: () => livesThrough({ command: [`${folder}/firehouse`], folder, env: {} }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
