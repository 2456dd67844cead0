import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { CollectorError } from "../lib/errors.ts";
import type { Token } from "../lib/token.ts";
import { changeTokens } from "../lib/token_file.ts";
import { formatTokens } from "../lib/token_list.ts";
import { TokenWatch } from "../lib/token_watch.ts";
import { tokenOf } from "./fakes/tokens.ts";

const WAIT_MS = 10_000;
const POLL_MS = 5;

/** A watch of a file that holds `a`, and what it told. */
class Watched implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "firehouse-watch-" });
  readonly path = `${this.folder}/tokens.json`;
  readonly notices: string[] = [];
  tokens: readonly Token[] = [];
  readonly watch: TokenWatch;

  constructor(text: string | null = formatTokens([tokenOf("a")]), pollMs = POLL_MS) {
    if (text !== null) Deno.writeTextFileSync(this.path, text);
    this.watch = new TokenWatch(this.path, {
      pollMs,
      onTokens: (tokens) => this.tokens = tokens,
      onNotice: (level, text) => this.notices.push(`${level} ${text}`),
    });
  }

  get names(): string {
    equal(this.watch.tokens, this.tokens, "what it told is not what it holds");
    return this.tokens.map(({ name }) => name).join();
  }

  async until(isSo: () => boolean): Promise<void> {
    for (const endMs = performance.now() + WAIT_MS; !isSo();) {
      ok(performance.now() < endMs, `still ${this.names}; told ${this.notices.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Long enough for several looks. */
  async looks(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20 * POLL_MS));
  }

  [Symbol.dispose](): void {
    this.watch[Symbol.dispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("the tokens of the file are told at once, none if there is no file", () => {
  using watched = new Watched();
  equal(watched.names, "a");
  using empty = new Watched(null);
  equal(empty.names, "");
  deepEqual([...watched.notices, ...empty.notices], []);
});

Deno.test("a file that is malformed when it starts is refused", () => {
  throws(() => new Watched("{"), (error) => {
    return error instanceof CollectorError && error.code === "config" &&
      /is malformed: it is not JSON/.test(error.message);
  });
});

Deno.test("a change is noticed and told, whether made by a command or in place", async () => {
  using watched = new Watched();
  await changeTokens(watched.path, (tokens) => [...tokens, tokenOf("b")]);
  await watched.until(() => watched.names === "a,b");
  const changed = [tokenOf("b", { scopes: ["read"] }), tokenOf("c")];
  Deno.writeTextFileSync(watched.path, formatTokens(changed));
  await watched.until(() => watched.names === "b,c");
  deepEqual(watched.notices, [
    `info ${watched.path} was read: 2 tokens; added: b`,
    `info ${watched.path} was read: 2 tokens; added: c, changed: b, removed: a`,
  ]);
});

Deno.test("a file that appears is noticed", async () => {
  using watched = new Watched(null);
  await changeTokens(watched.path, () => [tokenOf("a")]);
  await watched.until(() => watched.names === "a");
});

Deno.test("a malformed change is told once, and changes nothing until it is mended", async () => {
  using watched = new Watched();
  Deno.writeTextFileSync(watched.path, '{"version":1');
  await watched.until(() => watched.notices.length > 0);
  await watched.looks();
  equal(watched.notices.length, 1);
  match(watched.notices[0] ?? "", /^warn The tokens file .+ is malformed: it is not JSON: .+/);
  match(watched.notices[0] ?? "", /What was read before stays: 1 token$/);
  equal(watched.names, "a");
  Deno.writeTextFileSync(watched.path, formatTokens([tokenOf("b")]));
  await watched.until(() => watched.names === "b");
});

Deno.test("a file that is gone is told once, and changes nothing until it is back", async () => {
  using watched = new Watched();
  Deno.removeSync(watched.path);
  await watched.until(() => watched.notices.length > 0);
  await watched.looks();
  equal(watched.notices.length, 1);
  match(watched.notices[0] ?? "", /^warn .+tokens\.json is gone\. What was read before stays/);
  equal(watched.names, "a");
  Deno.writeTextFileSync(watched.path, formatTokens([tokenOf("b")]));
  await watched.until(() => watched.names === "b");
});

Deno.test("all tokens can be revoked: an empty list is a change like another", async () => {
  using watched = new Watched();
  await changeTokens(watched.path, () => []);
  await watched.until(() => watched.names === "");
  Deno.removeSync(watched.path);
  await watched.looks();
  ok(watched.notices.every((notice) => notice.startsWith("info")), watched.notices.join("\n"));
});

Deno.test("a file that was not touched is not read again", async () => {
  using watched = new Watched();
  await watched.looks();
  deepEqual(watched.notices, []);
});

Deno.test("reload reads the file at once and tells, also when nothing is different", async () => {
  using watched = new Watched(undefined, 3_600_000);
  watched.watch.reload();
  deepEqual(watched.notices, [`info ${watched.path} was read: 1 token; none of them changed`]);
  await changeTokens(watched.path, () => [tokenOf("b"), tokenOf("c")]);
  equal(watched.names, "a", "it was read before it was asked to");
  watched.watch.reload();
  equal(watched.names, "b,c");
  Deno.writeTextFileSync(watched.path, "[]");
  watched.watch.reload();
  equal(watched.names, "b,c");
  match(watched.notices.at(-1) ?? "", /^warn .+it must be a JSON object/);
});

Deno.test("many changes are told in short", () => {
  using watched = new Watched(undefined, 3_600_000);
  const names = Array.from({ length: 12 }, (_, i) => `t${i}`);
  Deno.writeTextFileSync(watched.path, formatTokens(names.map((name) => tokenOf(name))));
  watched.watch.reload();
  match(watched.notices[0] ?? "", /12 tokens; added: t0 t1 .+ t9 and 2 more, removed: a$/);
});

Deno.test("once disposed of, it looks no more", async () => {
  using watched = new Watched();
  watched.watch[Symbol.dispose]();
  await changeTokens(watched.path, () => []);
  await watched.looks();
  equal(watched.names, "a");
});

Deno.test("disposed of in the middle of a look, it takes no more", async () => {
  const { stat } = Deno;
  const goOn = Promise.withResolvers<void>();
  let isLooking = false;
  Deno.stat = async (path) => {
    isLooking = true;
    await goOn.promise;
    return stat(path);
  };
  try {
    using watched = new Watched();
    await watched.until(() => isLooking);
    await changeTokens(watched.path, () => []);
    watched.watch[Symbol.dispose]();
    goOn.resolve();
    await watched.looks();
    equal(watched.names, "a");
  } finally {
    Deno.stat = stat;
  }
});

Deno.test("a watch does not keep the process alive", async () => {
  using watched = new Watched();
  const module = new URL("../lib/token_watch.ts", import.meta.url).href;
  const script = `
    const { TokenWatch } = await import(${JSON.stringify(module)});
    new TokenWatch(Deno.args[0], { onTokens: () => {}, onNotice: () => {} });`;
  Deno.writeTextFileSync(`${watched.folder}/watch.mjs`, script);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${watched.folder}/watch.mjs`, watched.path],
    cwd: new URL("..", import.meta.url).pathname,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timeout = setTimeout(() => process.kill("SIGKILL"), WAIT_MS);
  const { code } = await process.status;
  clearTimeout(timeout);
  equal(code, 0);
});
