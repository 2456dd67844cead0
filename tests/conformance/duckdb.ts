/**
 * DuckDB, asked by SQL. It runs as a program of its own without the lock file: `deno compile` puts
 * every package of that into the executable, and this one has 70 MB.
 */

/** A row of a result: JSON, with integers of 64 bits as text. */
export type Row = Readonly<Record<string, unknown>>;

const PACKAGE = "npm:@duckdb/node-api@1.5.6-r.1";

/** What is used of the package, whose own types would put it into the lock file. */
interface Package {
  readonly DuckDBInstance: {
    create(path: ":memory:"): Promise<{
      connect(): Promise<{
        runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): Row[] }>;
      }>;
    }>;
  };
}

/** Runs a statement and gives its rows. */
export async function query(sql: string): Promise<Row[]> {
  const program = new URL(import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", "--no-lock", "-A", program, sql],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (import.meta.main) {
  const { DuckDBInstance }: Package = await import(PACKAGE);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const result = await connection.runAndReadAll(Deno.args[0] ?? "");
  const json = new TextEncoder().encode(JSON.stringify(result.getRowObjectsJson()));
  for (let at = 0; at < json.length;) at += Deno.stdout.writeSync(json.subarray(at));
}
