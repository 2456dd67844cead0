/** What docs/deploy holds, as far as it can be tried where the tests run. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { EXIT_CODES } from "../../lib/errors.ts";
import { OPTIONS } from "../../lib/options.ts";
import { shippedPermissions } from "./collector_process.ts";

const FOLDER = new URL("../../docs/deploy/", import.meta.url);
const CONTAINER = Deno.readTextFileSync(new URL("Containerfile", FOLDER));
const UNIT = Deno.readTextFileSync(new URL("firehouse.service", FOLDER));
const README = Deno.readTextFileSync(new URL("README.md", FOLDER));

/** The values of a setting of the unit. */
function unit(name: string): string[] {
  return [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);
}

Deno.test("the container runs this Deno, with the permissions of the start task", () => {
  const [, json = ""] = /^ENTRYPOINT (\[.*\])$/m.exec(CONTAINER) ?? [];
  deepEqual(JSON.parse(json), ["/bin/deno", "run", ...shippedPermissions(), "/firehouse.js"]);
  const versions = [...CONTAINER.matchAll(/^FROM \S+?(\d+\.\d+\.\d+)/gm)].map(([, each]) => each);
  deepEqual(versions, [Deno.version.deno, Deno.version.deno]);
});

Deno.test("the wrapper in the README has the permissions of the start task", () => {
  ok(README.includes(`exec deno run ${shippedPermissions().join(" ")} `));
});

Deno.test("the unit gives it time to stop, and does not start it again in vain", () => {
  ok(Number(unit("TimeoutStopSec")[0]) * 1000 > OPTIONS.shutdownTimeoutMs.default + 5000);
  const final = ["usage", "database-corrupt", "config"] as const;
  equal(unit("RestartPreventExitStatus")[0], final.map((code) => EXIT_CODES[code]).join(" "));
  match(unit("Environment").join(" "), /FIREHOUSE_DB=\/var\/lib\/firehouse\/events\.db/);
});

const hasSystemd = await found("systemd-analyze");

Deno.test({
  name: hasSystemd
    ? "systemd finds nothing wrong with the unit, and little that it leaves open"
    : "SKIPPED, systemd-analyze is not there: systemd finds nothing wrong with the unit",
  ignore: !hasSystemd,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "firehouse-unit-" });
    try {
      // Its program is not there: another one takes its place.
      const text = UNIT.replaceAll("/usr/local/bin/firehouse", Deno.execPath());
      const path = `${folder}/firehouse.service`;
      Deno.writeTextFileSync(path, text);
      const verified = await run("systemd-analyze", "verify", "--man=no", path);
      equal(verified.code, 0, verified.output);
      equal(verified.output.trim(), "");
      const { output } = await run("systemd-analyze", "security", "--offline=yes", path);
      const [, exposure = ""] = /Overall exposure level for \S+ ([\d.]+)/.exec(output) ?? [];
      ok(Number(exposure) > 0 && Number(exposure) < 2, output);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function found(program: string): Promise<boolean> {
  return await run(program, "--version").then(({ code }) => code === 0, () => false);
}

async function run(program: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}
