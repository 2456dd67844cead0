/**
 * The configuration file: `name = value` lines, blank lines, and comments, lines that begin with `#`.
 * A value is what a flag or variable would hold, without quotes, to the end of its line.
 *
 * Written by hand: the parsers of TOML and of env-files stop at the first mistake or say nothing of
 * lines, and all there is to say here is a name and a value.
 */

/** A line that sets something. */
export interface ConfigLine {
  /** Its number, from 1. */
  readonly number: number;
  /** Of what. */
  readonly name: string;
  /** The rest, without blanks around it. */
  readonly value: string;
}

/** Something wrong in a file. */
export interface ConfigFileProblem {
  /** The line it is in; 0 for the file as a whole. */
  readonly number: number;
  /** What. */
  readonly problem: string;
}

/** What a file holds. */
export interface ConfigFile {
  /** Lines that set something, each name once. */
  readonly lines: readonly ConfigLine[];
  /** What is wrong with it. */
  readonly problems: readonly ConfigFileProblem[];
}

const BYTES_MAX = 1024 * 1024;

/** Reads a file. One that can not be read is a problem of it. */
export function readConfigFile(path: string): ConfigFile {
  const unread = (problem: string) => ({ lines: [], problems: [{ number: 0, problem }] });
  try {
    const { isFile, size } = Deno.statSync(path); // before opening: a pipe would wait for a writer
    if (!isFile) return unread("it is not a file");
    if (size > BYTES_MAX) return unread(`it is larger than ${BYTES_MAX} bytes`);
    return parseConfigFile(
      new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path)),
    );
  } catch (error) {
    if (error instanceof TypeError) return unread("it is not UTF-8");
    const why = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
    return unread(`it can not be read: ${why}`);
  }
}

/** The lines of a file's text. */
export function parseConfigFile(text: string): ConfigFile {
  const lines = new Map<string, ConfigLine>(), problems: ConfigFileProblem[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const number = index + 1, line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", value = ""] = /^([^\s=]+)\s*=\s*(.*)$/.exec(line) ?? [];
    const first = lines.get(name);
    const problem = name === ""
      ? "expected name = value, or a comment that begins with #"
      : first !== undefined
      ? `${name} was set in line ${first.number} already`
      : problemOf(value);
    if (problem !== null) problems.push({ number, problem });
    if (name !== "" && first === undefined) lines.set(name, { number, name, value });
  }
  return { lines: [...lines.values()], problems };
}

/** What habits from other formats do to a value. */
function problemOf(value: string): string | null {
  if (/\s#/.test(value)) return "expected the comment on a line of its own";
  return /^(["']).*\1$/.test(value) ? "expected the value without quotes" : null;
}
