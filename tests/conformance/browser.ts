/**
 * A web site of the test's own, and a real Chromium that shows it. The page asks the site what to do
 * and tells what came of it, so that no driver is needed; no other host can be reached from it.
 */

const PROGRAM = "chromium";
const EVALUATE_TIMEOUT_MS = 20_000;

/** Version of the browser; null if there is none. */
export const CHROMIUM: string | null = version();

/** Why tests that need one can not be run; null if they can. */
export const NO_CHROMIUM: string | null = CHROMIUM === null ? "no chromium" : null;

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Asks for one thing to do after the other, and does it. */
const driver = (page: number): string =>
  `<script>
(async () => {
  const evaluate = async (code) => {
    try {
      return { value: (await (0, eval)(code)) ?? null };
    } catch (error) {
      return { error: String(error) };
    }
  };
  for (;;) {
    const response = await fetch("/command?page=${page}");
    if (response.status !== 200) return;
    const { id, code } = await response.json();
    evaluate(code).then((result) =>
      fetch("/result?id=" + id, { method: "POST", body: JSON.stringify(result) }));
  }
})();
</script>`;

interface Command {
  readonly id: number;
  readonly code: string;
}

interface Result {
  readonly value?: unknown;
  readonly error?: string;
}

/** See the head of this file. */
export class Site implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #folder = Deno.makeTempDirSync({ prefix: "firehouse-chromium-" });
  readonly #scripts: Readonly<Record<string, string>>;
  readonly #commands: Command[] = [];
  #waiting: ((command: Command | null) => void) | null = null;
  /** Number of the page that was asked for last. */
  #page = 0;
  readonly #results = new Map<number, (result: Result) => void>();
  #browser: Deno.ChildProcess | null = null;
  #ids = 0;

  /** Serves pages that load these scripts, by path. */
  constructor(scripts: Readonly<Record<string, string>> = {}) {
    this.#scripts = scripts;
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /** Origin of its pages. */
  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Starts the browser with a page of the site. */
  show(): void {
    this.#browser = new Deno.Command(PROGRAM, {
      args: [...FLAGS, `--user-data-dir=${this.#folder}`, `${this.origin}/`],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Evaluates code in the page that is shown; an expression may be a promise. */
  evaluate(code: string): Promise<unknown> {
    const id = this.#ids++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error(`no result of ${code}`)), EVALUATE_TIMEOUT_MS);
    this.#results.set(id, ({ value, error }) => {
      clearTimeout(timer);
      if (error === undefined) resolve(value);
      else reject(new Error(`${error} in the page, from ${code}`));
    });
    this.#commands.push({ id, code });
    this.#hand();
    return promise;
  }

  /** Leads to another page of the site and resolves once the browser has asked for it. */
  async leave(path: string): Promise<void> {
    const page = this.#page;
    await this.evaluate(`setTimeout(() => location.href = ${JSON.stringify(path)}, 50), null`);
    while (this.#page === page) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#browser?.kill("SIGTERM");
    } catch { /* it has ended */ }
    await this.#browser?.status;
    this.#waiting?.(null);
    await this.#server.shutdown();
    await removeBusy(this.#folder);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/command") {
      const command = await this.#nextCommand(Number(searchParams.get("page")));
      return command === null ? new Response(null, { status: 410 }) : Response.json(command);
    }
    if (pathname === "/result") {
      this.#results.get(Number(searchParams.get("id")))?.(await request.json());
      return new Response();
    }
    const script = this.#scripts[pathname];
    if (script !== undefined) {
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    }
    if (pathname.includes(".")) return new Response(null, { status: 404 });
    const tags = Object.keys(this.#scripts).map((path) => `<script src="${path}"></script>`);
    this.#waiting?.(null);
    this.#waiting = null;
    const head = `<!doctype html><meta charset="utf-8"><title>Shop</title>${tags.join("")}`;
    return new Response(head + driver(++this.#page), { headers: { "content-type": "text/html" } });
  }

  /** What a page is to do next; null if it was left. */
  #nextCommand(page: number): Promise<Command | null> {
    if (page !== this.#page) return Promise.resolve(null);
    this.#waiting?.(null); // of a page that was left
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#hand();
    });
  }

  #hand(): void {
    if (this.#waiting === null) return;
    const command = this.#commands.shift();
    if (command === undefined) return;
    this.#waiting(command);
    this.#waiting = null;
  }
}

function version(): string | null {
  try {
    const { stdout } = new Deno.Command(PROGRAM, { args: ["--version"], stderr: "null" })
      .outputSync();
    return /[\d.]+/.exec(new TextDecoder().decode(stdout))?.[0] ?? null;
  } catch {
    return null;
  }
}

/** The browser's helpers write on for a moment after it has ended. */
async function removeBusy(folder: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
