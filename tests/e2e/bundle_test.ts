/** The one file of `deno task bundle`. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { build, livesThrough } from "./built_program.ts";
import { shippedPermissions } from "./collector_process.ts";

Deno.test("the bundle is the whole program: it runs alone, without packages and offline, and through kill -9", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-bundle-" });
  const empty = await Deno.makeTempDir({ prefix: "firehouse-alone-" });
  try {
    const built = await build("bundle", folder);
    ok(built.success, built.output);
    Deno.copyFileSync(`${folder}/firehouse.js`, `${empty}/firehouse.js`);
    // An empty cache, and nothing may be fetched: what is not in the file is not there.
    const env = { DENO_DIR: `${empty}/cache`, DENO_NO_PACKAGE_JSON: "1" };
    const offline = ["--cached-only", "--no-npm", "--no-remote", "--no-config"];
    const command = [Deno.execPath(), "run", ...offline, ...shippedPermissions(), "firehouse.js"];

    await t.step("it collects, and answers for what it stored", async () => {
      await livesThrough({ command: command as [string, ...string[]], folder: empty, env });
    });

    await t.step("its commands work", async () => {
      const [program = "", ...args] = command;
      const run = async (...words: string[]) => {
        const { code, stdout, stderr } = await new Deno.Command(program, {
          args: [...args, ...words],
          cwd: empty,
          env: { NO_COLOR: "1", ...env },
          stdin: "null",
        }).output();
        const decoder = new TextDecoder();
        equal(code, 0, `${words}: ${decoder.decode(stderr)}`);
        return decoder.decode(stdout) + decoder.decode(stderr);
      };
      match(await run("--help"), /--queue-capacity/);
      match(await run("verify", "--db", `${empty}/events.db`), /2/);
      match(await run("token", "create", "web", "--db", `${empty}/events.db`), /^fh_/m);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(empty, { recursive: true });
  }
});
