/** Flushes that take their time, by strace. */

/** The command under which the flushes of these files return so much later. */
export function delayFlushes(folder: string, files: readonly string[], ms: number): string[] {
  const paths = files.flatMap((file) => ["-P", `${folder}/${file}`]);
  const inject = `inject=fsync,fdatasync:delay_exit=${ms * 1000}`;
  // `-D`: the program stays our child.
  const options = ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"];
  return ["strace", ...options, ...paths, "-e", inject];
}
