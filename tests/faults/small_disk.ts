/** A file system of its own that is soon full, and others that take no writes any more. */

const SIZE = "24m";
const FILLER = "filler";
const PIECES_BYTES = [1024 * 1024, 4096];
const UNMOUNT_TRIES = 50;

/** A mounted tmpfs; disposing of it removes everything. */
export class SmallDisk implements AsyncDisposable {
  /** Where it is. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A new, empty one. */
  static async create(): Promise<SmallDisk> {
    const folder = await Deno.makeTempDir({ prefix: "firehouse-small-" });
    try {
      await run("mount", "-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", folder);
    } catch (error) {
      await Deno.remove(folder);
      throw error;
    }
    return new SmallDisk(folder);
  }

  /** Takes all room that is left. */
  fill(): void {
    using file = Deno.openSync(`${this.folder}/${FILLER}`, { create: true, append: true });
    for (const bytes of PIECES_BYTES) {
      const piece = new Uint8Array(bytes);
      while (isTaken(() => file.writeSync(piece)));
    }
  }

  /** Gives it back. */
  free(): void {
    Deno.removeSync(`${this.folder}/${FILLER}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        await run("umount", ...tries === UNMOUNT_TRIES ? ["-l"] : [], this.folder);
        break;
      } catch (error) { // a process that has just been killed may hold it for a moment
        if (tries === UNMOUNT_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await Deno.remove(this.folder);
  }
}

/** Makes the file system at a mount point read-only as ext4 does it itself after an error. */
export async function failMount(mountPoint: string): Promise<void> {
  await run("mount", "-o", "remount,abort", mountPoint);
}

/** Files that can not be changed, not even through descriptors that are open; disposing ends that. */
export class Immutable implements AsyncDisposable {
  readonly #paths: readonly string[];

  private constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  static async make(paths: readonly string[]): Promise<Immutable> {
    const immutable = new Immutable(paths);
    try {
      await run("chattr", "+i", ...paths);
    } catch (error) {
      await immutable[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    return immutable;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("chattr", "-i", ...this.#paths);
  }
}

function isTaken(write: () => number): boolean {
  try {
    return write() > 0;
  } catch (error) {
    if (/no space|os error 28/i.test(`${error}`)) return false;
    throw error;
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

async function whyNot(attempt: () => Promise<void>): Promise<string | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    return (error as Error).message.trim();
  }
}

/** Why no small file system can be mounted here; null if one can. */
export const SMALL_DISK_MISSING: string | null = await whyNot(async () => {
  await using _disk = await SmallDisk.create();
});

/** Why files can not be made immutable here; null if they can. */
export const IMMUTABLE_MISSING: string | null = await whyNot(async () => {
  const path = await Deno.makeTempFile({ prefix: "firehouse-immutable-" });
  try {
    await using _immutable = await Immutable.make([path]);
  } finally {
    await Deno.remove(path);
  }
});
