/**
 * A file system of its own whose power can be cut: ext4 in an image on a loop device. What was not
 * flushed is in the kernel's page cache and not in the image, so a copy of the image is what a disk
 * holds after a cut.
 */

import type { CollectorProcess } from "../e2e/collector_process.ts";

const IMAGE_BYTES = 96 * 1024 * 1024;
const IMAGES = "/dev/shm";
const COMMIT_SECONDS = 600; // ext4 must not flush by itself what nobody asked it to flush
const UNMOUNT_TRIES = 50;

/** A mounted file system; disposing of it removes everything. */
export class Volume implements AsyncDisposable {
  /** A folder on it. */
  readonly folder: string;
  readonly #image: string;
  readonly #mountPoint: string;

  private constructor(image: string, mountPoint: string) {
    this.#image = image;
    this.#mountPoint = mountPoint;
    this.folder = `${mountPoint}/data`;
  }

  /** A new, empty one. */
  static async create(): Promise<Volume> {
    const image = await newImage();
    try {
      await run("truncate", "-s", String(IMAGE_BYTES), image);
      const lazy = "lazy_itable_init=0,lazy_journal_init=0"; // or a kernel thread goes on writing
      await run("mkfs.ext4", "-q", "-F", "-E", lazy, image);
    } catch (error) {
      await Deno.remove(image);
      throw error;
    }
    const volume = await Volume.#mount(image);
    await Deno.mkdir(volume.folder);
    await run("sync", "-f", volume.folder);
    return volume;
  }

  /** Cuts the power: what the disk then holds, mounted. The collector is killed. */
  async cut(collector: CollectorProcess): Promise<Volume> {
    const copy = await newImage();
    try {
      collector.kill("SIGSTOP");
      await run("cp", "--sparse=always", this.#image, copy);
    } catch (error) {
      await Deno.remove(copy);
      throw error;
    }
    await collector.stop("SIGKILL");
    return await Volume.#mount(copy);
  }

  static async #mount(image: string): Promise<Volume> {
    const mountPoint = await Deno.makeTempDir({ prefix: "firehouse-volume-" });
    try {
      await run("mount", "-o", `loop,commit=${COMMIT_SECONDS}`, image, mountPoint);
    } catch (error) {
      await Deno.remove(mountPoint);
      await Deno.remove(image);
      throw error;
    }
    return new Volume(image, mountPoint);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#unmount();
    } finally {
      await Deno.remove(this.#image);
    }
    await Deno.remove(this.#mountPoint);
  }

  /** Also frees the loop device. A process that has just been killed may hold it for a moment. */
  async #unmount(): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await run("umount", this.#mountPoint);
      } catch (error) {
        if (tries === UNMOUNT_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

async function newImage(): Promise<string> {
  return await Deno.makeTempFile({ dir: IMAGES, prefix: "firehouse-", suffix: ".img" });
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

async function findMissing(): Promise<string | null> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs root on Linux";
  try {
    await using _volume = await Volume.create();
    return null;
  } catch (error) {
    return `no ext4 on a loop device: ${(error as Error).message.trim()}`;
  }
}

/** Why power can not be cut here; null if it can. */
export const POWER_CUT_MISSING: string | null = await findMissing();
