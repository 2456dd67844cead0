/** Firehouse Collector: reads the command line, does what it asks for, and ends the process. */

import { readCommand } from "./lib/config.ts";
import { CollectorError, EXIT_CODES } from "./lib/errors.ts";
import { LiveConfig } from "./lib/live_config.ts";
import { createLog, write } from "./lib/log.ts";
import { Operator } from "./lib/operator.ts";
import { collect } from "./lib/program/collecting.ts";
import { obey } from "./lib/program/commands.ts";
import { realPath } from "./lib/store/files.ts";

/** Does what the command line asks for, and ends the process. */
export async function main(): Promise<void> {
  let operator = new Operator(createLog({ logFormat: "text" }));
  try {
    const command = readCommand(Deno.args, Deno.env.toObject());
    if (command.kind === "help") {
      write(Deno.stdout, command.text);
    } else {
      const live = new LiveConfig({ ...command.config, db: realPath(command.config.db) });
      operator = new Operator(createLog(live.config));
      if (command.kind === "run") await collect(live, operator);
      else await obey({ ...command, config: live.config }, operator);
    }
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    operator.failed(error);
    Deno.exit(EXIT_CODES[error.code]);
  }
  Deno.exit(0);
}

if (import.meta.main) await main();
