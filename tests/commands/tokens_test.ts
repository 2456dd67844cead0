import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { readCommand } from "../../lib/config.ts";
import { CollectorError, EXIT_CODES } from "../../lib/errors.ts";
import { sha256Of, type Token } from "../../lib/token.ts";
import { runTokenCommand } from "../../lib/commands/tokens.ts";
import { readTokensText, tokensOf } from "../../lib/token_file.ts";
import { TOKENS_MAX } from "../../lib/token_list.ts";
import { formatTokens } from "../../lib/token_list.ts";
import { tokenOf } from "../fakes/tokens.ts";

/** A folder with a database's tokens file to be, removed in the end. */
class Shell implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "firehouse-tokens-" });
  readonly db = `${this.folder}/events.db`;
  readonly path = `${this.db}.tokens.json`;

  /** Runs `firehouse token …`, and gives what it wrote. */
  async run(...args: string[]): Promise<{ printed: string; told: string }> {
    const command = readCommand(["token", ...args], { FIREHOUSE_DB: this.db });
    if (command.kind !== "token") throw new TypeError(`asked for ${command.kind}`);
    let printed = "", told = "";
    await runTokenCommand(command, {
      print: (text) => printed += text,
      tell: (line) => told += `${line}\n`,
    });
    return { printed, told };
  }

  get tokens(): readonly Token[] {
    return tokensOf(this.path, readTokensText(this.path));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** That a command is refused as a bad argument is, and how. */
async function refuses(shell: Shell, args: readonly string[], how: RegExp): Promise<void> {
  await rejects(shell.run(...args), (error) => {
    ok(error instanceof CollectorError);
    equal(EXIT_CODES[error.code], 64);
    match(`${error.message} ${error.hint}`, how);
    return true;
  });
}

Deno.test("create prints the token and nothing else on stdout, and keeps only its SHA-256", async () => {
  using shell = new Shell();
  const { printed, told } = await shell.run("create", "web");
  match(printed, /^fh_[\w-]{43}\n$/);
  const secret = printed.trim();
  const [token, ...others] = shell.tokens;
  deepEqual(others, []);
  const { created, ...rest } = token as Token;
  deepEqual(rest, {
    name: "web",
    sha256: sha256Of(secret),
    scopes: ["ingest"],
    eventsPerSecond: null,
    bytesPerSecond: null,
    bodyBytes: null,
    origins: [],
  });
  ok(Math.abs(Date.now() - Date.parse(created)) < 60_000, created);
  match(told, /^Token web \(ingest\) was added to .+events\.db\.tokens\.json\. It is shown only/);
  for (const text of [told, Deno.readTextFileSync(shell.path)]) ok(!text.includes(secret));
});

Deno.test("create takes scopes, limits and origins", async () => {
  using shell = new Shell();
  await shell.run(
    "create",
    "web",
    "--scopes= admin ,ingest",
    "--events-per-second=1",
    "--bytes-per-second=2",
    "--body-bytes=3",
    "--origins=https://a.example, *",
  );
  const { name: _n, sha256: _s, created: _c, ...rest } = shell.tokens[0] as Token;
  deepEqual(rest, {
    scopes: ["ingest", "admin"],
    eventsPerSecond: 1,
    bytesPerSecond: 2,
    bodyBytes: 3,
    origins: ["https://a.example", "*"],
  });
});

Deno.test("a name that is taken is refused, and the token that has it stays", async () => {
  using shell = new Shell();
  await shell.run("create", "web");
  const before = shell.tokens;
  await refuses(shell, ["create", "web", "--scopes=admin"], /already.*token revoke web/);
  deepEqual(shell.tokens, before);
});

Deno.test("more tokens than a file may hold are refused", async () => {
  using shell = new Shell();
  const tokens = Array.from({ length: TOKENS_MAX }, (_, i) => tokenOf(`t${i}`));
  Deno.writeTextFileSync(shell.path, formatTokens(tokens));
  await refuses(shell, ["create", "web"], /10000 tokens.*Revoke one/);
  equal(shell.tokens.length, TOKENS_MAX);
});

Deno.test("list shows a table of the tokens, and nothing that lets one in", async () => {
  using shell = new Shell();
  const web = tokenOf("web", { eventsPerSecond: 100, origins: ["https://a.example", "*"] });
  const boss = tokenOf("the-boss", { scopes: ["read", "admin"], bodyBytes: 1024 });
  Deno.writeTextFileSync(shell.path, formatTokens([web, boss]));
  const { printed, told } = await shell.run("list");
  equal(
    printed,
    `\
NAME      SCOPES      EVENTS/S  BYTES/S  BODY BYTES  ORIGINS              CREATED
web       ingest      100       -        -           https://a.example,*  2027-01-31T12:00:00.000Z
the-boss  read,admin  -         -        1024        -                    2027-01-31T12:00:00.000Z
`,
  );
  equal(told, "");
});

Deno.test("list says where there are no tokens, and makes no file", async () => {
  using shell = new Shell();
  const { printed, told } = await shell.run("list");
  equal(printed, "");
  match(told, /^There are no tokens in .+events\.db\.tokens\.json; `firehouse token create NAME`/);
  deepEqual([...Deno.readDirSync(shell.folder)], []);
});

Deno.test("revoke removes the token, says so, and warns when it was the last", async () => {
  using shell = new Shell();
  await shell.run("create", "a");
  await shell.run("create", "b");
  const first = await shell.run("revoke", "a");
  match(first.told, /^Token a was removed from .+\n$/);
  deepEqual(shell.tokens.map(({ name }) => name), ["b"]);
  const last = await shell.run("revoke", "b");
  match(last.told, /\nIt was the last one: /);
  deepEqual(shell.tokens, []);
  equal(first.printed + last.printed, "");
});

Deno.test("a token that is not there is not revoked, and no file is made", async () => {
  using shell = new Shell();
  await refuses(shell, ["revoke", "web"], /There is no token web in .+`firehouse token list`/);
  equal(readTokensText(shell.path), null);
});

Deno.test("--tokens names another file", async () => {
  using shell = new Shell();
  const path = `${shell.folder}/other.json`;
  await shell.run("create", "web", "--tokens", path);
  equal(tokensOf(path, readTokensText(path)).length, 1);
  equal(readTokensText(shell.path), null);
});

Deno.test("a malformed file is refused by every command and left as it is", async () => {
  using shell = new Shell();
  Deno.writeTextFileSync(shell.path, "{}");
  for (const args of [["create", "a"], ["list"], ["revoke", "a"]]) {
    await rejects(shell.run(...args), /is malformed: version must be 1/);
  }
  equal(Deno.readTextFileSync(shell.path), "{}");
});
