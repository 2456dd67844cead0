/** A wall clock that a test can step while a program runs under it, by libfaketime. */

const LIBRARIES = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"].map(
  (folder) => `${folder}/faketime/libfaketimeMT.so.1`,
);

/** A clock of its own; the monotonic one is left as it is. */
export class FakeClock implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** One that is right. */
  static async start(): Promise<FakeClock> {
    const clock = new FakeClock(await Deno.makeTempDir({ prefix: "firehouse-clock-" }));
    await clock.set(0);
    return clock;
  }

  /** The command under which a program sees it. */
  get under(): string[] {
    return [
      "env",
      `LD_PRELOAD=${library()}`,
      `FAKETIME_TIMESTAMP_FILE=${this.#folder}/offset`,
      "FAKETIME_NO_CACHE=1",
      "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
  }

  /** From now on it is off by so many seconds. */
  async set(offsetSeconds: number): Promise<void> {
    const sign = offsetSeconds < 0 ? "" : "+";
    await Deno.writeTextFile(`${this.#folder}/next`, `${sign}${offsetSeconds}`);
    await Deno.rename(`${this.#folder}/next`, `${this.#folder}/offset`); // never seen half
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function library(): string | undefined {
  return LIBRARIES.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Why no clock can be faked here; null if one can. */
export const FAKETIME_MISSING: string | null = library() === undefined
  ? "faketime is not installed"
  : null;
