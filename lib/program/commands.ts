/** Subcommands with the parts they work on. */

import { runBackupCommand } from "../commands/backup.ts";
import { runConfigCommand } from "../commands/config.ts";
import { runDeadLetterCommand } from "../commands/dead_letters.ts";
import { type ExportSource, runExportCommand } from "../commands/export.ts";
import { runRestoreCommand } from "../commands/restore.ts";
import { runTailCommand } from "../commands/tail.ts";
import { runTokenCommand } from "../commands/tokens.ts";
import type { Command, Config } from "../config.ts";
import { EXIT_CODES } from "../errors.ts";
import { readTlsPair } from "../http/tls_files.ts";
import { write } from "../log.ts";
import type { Operator } from "../operator.ts";
import { checkDatabase, WorkerReader } from "../reader/worker_reader.ts";
import { onSignals } from "../signals.ts";
import { checkExisting, databaseSize, lockExisting } from "../store/files.ts";
import { inspectDatabase } from "../store/inspection.ts";
import { refuseHalfRestored, restoreDatabase } from "../store/restoring.ts";
import { verifyDatabase } from "../store/worker_store.ts";

/** Does what a subcommand asks for. @throws {CollectorError} if it can not be done. */
export async function obey(
  command: Exclude<Command, { kind: "help" | "run" }>,
  operator: Operator,
): Promise<void> {
  const print = (text: string) => write(Deno.stdout, text);
  const tell = (text: string) => operator.told(text);
  switch (command.kind) {
    case "verify":
      return Deno.exit(await verify(command.config, operator));
    case "config":
      return runConfigCommand(command, { print, tell }, {
        database: ({ db, onCorrupt }) => inspectDatabase(db, onCorrupt),
        tls: readTlsPair,
      });
    case "token":
      return await runTokenCommand(command, { print, tell });
    case "dead-letters":
      return await runDeadLetterCommand(command, { print, tell });
    case "export":
      return await runExportCommand(command, { tell }, existing(command.config, operator));
    case "tail":
      return await runTailCommand(command, { tell }, stopSignal(command.config));
    case "backup":
      return await runBackupCommand(command, { tell }, existing(command.config, operator));
    case "restore":
      return await runRestoreCommand(
        command,
        { tell },
        (file, db) => restoreDatabase(db, { file, check: checkDatabase }),
      );
  }
}

/** Audits the database, and gives the exit status. */
async function verify(config: Config, operator: Operator): Promise<number> {
  refuseHalfRestored(config.db);
  using _lock = lockExisting(config.db);
  return operator.verified(await verifyDatabase(config.db)) ? 0 : EXIT_CODES["database-corrupt"];
}

/** What is read of a database, also while a collector uses it. */
function existing({ db: path, queryTimeoutMs }: Config, operator: Operator): ExportSource {
  refuseHalfRestored(path);
  checkExisting(path);
  const reader = new WorkerReader({
    path,
    indexing: "off",
    budgetMs: queryTimeoutMs,
    onGone: (reason) => operator.readerGone(reason),
  });
  return { reader, journalBytes: async () => (await databaseSize(path)).journalBytes };
}

/** Aborted by Ctrl-C and SIGTERM. */
function stopSignal({ shutdownTimeoutMs: timeoutMs }: Config): AbortSignal {
  const stopping = new AbortController();
  onSignals({ timeoutMs, onReload: null }).stop.then((name) => stopping.abort(name));
  return stopping.signal;
}
