/** `firehouse dead-letters list`, `export`, `replay` and `purge`: they ask a running collector. */

import type { Command } from "../config.ts";
import { CollectorError } from "../errors.ts";
import type { CommandOutput } from "./command_output.ts";
import { bytesIn, CollectorClient, failure } from "./collector_client.ts";

/** What is to be done with dead letters. */
export type DeadLetterCommand = Extract<Command, { readonly kind: "dead-letters" }>;

/** As `GET /dead-letters` gives it. */
interface Letter {
  readonly id: number;
  readonly received_at: string;
  readonly source: string;
  readonly protocol: string;
  readonly reason: string;
}

const PAGE = 1000;
const REASON_SHOWN = 100;
/** What a terminal might obey. */
// deno-lint-ignore no-control-regex -- these control characters are the subject
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** Does it. @throws {CollectorError} if it can not be done, or not for all of them. */
export async function runDeadLetterCommand(
  command: DeadLetterCommand,
  { print, tell }: CommandOutput,
): Promise<void> {
  const server = new CollectorClient(command);
  switch (command.action) {
    case "list":
      return await list(server, { print, tell });
    case "export":
      for await (const letter of letters(server)) print(JSON.stringify(letter) + "\n");
      return;
    case "replay":
      return await replay(command, server, tell);
    case "purge": {
      const { which } = command.given;
      const path = which === "all" ? `?through=${Number.MAX_SAFE_INTEGER % 1e15}` : `/${which}`;
      const { removed } = await server.ask("DELETE", `/dead-letters${path}`) as { removed: number };
      return tell(`${removed} removed`);
    }
  }
}

async function list(server: CollectorClient, { print, tell }: CommandOutput): Promise<void> {
  let count = 0;
  for await (const { id, received_at, source, protocol, reason } of letters(server)) {
    const shown = reason.length > REASON_SHOWN ? `${reason.slice(0, REASON_SHOWN)}…` : reason;
    print([id, received_at, source, protocol, shown.replaceAll(CONTROL, " ")].join("\t") + "\n");
    count++;
  }
  if (count === 0) tell("There are no dead letters.");
}

async function replay(
  { given: { which, raw } }: Extract<DeadLetterCommand, { readonly action: "replay" }>,
  server: CollectorClient,
  tell: (line: string) => void,
): Promise<void> {
  if (which !== "all") {
    const removed = await replayOne(which, server, raw === null ? null : await textOf(raw));
    return tell(
      `${which} was stored${removed ? "" : "; it could not be removed and is still there"}`,
    );
  }
  if (raw !== null) throw failure("--raw is for one dead letter", "Name its id.");
  // All that are there now: what the database refuses again becomes a letter behind them.
  const ids: number[] = [];
  for await (const { id } of letters(server)) ids.push(id);
  let done = 0, failed = 0;
  for (const id of ids) {
    try {
      await replayOne(id, server, null);
      done++;
    } catch (error) {
      if (!(error instanceof CollectorError)) throw error;
      failed++;
      tell(`${id}: ${error.message}`);
    }
  }
  tell(`${done} stored, ${failed} not`);
  if (failed > 0) throw failure(`${failed} dead letters were not replayed`, "See above.");
}

/** Replays a letter and gives whether it was removed. @throws {CollectorError} if it was not stored. */
async function replayOne(
  id: number | string,
  server: CollectorClient,
  text: Uint8Array<ArrayBuffer> | null,
): Promise<boolean> {
  const { status, removed } = await server.ask("POST", `/dead-letters/${id}/replay`, text) as {
    readonly status: string;
    readonly removed: boolean;
  };
  if (status === "replayed") return removed;
  throw failure("The database refused the event again", "A new dead letter says why.");
}

/** All dead letters, the oldest first. */
async function* letters(server: CollectorClient): AsyncGenerator<Letter> {
  for (let after: number | null = 0; after !== null;) {
    const page = await server.ask("GET", `/dead-letters?after=${after}&limit=${PAGE}`) as {
      readonly dead_letters: readonly Letter[];
      readonly next: number | null;
    };
    yield* page.dead_letters;
    after = page.next;
  }
}

/** A text as it is: an empty one would ask for the text of the letter itself. */
async function textOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = path === "-"
    ? await new Response(Deno.stdin.readable).bytes()
    : bytesIn(path, "Check --raw.");
  if (bytes.length === 0) throw failure(`${path} is empty`, "Check --raw.");
  return bytes;
}
