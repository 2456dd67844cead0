import { strictEqual as equal } from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { VERSION } from "../lib/version.ts";

Deno.test("the version that the program tells is that of deno.json", () => {
  equal(VERSION, config.version);
});
