/** The programs that measure: wrk, h2load, and /proc as `cat` shows it (Deno wants -A for it). */

/** What wrk measured in one run. */
export interface WrkRun {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Answers that were not 2xx. */
  readonly refused: number;
  /** Latency that 99 % of the answers did not exceed. */
  readonly p99Ms: number;
}

/** How wrk is run: one thread, so that the server keeps a core. */
export interface WrkOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly body: string;
  readonly contentType: string;
  /**
   * More of wrk's script, such as `numbered.ts` gives; `run` is a name for this run of wrk.
   */
  readonly lua?: (run: string) => string;
}

/** Runs wrk against a URL. */
export async function wrk(url: string, options: WrkOptions): Promise<WrkRun> {
  const { connections, seconds, body, contentType, lua } = options;
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  await Deno.writeTextFile(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "${contentType}"\n` +
      `wrk.body = [==[${body}]==]\n` + (lua?.(crypto.randomUUID().slice(0, 8)) ?? ""),
  );
  const text = await run("wrk", [
    "-t1",
    `-c${connections}`,
    `-d${seconds}`,
    "--timeout=30s",
    "--latency",
    "-s",
    script,
    url,
  ]);
  await Deno.remove(script);
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    requests: number(/(\d+) requests in/),
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    refused: number(/Non-2xx or 3xx responses: (\d+)/),
    p99Ms: milliseconds(/ 99%\s+([\d.]+\w+)/.exec(text)?.[1] ?? ""),
  };
}

/** wrk's `512.00us`, `4.20ms` or `1.03s`. */
function milliseconds(text: string): number {
  const [, number, unit = ""] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(number) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? NaN);
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
export function peakRssMiB(pid: number): Promise<number> {
  return memoryMiB(pid, /VmHWM:\s+(\d+)/);
}

/** The memory a process has resident, in MiB. */
export function rssMiB(pid: number): Promise<number> {
  return memoryMiB(pid, /VmRSS:\s+(\d+)/);
}

async function memoryMiB(pid: number, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await run("cat", [`/proc/${pid}/status`]))?.[1]) / 1024;
}

/** What a process has had written to disks, in bytes; where nobody counts that, what it wrote. */
export async function writtenBytes(pid: number): Promise<number> {
  const io = await run("cat", [`/proc/${pid}/io`]);
  const count = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(io)?.[1]);
  return count("write_bytes") || count("wchar");
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
