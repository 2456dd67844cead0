/** The API's document and its reference, which are made when somebody asks for them. */

import type { HeaderReader } from "../protocol.ts";
import { type PageLoader, Pages } from "./pages.ts";

/** What they are made of. */
export interface ReferenceOptions {
  /** The settings in force: both tell of limits, and are made anew when a setting was changed. */
  readonly settings: object;
  /** Makes the files, by the paths under which they are served. */
  readonly load: PageLoader;
}

const PATHS: ReadonlySet<string> = new Set(["/openapi.json", "/reference", "/reference/style.css"]);

/** See the head of this file. */
export class Reference {
  readonly #options: ReferenceOptions;
  #pages: Pages;
  #settings = "";

  /** Makes nothing yet. */
  constructor(options: ReferenceOptions) {
    this.#options = options;
    this.#pages = new Pages(options.load);
  }

  /** The file at a path, for `GET`; null if there is none. */
  async answer(path: string, headers: HeaderReader): Promise<Response | null> {
    if (!PATHS.has(path)) return null;
    const settings = JSON.stringify(this.#options.settings);
    if (settings !== this.#settings) this.#pages = new Pages(this.#options.load);
    this.#settings = settings;
    return await this.#pages.file(path, headers);
  }
}
