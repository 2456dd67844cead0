/** A rung of `bench/ladder_server.ts` as a process of its own. */

/** Where it listens, until it is disposed of. */
export interface RungServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** Starts it and waits until it listens. */
export async function serveRung(rung: string): Promise<RungServer> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "bench/ladder_server.ts", rung],
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  const port = new TextDecoder().decode((await reader.read()).value).trim();
  return {
    url: `http://127.0.0.1:${port}/event`,
    pid: process.pid,
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.status;
      await reader.cancel();
    },
  };
}
