/** Lines for the operator, on stderr: text for a person, JSON for a log shipper. */

/** How important a line is. */
export type Level = "info" | "warn" | "error";

/** Writes one line; `fields` follow the message. */
export type Log = (
  level: Level,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Makes a log of the given format that writes to stderr. */
export function createLog(format: "text" | "json"): Log {
  const line = format === "json" ? jsonLine : textLine;
  return (level, message, fields = {}) => {
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

function jsonLine(
  level: Level,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

function textLine(
  level: Level,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  const prefix = level === "info" ? "" : `${level}: `;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${prefix}${message}${rest.join("")}`;
}
