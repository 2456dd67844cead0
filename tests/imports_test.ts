/** Imports point one way: see the picture in the design of the house. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { builtinModules } from "node:module";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const MAIN = "main.ts";
/** Puts the parts together, and so may import them all. */
const PROGRAM = "lib/program";

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Whether the specifier is loaded when the importing file is. */
  readonly isValue: boolean;
}

/** What a folder may import beside its own files and those of `lib`. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  "lib/store": ["lib/sqlite"],
  "lib/reader": ["lib/sqlite"],
};

/** Paths of the program's files, from the root of the repository. */
function sourceFiles(folder = "lib/"): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? sourceFiles(`${folder}${name}/`) : name.endsWith(".ts") ? [folder + name] : []
  ).sort();
}

/** All imports, re-exports and dynamic imports of a text. */
function importsOf(from: string, text: string): Import[] {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const statement =
    /^\s*(?:import|export)\b(?:\s+(type)\b(?!\s*,|\s+from\b))?(?:[^;"'()=]*?\bfrom)?\s*["']([^"']+)["']/gm;
  const dynamic = /\bimport\(\s*["']([^"']+)["']/g;
  return [
    ...[...code.matchAll(statement)].map(([, type, specifier = ""]) => ({
      from,
      specifier,
      isValue: type === undefined,
    })),
    ...[...code.matchAll(dynamic)].map(([, specifier = ""]) => ({
      from,
      specifier,
      isValue: true,
    })),
  ];
}

/** What a specifier leads to: a path from the root, or, for a package or builtin, itself. */
function resolve({ from, specifier }: Import): string {
  const mapped: string = (config.imports as Record<string, string>)[specifier] ?? specifier;
  if (mapped.startsWith("./") && mapped !== specifier) return mapped.slice(2);
  if (!/^\.{1,2}\//.test(specifier)) return specifier;
  return new URL(specifier, new URL(from, ROOT)).href.slice(ROOT.href.length);
}

/** The folder of a path, such as `lib` or `lib/http`. */
function folderOf(path: string): string {
  return path.split("/").slice(0, -1).join("/");
}

/** Why an import points the wrong way; null if it does not. */
function wrong(each: Import): string | null {
  const folder = folderOf(each.from), target = resolve(each);
  const told = `${each.from} imports ${each.specifier}`;
  if (target.startsWith("node:")) {
    return builtinModules.includes(target.slice(5)) || target === "node:sqlite"
      ? null
      : `${told}, which is no builtin`;
  }
  if (/^(lib\/|main\.ts$|tests\/|bench\/)/.test(target)) {
    if (each.from === MAIN || folder === PROGRAM) return target.startsWith("lib/") ? null : told;
    const open = ["lib", folder, ...SHARED[folder] ?? []];
    return open.includes(folderOf(target)) ? null : `${told}, across folders`;
  }
  if (["lib", PROGRAM].includes(folder) || each.from === MAIN) {
    return `${told}: the domain needs no package`;
  }
  return Object.hasOwn(config.imports, target) ? null : `${told}, which is not in the import map`;
}

function readImports(path: string): Import[] {
  return importsOf(path, Deno.readTextFileSync(new URL(path, ROOT)));
}

/** The files that run on the main thread, and how each is reached. */
function reachable(read: (path: string) => Import[]): Map<string, string> {
  const reached = new Map([[MAIN, MAIN]]);
  for (const [path, way] of reached) { // grows while it is walked
    if (!path.endsWith(".ts")) continue;
    for (const each of read(path)) {
      const target = resolve(each);
      if (each.isValue && !reached.has(target)) reached.set(target, `${way} > ${target}`);
    }
  }
  return reached;
}

const SQLITE = [
  "node:sqlite",
  "lib/sqlite/driver_node.ts",
  "lib/sqlite/driver_jsr.ts",
  "@db/sqlite",
];

Deno.test("no import of the program points the wrong way", () => {
  const imports = [...sourceFiles(), MAIN].flatMap(readImports);
  ok(imports.length > 40, `only ${imports.length} imports were found`);
  deepEqual(imports.map(wrong).filter((why) => why !== null), []);
});

Deno.test("the main thread never loads SQLite: only the store Worker, started by URL, does", () => {
  const reached = reachable(readImports);
  ok(reached.has("lib/store/worker_store.ts") && reached.has("lib/http/handler.ts"));
  const ways = SQLITE.flatMap((target) => reached.get(target) ?? []);
  deepEqual(ways, []);
  const worker = readImports("lib/store/connection.ts").map(resolve);
  ok(SQLITE.some((target) => worker.includes(target)), "the Worker reaches SQLite by another way");
});

Deno.test("no file imports itself in a circle", () => {
  const values = new Map(
    [...sourceFiles(), MAIN].map((path) => [
      path,
      readImports(path).filter(({ isValue }) => isValue).map(resolve),
    ]),
  );
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) return void circles.push([...way, path].join(" > "));
    for (const target of values.get(path) ?? []) visit(target, [...way, path]);
  };
  visit(MAIN, []);
  visit("lib/store/worker.ts", []);
  deepEqual(circles, []);
});

Deno.test("this test sees every kind of import and knows a wrong one", () => {
  const text = `
    // import { no } from "./no.ts";
    /* import { no } from "./no.ts"; */
    import { a } from "./a.ts";
    import b, { type B } from '../b.ts';
    import * as c from "node:c";
    import "./d.ts";
    import type { E } from "./e.ts";
    import {
      f,
      g,
    } from "./f.ts";
    export { h } from "./h.ts";
    export type { I } from "./i.ts";
    export * from "./j.ts";
    import type, { k } from "./k.ts";
    import { type L } from "./l.ts";
    const m = await import("./m.ts");
    export const n = "./no.ts";
  `;
  const found = importsOf("lib/x.ts", text);
  deepEqual(
    found.filter(({ isValue }) => isValue).map(({ specifier }) => specifier).sort(),
    [
      "../b.ts",
      "./a.ts",
      "./d.ts",
      "./f.ts",
      "./h.ts",
      "./j.ts",
      "./k.ts",
      "./l.ts",
      "./m.ts",
      "node:c",
    ],
  );
  deepEqual(
    found.filter(({ isValue }) => !isValue).map(({ specifier }) => specifier),
    ["./e.ts", "./i.ts"],
  );
  const isWrong = (from: string, specifier: string) =>
    wrong({ from, specifier, isValue: true }) !== null;
  for (
    const [from, specifier] of [
      ["lib/writer.ts", "./http/body.ts"],
      ["lib/writer.ts", "./store/database.ts"],
      ["lib/writer.ts", "left-pad"],
      ["lib/writer.ts", "#driver"],
      ["lib/writer.ts", "../main.ts"],
      ["lib/http/body.ts", "../store/files.ts"],
      ["lib/http/body.ts", "#driver"],
      ["lib/reader/worker.ts", "../store/files.ts"],
      ["lib/http/body.ts", "../../tests/fakes/memory_store.ts"],
      ["lib/http/body.ts", "left-pad"],
      ["lib/http/body.ts", "node:left-pad"],
      ["lib/protocols/native.ts", "../http/body.ts"],
      ["lib/http/body.ts", "../program/commands.ts"],
      ["lib/program/commands.ts", "left-pad"],
      ["lib/program/commands.ts", "../../main.ts"],
      ["main.ts", "./tests/x.ts"],
    ] as const
  ) ok(isWrong(from, specifier), `${from} may import ${specifier}`);
  for (
    const [from, specifier] of [
      ["lib/writer.ts", "./channel.ts"],
      ["lib/writer.ts", "node:util"],
      ["lib/http/body.ts", "../errors.ts"],
      ["lib/http/handler.ts", "./body.ts"],
      ["lib/store/database.ts", "#driver"],
      ["lib/program/commands.ts", "../store/files.ts"],
      ["main.ts", "./lib/http/body.ts"],
    ] as const
  ) ok(!isWrong(from, specifier), `${from} may not import ${specifier}`);
  const files: Record<string, Import[]> = {
    "main.ts": [{ from: MAIN, specifier: "./lib/a.ts", isValue: true }],
    "lib/a.ts": [{ from: "lib/a.ts", specifier: "#driver", isValue: true }],
    "lib/sqlite/driver_node.ts": importsOf(
      "lib/sqlite/driver_node.ts",
      'import {} from "node:sqlite"',
    ),
  };
  ok(reachable((path) => files[path] ?? []).has("node:sqlite"));
});
