import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { optionsTable } from "../lib/help.ts";

const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url));

Deno.test("the README's options are those of the program", () => {
  const table = optionsTable();
  ok(readme.includes(`\n${table}\n`), `put this into README.md:\n\n${table}\n`);
});

Deno.test("the README's direct command has the permissions that the start task has", async () => {
  const { default: config } = await import("../deno.json", { with: { type: "json" } });
  ok(readme.includes(`exec ${config.tasks.start.command}\n`));
});

function testSources(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, import.meta.url))].flatMap(
    ({ name, isDirectory }) => {
      if (isDirectory) return testSources(`${folder}${name}/`);
      return name.endsWith("_test.ts")
        ? [Deno.readTextFileSync(new URL(folder + name, import.meta.url))]
        : [];
    },
  );
}

Deno.test("every guarantee in the README has a test that carries its number", () => {
  const promised = [...readme.matchAll(/^\| (G\d+) /gm)].map(([, number]) => number);
  ok(promised.length >= 15, `only ${promised.length} guarantees were found`);
  const names = testSources("./").flatMap((text) =>
    [...text.matchAll(/\[(G\d+)\]/g)].map(([, number]) => number)
  );
  deepEqual(promised.filter((number) => !names.includes(number)), [], "without a test");
  deepEqual(names.filter((number) => !promised.includes(number)), [], "without a promise");
});
