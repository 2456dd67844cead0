import { strictEqual as equal } from "node:assert/strict";
import { decodedBytesMax } from "../lib/decoded_limit.ts";

Deno.test("a body may become a hundred times longer, 1 MiB always, and never more than any may", () => {
  const MIB = 1024 * 1024;
  equal(decodedBytesMax(10, 8 * MIB), MIB);
  equal(decodedBytesMax(20_000, 8 * MIB), 2_000_000);
  equal(decodedBytesMax(MIB, 8 * MIB), 8 * MIB);
  equal(decodedBytesMax(10, 1000), 1000);
});
