import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { countCalls } from "./strace.ts";

Deno.test("calls are counted by thread, as strace counts them", () => {
  const log = `11 pwrite64(31, "7"..., 32, 0) = 32
11 fsync(31) = 0
11 pwrite64(31, "7"..., 32, 0) = 32
12 fsync(31 <unfinished ...>
12 fsync(31) = 0
11 <... fsync resumed>) = 0
12 --- SIGTERM {si_signo=SIGTERM} ---
12 +++ exited with 0 +++
`;
  deepEqual([...countCalls(log)], [["pwrite64", 2], ["fsync", 2]]);
});
