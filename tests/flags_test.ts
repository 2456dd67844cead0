/** Flags that only subcommands have: switches, and those that may be there several times. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { readCommand } from "../lib/config.ts";
import { CollectorError } from "../lib/errors.ts";

function exported(...args: string[]) {
  const command = readCommand(["export", ...args], {});
  if (command.kind !== "export") throw new TypeError(`asked for ${command.kind}`);
  return command.given;
}

/** What a command line is refused with. */
function refused(...args: string[]): string {
  try {
    readCommand(args, {});
  } catch (error) {
    ok(error instanceof CollectorError, String(error));
    equal(error.code, "usage");
    return error.message;
  }
  throw new TypeError("it was not refused");
}

Deno.test("a switch is there or not, wherever it stands, and does not eat the next argument", () => {
  equal(exported().resume, null);
  equal(exported("--resume").resume, true);
  const { resume, output, format } = exported("--resume", "--output", "x", "--format=csv");
  deepEqual([resume, output, format], [true, "x", "csv"]);
  match(refused("export", "--resume", "stray"), /unexpected argument "stray"/);
  match(refused("export", "--resume=yes"), /--resume takes no value/);
  match(refused("tail", "--resume"), /--resume is no flag of `firehouse tail`/);
});

Deno.test("a flag that may be there several times keeps all its values in their order", () => {
  equal(exported().where, null);
  deepEqual(exported("--where", "a.b=1", "--type=x", "--where=c==,d").where, ["a.b=1", "c==,d"]);
  match(refused("export", "--where", "a"), /--where must be a member of metadata and its value/);
  match(refused("export", "--where", "--type", "x"), /--where needs a value/);
  match(refused("export", "--where="), /--where must not be empty/);
});

Deno.test("stdout is named by a dash, and a time that is none is refused by its flag", () => {
  equal(exported("--output", "-").output, "-");
  match(refused("export", "--from", "yesterday"), /--from must be a time such as .*"yesterday"/);
  match(refused("tail", "--last", "1001"), /--last must be an integer from 0 to 1000/);
  match(refused("export", "--point", "a/b"), /--point must be 1 to 64 letters/);
  match(refused("backup"), /backup needs FILE/);
});
