import { ok } from "node:assert/strict";
import { optionsTable } from "../lib/config.ts";

const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url));

Deno.test("the README's options are those of the program", () => {
  const table = optionsTable();
  ok(readme.includes(`\n${table}\n`), `put this into README.md:\n\n${table}\n`);
});

Deno.test("the README's direct command has the permissions that the start task has", async () => {
  const { default: config } = await import("../deno.json", { with: { type: "json" } });
  ok(readme.includes(`exec ${config.tasks.start.command}\n`));
});
