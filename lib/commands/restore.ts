/** `firehouse restore`: a backup takes the place of a database, while no collector uses it. */

import type { Command } from "../config.ts";
import type { CommandOutput } from "./command_output.ts";

/** What is to be restored, and where. */
export type RestoreCommand = Extract<Command, { readonly kind: "restore" }>;

/** What a restore did: see `store/restoring.ts`. */
export interface RestoreOutcome {
  /** How many events there are now. */
  readonly events: number;
  /** Id of the newest; 0 if there are none. */
  readonly lastId: number;
  /** Where the database is that was there before; null if there was none. */
  readonly aside: string | null;
  /** What became of an earlier restore that was interrupted; null if there is none. */
  readonly earlier: string | null;
}

/** Does it. @throws {CollectorError} if it can not be done. */
export async function runRestoreCommand(
  { config: { db }, given: { file } }: RestoreCommand,
  { tell }: Pick<CommandOutput, "tell">,
  restore: (file: string, db: string) => Promise<RestoreOutcome>,
): Promise<void> {
  const { events, lastId, aside, earlier } = await restore(file, db);
  if (earlier !== null) tell(`Before this one, ${earlier}.`);
  tell(
    `${db} is what ${file} is: ${events} events, the newest ${lastId}. ` +
      (aside === null ? "There was none before." : `The one before is kept as ${aside}.`),
  );
}
