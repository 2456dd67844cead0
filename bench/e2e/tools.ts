/** The programs that measure: wrk, h2load, and /proc as `cat` shows it (Deno wants -A for it). */

/** What wrk measured in one run. */
export interface WrkRun {
  readonly requests: number;
  readonly requestsPerSecond: number;
}

/** How wrk is run: one thread, so that the server keeps a core. */
export interface WrkOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly body: string;
  readonly contentType: string;
}

/** Runs wrk against a URL. */
export async function wrk(url: string, options: WrkOptions): Promise<WrkRun> {
  const { connections, seconds, body, contentType } = options;
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  await Deno.writeTextFile(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "${contentType}"\n` +
      `wrk.body = [==[${body}]==]\n`,
  );
  const text = await run("wrk", [
    "-t1",
    `-c${connections}`,
    `-d${seconds}`,
    "--timeout=30s",
    "-s",
    script,
    url,
  ]);
  await Deno.remove(script);
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    requests: number(/(\d+) requests in/),
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
  };
}

/** Latencies in ms of requests sent at a fixed pace, sorted; throws if one was not answered 202. */
export async function paced(
  url: string,
  options: WrkOptions & { readonly requestsPerSecond: number },
): Promise<number[]> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/body`, options.body);
  await run("h2load", [
    "--h1",
    `--clients=${options.connections}`,
    `--rps=${Math.max(1, Math.round(options.requestsPerSecond / options.connections))}`,
    `--duration=${options.seconds}`,
    `--data=${folder}/body`,
    `--header=content-type: ${options.contentType}`,
    `--log-file=${folder}/log`,
    url,
  ]);
  const lines = (await Deno.readTextFile(`${folder}/log`)).trim().split("\n");
  await Deno.remove(folder, { recursive: true });
  const ms = lines.map((line) => {
    const [, status, microseconds] = line.split("\t");
    if (status !== "202") throw new Error(`a paced request was answered ${status}`);
    return Number(microseconds) / 1000;
  });
  return ms.sort((a, b) => a - b);
}

/** CPU time a process has used, in ms, all threads together. */
export function cpuMs(pid: number): Promise<number> {
  return usedMs(`/proc/${pid}/stat`);
}

/** CPU time its main thread has used, in ms. */
export function mainThreadCpuMs(pid: number): Promise<number> {
  return usedMs(`/proc/${pid}/task/${pid}/stat`);
}

async function usedMs(path: string): Promise<number> {
  const stat = await run("cat", [path]);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10; // utime and stime in ticks of 10 ms
}

/** The most memory a process has had resident, in MiB. */
export async function peakRssMiB(pid: number): Promise<number> {
  const status = await run("cat", [`/proc/${pid}/status`]);
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** Whether a program can be run. */
export function isInstalled(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}

/** Runs a program and gives its output; throws with its stderr if it failed. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
