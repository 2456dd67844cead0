/** Indexes a database until there is nothing more to do; its own program, to be killed or beside others. */

import { OpenSource } from "../../lib/reader/open_source.ts";

if (import.meta.main) {
  const source = new OpenSource({ path: Deno.args[0] as string, indexing: "on" });
  Deno.stdout.writeSync(new TextEncoder().encode("begun\n"));
  const end = performance.now() + 20_000;
  while (performance.now() < end) {
    try {
      if (!source.indexSome()) break;
    } catch (error) {
      source.failed(error); // another process has the same block
    }
  }
  const blocks = source.get().index?.blocks;
  source.close();
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(blocks)));
}
