/**
 * Lines for the operator, on stderr: text for a person, JSON for a log shipper. What clients sent can
 * be in them, so nothing in a line can end it, move a terminal's cursor or turn its text around.
 */

/** How important a line is. */
export type Level = "info" | "warn" | "error";

/** Writes one line; `fields` follow the message. */
export type Log = (
  level: Level,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** How lines look: see `options.ts`. It is asked at each line, since it may change. */
export interface LogSettings {
  /** Text, or an object of JSON. */
  readonly logFormat: "text" | "json";
}

/** Makes a log that writes to stderr, each line before it returns: the process may end with it. */
export function createLog(settings: LogSettings): Log {
  return (level, message, fields = {}) => {
    const line = settings.logFormat === "json" ? jsonLine : textLine;
    write(Deno.stderr, line(level, message, fields) + "\n");
  };
}

/** Writes text whole. When nobody reads it any more it is dropped: a closed pipe must not end the program. */
export function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  try {
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      rest = rest.subarray(to.writeSync(rest));
    }
  } catch { /* see above */ }
}

/** A line as JSON. */
export function jsonLine(
  level: Level,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  return escape(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
}

/** A line as text. Of a message of several lines all but the first are indented. */
export function textLine(
  level: Level,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  const prefix = level === "info" ? "" : `${level}: `;
  const told = message.split("\n").map(escape).join("\n").replaceAll(/\n(?! )/g, "\n  ");
  const rest = Object.entries(fields).map(([name, value]) =>
    ` ${name}=${escape(JSON.stringify(value))}`
  );
  return `${prefix}${told}${rest.join("")}`;
}

/** Control characters, other line ends, and what turns the direction of text around. */
// deno-lint-ignore no-control-regex -- these control characters are the subject
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text in which nothing can end a line, move a terminal's cursor or turn the text around. */
export function escape(text: string): string {
  return text.replaceAll(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
