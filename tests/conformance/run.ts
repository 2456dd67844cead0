/**
 * Runs the conformance tests, prints the table of clients and situations, and writes it to
 * docs/CONFORMANCE.md if all of them were run. Arguments go to `deno test`: files, `--filter`.
 */

import { RECORD_VARIABLE } from "./cell.ts";
import { parseResults, renderTable } from "./table.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DOCUMENT = `${ROOT}docs/CONFORMANCE.md`;
const FOLDER = "tests/conformance/";
const BETWEEN = /(<!-- conformance:[^\n]*-->\n)[^]*(<!-- \/conformance -->)/;

/** Runs them and gives the exit status. */
async function run(args: readonly string[]): Promise<number> {
  const record = Deno.makeTempFileSync({ prefix: "firehouse-conformance-" });
  try {
    const hasFiles = args.some((arg) => arg.endsWith(".ts"));
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-prompt", "-A", ...args, ...hasFiles ? [] : [FOLDER]],
      cwd: ROOT,
      env: { [RECORD_VARIABLE]: record },
    }).spawn().status;
    const results = parseResults(Deno.readTextFileSync(record));
    const table = renderTable(results);
    Deno.stdout.writeSync(new TextEncoder().encode(`\n${table}\n`));
    if (args.length === 0) write(table);
    return code;
  } finally {
    Deno.removeSync(record);
  }
}

/** Puts the table into the document. */
function write(table: string): void {
  const text = Deno.readTextFileSync(DOCUMENT);
  if (!BETWEEN.test(text)) throw new Error(`no place for the table in ${DOCUMENT}`);
  Deno.writeTextFileSync(
    DOCUMENT,
    text.replace(BETWEEN, (_, before, after) => `${before}\n${table}\n\n${after}`),
  );
}

if (import.meta.main) Deno.exit(await run(Deno.args));
