import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { CollectorError, EXIT_CODES } from "../lib/errors.ts";
import type { Token } from "../lib/token.ts";
import { changeTokens, readTokensText, tokensOf, tokensPath } from "../lib/token_file.ts";
import { formatTokens } from "../lib/token_list.ts";
import { FakeTime } from "./fakes/fake_time.ts";
import { tokenOf } from "./fakes/tokens.ts";

/** A folder that is removed in the end, and a tokens file to be in it. */
function folder(): Disposable & { path: string; folder: string; names: () => string[] } {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-tokens-" });
  return {
    folder,
    path: `${folder}/tokens.json`,
    names: () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort(),
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

function readTokens(path: string): readonly Token[] {
  return tokensOf(path, readTokensText(path));
}

function namesIn(path: string): string[] {
  return readTokens(path).map(({ name }) => name);
}

const add = (name: string) => (tokens: readonly Token[]) => [...tokens, tokenOf(name)];

Deno.test("the tokens are beside the database, or where --tokens says", () => {
  equal(tokensPath({ db: "/data/events.db", tokens: "" }), "/data/events.db.tokens.json");
  equal(tokensPath({ db: "/data/events.db", tokens: "t.json" }), "t.json");
});

Deno.test("without a file there are no tokens, and none is made by looking", () => {
  using temp = folder();
  deepEqual(readTokens(temp.path), []);
  deepEqual(readTokens(`${temp.folder}/none/tokens.json`), []);
  deepEqual(temp.names(), []);
});

Deno.test("a change is in the file when it is done, which only its owner may read", async () => {
  using temp = folder();
  deepEqual(await changeTokens(temp.path, add("a")), [tokenOf("a")]);
  deepEqual(await changeTokens(temp.path, add("b")), [tokenOf("a"), tokenOf("b")]);
  deepEqual(readTokens(temp.path), [tokenOf("a"), tokenOf("b")]);
  equal((Deno.statSync(temp.path).mode ?? 0) & 0o777, 0o600);
  deepEqual(temp.names(), ["tokens.json", "tokens.json.lock"]);
});

Deno.test("a file whose mode was opened up is closed by the next change", async () => {
  using temp = folder();
  Deno.writeTextFileSync(temp.path, formatTokens([tokenOf("a")]), { mode: 0o666 });
  await changeTokens(temp.path, add("b"));
  equal((Deno.statSync(temp.path).mode ?? 0) & 0o777, 0o600);
});

Deno.test("what a command left that was killed does no harm", async () => {
  using temp = folder();
  await changeTokens(temp.path, add("a"));
  Deno.writeTextFileSync(`${temp.path}.new`, '{"version":1,"tok', { mode: 0o666 });
  await changeTokens(temp.path, add("b"));
  deepEqual(namesIn(temp.path), ["a", "b"]);
  equal((Deno.statSync(temp.path).mode ?? 0) & 0o777, 0o600);
  deepEqual(temp.names(), ["tokens.json", "tokens.json.lock"]);
});

Deno.test("a change that is not made leaves the file as it was, for the next", async () => {
  using temp = folder();
  await changeTokens(temp.path, add("a"));
  const before = Deno.readTextFileSync(temp.path);
  const refusal = new CollectorError("usage", "no", { hint: "none" });
  await rejects(
    changeTokens(temp.path, () => {
      throw refusal;
    }),
    refusal,
  );
  equal(Deno.readTextFileSync(temp.path), before);
  await changeTokens(temp.path, add("b"));
  deepEqual(namesIn(temp.path), ["a", "b"]);
});

Deno.test("changes at once, in one process, lose nothing", async () => {
  using temp = folder();
  const names = Array.from({ length: 30 }, (_, i) => `t${i}`);
  await Promise.all(names.map((name) => changeTokens(temp.path, add(name))));
  deepEqual(new Set(namesIn(temp.path)), new Set(names));
});

Deno.test("changes of several processes at once lose nothing, and none is seen half", async () => {
  using temp = folder();
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { changeTokens } = await import(${module("../lib/token_file.ts")});
    const { tokenOf } = await import(${module("./fakes/tokens.ts")});
    const [path, writer] = Deno.args;
    for (let i = 0; i < 10; i++) {
      await changeTokens(path, (tokens) => [...tokens, tokenOf(\`w\${writer}-\${i}\`)]);
    }`;
  Deno.writeTextFileSync(`${temp.folder}/writer.mjs`, script);
  const writers = [0, 1, 2].map((writer) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${temp.folder}/writer.mjs`, temp.path, String(writer)],
      cwd: new URL("..", import.meta.url).pathname,
      stdout: "null",
      stderr: "piped",
    }).output()
  );
  let areDone = false, seen = 0;
  const done = Promise.all(writers).finally(() => areDone = true);
  while (!areDone) {
    const now = readTokens(temp.path).length; // throws if it is malformed
    ok(now >= seen, `${now} tokens after ${seen}`);
    seen = now;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const { code, stderr } of await done) equal(code, 0, new TextDecoder().decode(stderr));
  equal(namesIn(temp.path).length, 30);
});

Deno.test("a command that does not come to its turn within 10 s says whom it waits for", async () => {
  using temp = folder();
  using lock = Deno.openSync(`${temp.path}.lock`, { create: true, write: true });
  lock.lockSync(true);
  using time = new FakeTime();
  const change = changeTokens(temp.path, add("a"));
  let isSettled = false;
  change.catch(() => {}).finally(() => isSettled = true);
  await time.tick(9_900);
  ok(!isSettled, "it did not wait");
  await time.tick(200);
  await rejects(change, (error) => {
    ok(error instanceof CollectorError);
    match(error.message, /^Another command is changing .+tokens\.json\.$/);
    match(error.hint, /tokens\.json\.lock/);
    return true;
  });
  deepEqual(readTokens(temp.path), []);
});

Deno.test("a link to the file stays one, and the file it leads to is changed", async () => {
  using temp = folder();
  Deno.mkdirSync(`${temp.folder}/real`);
  const real = `${temp.folder}/real/t.json`;
  Deno.writeTextFileSync(real, formatTokens([tokenOf("a")]));
  Deno.symlinkSync("real/t.json", temp.path);
  await changeTokens(temp.path, add("b"));
  ok(Deno.lstatSync(temp.path).isSymlink);
  deepEqual(namesIn(real), ["a", "b"]);
});

Deno.test({
  name: "what root makes belongs to the owner of the folder, or of the file it stands for",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  fn: async () => {
    using temp = folder();
    const owner = (path: string) => [Deno.statSync(path).uid, Deno.statSync(path).gid];
    Deno.chownSync(temp.folder, 1234, 2345);
    await changeTokens(temp.path, add("a"));
    deepEqual(owner(temp.path), [1234, 2345]);
    deepEqual(owner(`${temp.path}.lock`), [1234, 2345]);
    Deno.chownSync(temp.path, 3456, 4567);
    await changeTokens(temp.path, add("b"));
    deepEqual(owner(temp.path), [3456, 4567]);
  },
});

/** What reading a file is refused with. */
function refusal(path: string): CollectorError {
  let refused: CollectorError | null = null;
  throws(() => readTokens(path), (error) => {
    if (error instanceof CollectorError) refused = error;
    return error instanceof CollectorError;
  });
  if (refused === null) throw new Error("it was not refused");
  return refused;
}

Deno.test("a malformed file is refused with its name, the place and the way out, and kept", async () => {
  using temp = folder();
  const text = formatTokens([tokenOf("a")]).replace('"ingest"', '"write"');
  Deno.writeTextFileSync(temp.path, text);
  const error = refusal(temp.path);
  equal(EXIT_CODES[error.code], 78);
  match(error.message, /^The tokens file .+tokens\.json is malformed: tokens\[0\]\.scopes must be/);
  match(error.hint, /Mend it/);
  await rejects(changeTokens(temp.path, add("b")), /tokens\[0\]\.scopes must be/);
  equal(Deno.readTextFileSync(temp.path), text);
});

Deno.test("what is no file, or too large for one, is not read", () => {
  using temp = folder();
  Deno.mkdirSync(temp.path);
  match(refusal(temp.path).message, /it is not a file/);
  const large = `${temp.folder}/large.json`;
  Deno.writeFileSync(large, new Uint8Array());
  Deno.truncateSync(large, 16 * 1024 * 1024 + 1);
  match(refusal(large).message, /it is larger than 16777216 bytes/);
});

Deno.test("a file that would be too large to be read again is not written", async () => {
  using temp = folder();
  await changeTokens(temp.path, add("a"));
  const origins = Array.from({ length: 100 }, (_, i) => `https://${"a".repeat(230)}.${i}.example`);
  const many = Array.from({ length: 1000 }, (_, i) => tokenOf(`t${i}`, { origins }));
  await rejects(
    changeTokens(temp.path, () => many),
    /^.+it would be larger than 16777216 bytes\.$/,
  );
  deepEqual(namesIn(temp.path), ["a"]);
});

Deno.test("a folder that is not there is told, with the way out", async () => {
  using temp = folder();
  await rejects(changeTokens(`${temp.folder}/none/tokens.json`, add("a")), (error) => {
    ok(error instanceof CollectorError);
    equal(EXIT_CODES[error.code], 78);
    match(error.message, /^Cannot write the tokens file .+none\/tokens\.json: .+[^.]\.$/);
    match(error.hint, /--tokens/);
    return true;
  });
  deepEqual(temp.names(), []);
});
