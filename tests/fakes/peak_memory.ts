/** How much memory a piece of work takes at its worst, also where it is given back at once. */

/** Whether the system tells (Linux does). */
export const CAN_MEASURE_PEAK: boolean = Deno.build.os === "linux";

/** Runs the work and gives its result and by how many bytes the process grew meanwhile. */
export async function measurePeak<T>(
  work: () => T | Promise<T>,
): Promise<{ result: T; grownBytes: number; ms: number }> {
  await shell(`echo 5 > /proc/${Deno.pid}/clear_refs`); // the peak starts again from what is now
  const before = await peakBytes();
  const startMs = performance.now();
  const result = await work();
  const ms = performance.now() - startMs;
  return { result, grownBytes: await peakBytes() - before, ms };
}

/** The largest resident size so far. By way of another process: Deno does not let /proc be read. */
async function peakBytes(): Promise<number> {
  const line = await shell(`grep VmHWM /proc/${Deno.pid}/status`);
  const kibibytes = /(\d+) kB/.exec(line)?.[1];
  if (kibibytes === undefined) throw new Error(`no VmHWM in ${JSON.stringify(line)}`);
  return Number(kibibytes) * 1024;
}

async function shell(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}
