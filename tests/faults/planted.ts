/** A copy of the program with one bug in it, to see whether a harness would find it. */

const ROOT = new URL("../../", import.meta.url).pathname;
const COPIED = ["main.ts", "lib", "deno.lock"];

/** One exact piece of source, and what the bug makes of it. */
export interface Bug {
  readonly file: string;
  readonly source: string;
  readonly becomes: string;
}

/** The copy; disposing of it removes it. */
export class PlantedBug implements AsyncDisposable {
  /** Folder of the program. */
  readonly program: string;

  private constructor(program: string) {
    this.program = program;
  }

  /** @throws {Error} if the source does not hold each piece exactly once. */
  static async plant(bugs: readonly Bug[]): Promise<PlantedBug> {
    const planted = new PlantedBug(await Deno.makeTempDir({ prefix: "firehouse-bug-" }));
    try {
      for (const name of COPIED) await copy(`${ROOT}${name}`, `${planted.program}/${name}`);
      const { workspace: _, ...config } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
      await Deno.writeTextFile(`${planted.program}/deno.json`, JSON.stringify(config));
      for (const bug of bugs) await plant(planted.program, bug);
      return planted;
    } catch (error) {
      await planted[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.program, { recursive: true });
  }
}

async function plant(program: string, { file, source, becomes }: Bug): Promise<void> {
  const path = `${program}/${file}`;
  const parts = (await Deno.readTextFile(path)).split(source);
  if (parts.length !== 2) {
    throw new Error(`${file} holds ${parts.length - 1} times, not once:\n${source}`);
  }
  await Deno.writeTextFile(path, parts.join(becomes));
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}
