/** Killing a process at a chosen system call on a chosen file, or making the call fail, by strace. */

/** The calls by which a file, its length, its name or its flush to the disk changes. */
export const CALLS = [
  "pwrite64",
  "write",
  "writev",
  "fsync",
  "fdatasync",
  "ftruncate",
  "fallocate",
  "unlink",
  "rename",
] as const;

/** One of them. */
export type Call = typeof CALLS[number];

/** What happens to a call: the process is killed on entering it, or it is not done and fails. */
export type Effect = "signal=SIGKILL" | "error=EIO" | "error=ENOSPC";

/** The `when`th such call of a thread on the file. */
export interface FaultPoint {
  readonly file: string;
  readonly call: Call;
  readonly when: number;
  readonly effect: Effect;
}

/** Why strace can not be used here; null if it can. */
export const STRACE_MISSING: string | null = findStrace();

/** The command under which that happens to a program. */
export function faultAt(folder: string, { file, call, when, effect }: FaultPoint): string[] {
  const inject = ["-e", `inject=${call}:${effect}:when=${when}`];
  return [...strace(folder, file, "/dev/null"), "-e", `trace=${call}`, ...inject];
}

/** The command under which a program's flushes fail, from that one of a thread on, of any file. */
export function failFlushesFrom(when: number): string[] {
  const inject = `inject=fsync,fdatasync:error=EIO:when=${when}+`;
  return ["strace", ...OPTIONS, "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject];
}

/** The command under which the calls on that file are written to a log. */
export function logCalls(folder: string, file: string, logPath: string): string[] {
  return [...strace(folder, file, logPath), "-e", `trace=${CALLS.join()}`];
}

/** How often each call was made, by the thread that made it most: strace counts them so too. */
export function countCalls(log: string): Map<Call, number> {
  const byThread = new Map<string, number>();
  const most = new Map<Call, number>();
  for (const [, thread, name] of log.matchAll(/^(\d+) +(\w+)\(/gm)) {
    const call = CALLS.find((known) => known === name);
    if (call === undefined) continue;
    const count = (byThread.get(`${thread} ${call}`) ?? 0) + 1;
    byThread.set(`${thread} ${call}`, count);
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return most;
}

/** `-D`: the program stays our child, so that signals reach it and its exit status us. */
const OPTIONS = ["-D", "-f", "-qq", "-o"];

function strace(folder: string, file: string, logPath: string): string[] {
  const path = file === "." ? folder : `${folder}/${file}`;
  return ["strace", ...OPTIONS, logPath, "-P", path];
}

function findStrace(): string | null {
  try {
    const strace = new Deno.Command("strace", { args: ["-f", "-o", "/dev/null", "true"] });
    return strace.outputSync().success ? null : "strace may not trace";
  } catch {
    return "strace is not installed";
  }
}
