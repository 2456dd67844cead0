/** Keeps lines that come with requests from filling a disk: so many a second, the rest counted. */

/** How many, and who is told of the rest. */
export interface LineLimitOptions {
  /** Most lines a second. */
  readonly perSecond: number;
  /** Told once a second in which there were more: how many were left out. */
  readonly onLeftOut: (count: number) => void;
}

const SECOND_MS = 1000;

/** See the head of this file. */
export class LineLimit implements Disposable {
  readonly #options: LineLimitOptions;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Its timer does not keep the process alive. */
  constructor(options: LineLimitOptions) {
    this.#options = options;
  }

  /** Whether one more line may be written. */
  take(): boolean {
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this[Symbol.dispose](), SECOND_MS);
      Deno.unrefTimer(this.#timer);
    }
    return ++this.#count <= this.#options.perSecond;
  }

  /** Tells of what was left out by now. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const leftOut = this.#count - this.#options.perSecond;
    this.#count = 0;
    if (leftOut > 0) this.#options.onLeftOut(leftOut);
  }
}
