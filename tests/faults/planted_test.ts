import { rejects } from "node:assert/strict";
import { PlantedBug } from "./planted.ts";

Deno.test("a bug whose source is not there exactly once is not planted", async () => {
  const main = { file: "main.ts", becomes: "" };
  await rejects(PlantedBug.plant([{ ...main, source: "no such source" }]), /holds 0 times/);
  await rejects(PlantedBug.plant([{ ...main, source: "import" }]), /holds \d+ times, not once/);
});
