import { ok, strictEqual as equal } from "node:assert/strict";
import type { ExportFormat } from "../../lib/query.ts";
import type { HeldBytes } from "./held_bytes.ts";

/** An encoder that keeps the events, or what it wrote, holds more than 200 MB. */
const HELD_BYTES_MAX = 100e6;

async function heldBytes(format: ExportFormat): Promise<HeldBytes> {
  const program = new URL("held_bytes.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--v8-flags=--expose-gc", program, format],
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

for (const format of ["ndjson", "csv", "parquet"] satisfies ExportFormat[]) {
  Deno.test(`${format}: 1,000,000 events are written without being held`, async () => {
    const { events, characters, bytes, heldBytesMax } = await heldBytes(format);
    equal(events, 1_000_000);
    ok(characters > 300e6 && bytes > 100e6, `${characters} characters became ${bytes} bytes`);
    ok(heldBytesMax < HELD_BYTES_MAX, `${heldBytesMax} bytes were held`);
  });
}
