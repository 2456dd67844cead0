import { ok, strictEqual as equal } from "node:assert/strict";
import { freeDiskBytes, freeDiskBytesSync } from "../lib/free_disk.ts";

Deno.test("the room that is left on a disk is a whole number of bytes", async () => {
  const bytes = await freeDiskBytes(".");
  ok(bytes !== null && Number.isSafeInteger(bytes) && bytes > 0, String(bytes));
  const now = freeDiskBytesSync(".");
  ok(now !== null && Number.isSafeInteger(now) && now > 0, String(now));
});

Deno.test("it is not known of a place that is not there", async () => {
  equal(await freeDiskBytes("/nowhere/at/all"), null);
  equal(freeDiskBytesSync("/nowhere/at/all"), null);
});

Deno.test({
  name: "it is not known without leave to ask, and nobody is asked for it",
  permissions: { sys: false, read: true },
  async fn() {
    equal(await freeDiskBytes("."), null);
    equal(freeDiskBytesSync("."), null);
  },
});
