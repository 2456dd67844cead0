/** `firehouse token create`, `list` and `revoke`: what changes the tokens file, and shows it. */

import type { Command } from "../config.ts";
import type { CommandOutput } from "./command_output.ts";
import { CollectorError } from "../errors.ts";
import { listItems } from "../option_value.ts";
import { areScopes, newSecret, type Scope, SCOPES, sha256Of, type Token } from "../token.ts";
import { changeTokens, readTokensText, tokensOf, tokensPath } from "../token_file.ts";
import { TOKENS_MAX } from "../token_list.ts";
import { table } from "./table.ts";

/** What is to be done with tokens. */
export type TokenCommand = Extract<Command, { readonly kind: "token" }>;
type Create = Extract<TokenCommand, { readonly action: "create" }>;
type Revoke = Extract<TokenCommand, { readonly action: "revoke" }>;

/** Does it. @throws {CollectorError} if it can not be done; then nothing is changed. */
export async function runTokenCommand(
  command: TokenCommand,
  output: CommandOutput,
): Promise<void> {
  switch (command.action) {
    case "create":
      return await create(command, output);
    case "list":
      return list(tokensPath(command.config), output);
    case "revoke":
      return await revoke(command, output);
  }
}

async function create(
  { config, given }: Create,
  { print, tell }: CommandOutput,
): Promise<void> {
  const path = tokensPath(config), secret = newSecret();
  const token: Token = {
    name: given.name,
    sha256: sha256Of(secret),
    scopes: scopesOf(given.scopes),
    eventsPerSecond: given.eventsPerSecond,
    bytesPerSecond: given.bytesPerSecond,
    bodyBytes: given.bodyBytes,
    origins: listItems(given.origins ?? ""),
    created: new Date().toISOString(),
  };
  await changeTokens(path, (tokens) => {
    if (tokens.some(({ name }) => name === token.name)) throw nameTaken(token.name, path);
    if (tokens.length >= TOKENS_MAX) throw tooMany(path);
    return [...tokens, token];
  });
  print(`${secret}\n`);
  tell(
    `Token ${token.name} (${
      token.scopes.join(", ")
    }) was added to ${path}. It is shown only this ` +
      "once: keep it. Clients send it as `Authorization: Bearer TOKEN`; a running collector takes " +
      "it within two seconds.",
  );
}

function list(path: string, { print, tell }: CommandOutput): void {
  const tokens = tokensOf(path, readTokensText(path));
  if (tokens.length === 0) {
    return tell(`There are no tokens in ${path}; \`firehouse token create NAME\` makes one.`);
  }
  const limit = (value: number | null) => value === null ? "-" : String(value);
  const rows = tokens.map((token) => [
    token.name,
    token.scopes.join(","),
    limit(token.eventsPerSecond),
    limit(token.bytesPerSecond),
    limit(token.bodyBytes),
    token.origins.join(",") || "-",
    token.created,
  ]);
  const head = ["NAME", "SCOPES", "EVENTS/S", "BYTES/S", "BODY BYTES", "ORIGINS", "CREATED"];
  print(table([head, ...rows]));
}

async function revoke(
  { config, given: { name } }: Revoke,
  { tell }: CommandOutput,
): Promise<void> {
  const path = tokensPath(config);
  const left = await changeTokens(path, (tokens) => {
    const kept = tokens.filter((token) => token.name !== name);
    if (kept.length === tokens.length) throw nameUnknown(name, path);
    return kept;
  });
  tell(
    `Token ${name} was removed from ${path}; a running collector refuses it within two seconds.`,
  );
  if (left.length > 0) return;
  tell(
    "It was the last one: a collector that listens on a loopback address now serves every " +
      "request from this machine, any other none, unless it was started with --anonymous always.",
  );
}

/** The scopes in the order of the list, whatever the order they were given in. */
function scopesOf(text: string | null): readonly Scope[] {
  const given = text === null ? ["ingest"] : listItems(text);
  if (!areScopes(given)) throw new TypeError("Cannot make a token: the scopes were not checked");
  return SCOPES.filter((scope) => given.includes(scope));
}

function nameTaken(name: string, path: string): CollectorError {
  return new CollectorError("usage", `There is a token ${name} in ${path} already.`, {
    hint: `Take another name, or revoke that one first: \`firehouse token revoke ${name}\`.`,
  });
}

function nameUnknown(name: string, path: string): CollectorError {
  return new CollectorError("usage", `There is no token ${name} in ${path}.`, {
    hint: "`firehouse token list` shows those there are; --tokens or --db names another file.",
  });
}

function tooMany(path: string): CollectorError {
  return new CollectorError(
    "usage",
    `There are ${TOKENS_MAX} tokens in ${path}, as many as can be.`,
    {
      hint: "Revoke one that is not used any more: `firehouse token list` shows them.",
    },
  );
}
