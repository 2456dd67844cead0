import { CONTEXT, submissionOf } from "./decoded.ts";
import { encodeBatch } from "../lib/event.ts";
import { decodeLines } from "../lib/protocols/native_body.ts";
import { benchDatabase } from "./e2e/grown.ts";
import { sampleLines } from "./sample.ts";

const encoder = new TextEncoder();
const limits = { maxRequestEvents: 10_000, maxEventBytes: 262_144 };

for (const synchronous of ["full", "normal"] as const) {
  const path = `${Deno.makeTempDirSync({ prefix: "firehouse-bench-" })}/events.db`;
  const database = benchDatabase(path, synchronous);
  let number = 0;
  for (const events of [200, 1000, 10_000]) {
    const rows = encodeBatch([
      submissionOf(decodeLines(encoder.encode(sampleLines(events)), CONTEXT, limits)),
    ]);
    Deno.bench(`insert: a transaction of ${events} events, synchronous ${synchronous}`, {
      group: `${events}`,
      baseline: synchronous === "full",
    }, () => {
      database.write({ number: ++number, events, rows, aside: 0, skip: [], deadLetters: [] });
      database.checkpointIfDue();
    });
  }
  globalThis.addEventListener("unload", () => {
    database.close();
    Deno.removeSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  });
}
