import { strictEqual as equal } from "node:assert/strict";
import * as bugs from "./faults/bugs.ts";

Deno.test("each bug that the fault tests plant has its place in the program, once", async () => {
  for (const { file, source } of Object.values(bugs).flat()) {
    const text = await Deno.readTextFile(new URL(`../${file}`, import.meta.url));
    equal(text.split(source).length - 1, 1, `${file}: ${source}`);
  }
});
