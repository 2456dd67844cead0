/** `firehouse backup`: a copy of a database as of one moment, while a collector uses it or not. */

import type { Command } from "../config.ts";
import { failure } from "./collector_client.ts";
import type { CommandOutput } from "./command_output.ts";
import type { ExportSource } from "./export.ts";

/** What is to be copied, and where. */
export type BackupCommand = Extract<Command, { readonly kind: "backup" }>;

/** Does it. @throws {CollectorError} if there is no copy then. */
export async function runBackupCommand(
  { config: { db }, given: { file } }: BackupCommand,
  { tell }: Pick<CommandOutput, "tell">,
  { reader, journalBytes }: ExportSource,
): Promise<void> {
  const startMs = performance.now();
  const onlyInJournal = await journalBytes(); // before: what is applied meanwhile may be in it too
  const { error, bytes, events, lastId } = await reader.backup(file);
  if (error !== null) {
    throw failure(`Cannot back ${db} up: ${error.replace(/\.$/, "")}`, `There is no new ${file}.`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  tell(
    `${file} is a copy of ${db}: ${events} events, the newest ${lastId}, ${bytes} bytes, ` +
      `checked and flushed after ${seconds} s.`,
  );
  if (onlyInJournal === 0) return;
  tell(`Not in it: ${onlyInJournal} bytes of events that were only in the journal.`);
}
