/**
 * Somebody looks at the dashboard with a real Chromium. Whatever a page must not do is written down:
 * errors, dialogs, what its policy forbids, requests to anybody else.
 */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { NO_CHROMIUM } from "../conformance/browser.ts";

const PROGRAM = "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage"];
/** Longest wait for something to be on the page, in ms. */
const WAIT_MS = 20_000;

/** How the page is looked at. */
export interface VisitOptions {
  /** Where the collector listens. */
  readonly url: string;
  /** What the URL's hash says, without its `#`. */
  readonly hash?: string;
  readonly scheme?: "light" | "dark";
  readonly size?: { readonly width: number; readonly height: number };
  readonly reducedMotion?: "reduce" | "no-preference";
  /** What may be on the console, such as requests that are refused on purpose. */
  readonly expected?: RegExp;
}

/** A telephone. */
export const PHONE = { width: 360, height: 740 };
/** A laptop. */
export const LAPTOP = { width: 1280, height: 800 };
/** Folder for pictures that are to be kept; null if none are. */
export const SCREENSHOTS: string | null = screenshotsFolder();
/** Half an hour off, so that no time is right by chance. */
const ZONE = "America/St_Johns";

/** Declares a test with a browser; without Chromium it is skipped, and its name says so. */
export function browserTest(name: string, run: (browser: Browser) => Promise<void>): void {
  Deno.test({
    name: NO_CHROMIUM === null ? name : `SKIPPED, ${NO_CHROMIUM}: ${name}`,
    ignore: NO_CHROMIUM !== null,
    fn: async () => {
      const browser = await chromium.launch({ executablePath: PROGRAM, args: ARGS });
      try {
        await run(browser);
      } finally {
        await browser.close();
      }
    },
  });
}

/** Waits until what is read from a page is as wished: a page is told first, and shows it then. */
export async function soon<Read>(
  read: () => Promise<Read>,
  wished: Read,
  message?: string,
): Promise<void> {
  for (const endMs = Date.now() + WAIT_MS;;) {
    const found = await read();
    if (isDeepStrictEqual(found, wished)) return;
    if (Date.now() > endMs) deepEqual(found, wished, message);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** See the head of this file. Dispose of it to close the page. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #trouble: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
  }

  /** Opens the page, without waiting for what it shows. */
  static async begin(browser: Browser, options: VisitOptions): Promise<Visit> {
    const { url, scheme = "light", size = LAPTOP, reducedMotion = "no-preference" } = options;
    const context = await browser.newContext({
      viewport: size,
      colorScheme: scheme,
      reducedMotion,
      timezoneId: ZONE,
      locale: "en-GB",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(WAIT_MS);
    const visit = new Visit(context, await context.newPage());
    visit.#watch(new URL(url).origin, options.expected ?? null);
    await visit.page.goto(`${url}/#${options.hash ?? "/live"}`);
    return visit;
  }

  /** Goes to another hash by hand, as a link would. */
  async go(hash: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  /** An element by its id. */
  id(id: string): Locator {
    return this.page.locator(`#${id}`);
  }

  /** Follows a link of the page's head. */
  async view(name: string): Promise<void> {
    await this.id("nav").getByRole("link", { name }).click();
  }

  /** Waits until the element with an id shows a text. */
  async shows(id: string, text: string | RegExp): Promise<void> {
    await this.page.locator(`#${id}:visible`).filter({ hasText: text }).waitFor();
  }

  /** Gives the token that the page asks for. */
  async giveToken(token: string): Promise<void> {
    const dialog = this.id("token-dialog");
    await dialog.locator("input").fill(token);
    await dialog.getByRole("button", { name: "Use this token" }).click();
  }

  /** The rows of events in an element, each as its cells. */
  async rows(id: string): Promise<readonly (readonly string[])[]> {
    return await this.page.evaluate(
      `[...document.querySelectorAll("#${id} tbody tr:not(.notice)")]
        .map((row) => [...row.cells].map((cell) => cell.textContent))`,
    );
  }

  /** Waits until an element has so many rows of events. */
  async untilRows(id: string, count: number): Promise<void> {
    await this.until(
      `document.querySelectorAll("#${id} tbody tr:not(.notice)").length === ${count}`,
    );
  }

  /** Waits until the URL's hash is as wished. */
  async untilHash(hash: string): Promise<void> {
    await this.until(`location.hash === ${JSON.stringify(hash)}`);
  }

  /** Waits until an expression is true; the page's policy forbids what Playwright has for it. */
  async until(expression: string): Promise<void> {
    const endMs = Date.now() + WAIT_MS;
    while (!await this.page.evaluate(expression)) {
      if (Date.now() > endMs) {
        throw new Error(`not so in time: ${expression}\n${await this.#text()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** How far the page can be scrolled sideways, in px. */
  async overflow(): Promise<number> {
    return await this.page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
  }

  /** Asserts that the page did nothing that it must not do. */
  quiet(): void {
    deepEqual(this.#trouble, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }

  /** What the page shows, for the message of a test that fails. */
  async #text(): Promise<string> {
    const text: string = await this.page.evaluate("document.body.innerText");
    return `${text.slice(0, 3000)}\n${this.#trouble.join("\n")}`;
  }

  #watch(origin: string, expected: RegExp | null): void {
    const note = (text: string) => {
      if (expected === null || !expected.test(text)) this.#trouble.push(text);
    };
    this.page.on("console", (message) => note(`console ${message.type()}: ${message.text()}`));
    this.page.on("pageerror", (error) => note(`error: ${error.stack ?? error}`));
    this.page.on("dialog", (dialog) => {
      note(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    this.page.on("popup", (popup) => note(`popup: ${popup.url()}`));
    this.page.on("request", (request) => {
      const { protocol, origin: asked } = new URL(request.url());
      if (asked !== origin && protocol !== "blob:") note(`request to ${request.url()}`);
    });
  }
}

/** Collectors that the tests start refuse variables they do not know: it goes on under another name. */
function screenshotsFolder(): string | null {
  const given = Deno.env.get("FIREHOUSE_SCREENSHOTS");
  if (given !== undefined) Deno.env.set("SCREENSHOTS", given);
  Deno.env.delete("FIREHOUSE_SCREENSHOTS");
  return Deno.env.get("SCREENSHOTS") ?? null;
}
