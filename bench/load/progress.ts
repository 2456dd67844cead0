/** A line on a terminal that is drawn over and over; nothing at all where there is no terminal. */

const REDRAW_MS = 100;
const CLEAR_LINE = "\r\x1b[K";
const COLUMNS_DEFAULT = 80;
const EIGHTHS = " ▏▎▍▌▋▊▉";

/** Draws until it is disposed of. */
export class ProgressLine implements Disposable {
  readonly #render: () => string;
  readonly #timer: ReturnType<typeof setInterval> | null = null;

  /** `render` is asked for the text ten times a second. */
  constructor(render: () => string) {
    this.#render = render;
    if (!Deno.stderr.isTerminal()) return;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  [Symbol.dispose](): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    write(CLEAR_LINE);
  }

  #draw(): void {
    write(CLEAR_LINE + this.#render().slice(0, columns() - 1));
  }
}

/** A bar of `width` characters of which `part` (0 to 1) is filled, to an eighth of a character. */
export function bar(part: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, part)) * width * 8);
  const full = "█".repeat(Math.floor(eighths / 8));
  const rest = eighths % 8 === 0 ? "" : EIGHTHS.charAt(eighths % 8);
  return (full + rest).padEnd(width);
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || COLUMNS_DEFAULT;
  } catch {
    return COLUMNS_DEFAULT; // stdin and stdout are no terminal
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
