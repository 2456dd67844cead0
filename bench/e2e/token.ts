/** A token for a collector that is measured. */

import { newSecret, sha256Of } from "../../lib/token.ts";
import { formatTokens } from "../../lib/token_list.ts";

/** Its file is gone when it is disposed of. */
export class BenchToken implements Disposable {
  /** Flags of the collector. */
  readonly args: readonly string[];
  /** The token. */
  readonly token: string;
  /** wrk's script for requests with the token. */
  readonly lua: () => string;
  readonly #path: string;

  /** Makes the token and its file. */
  constructor() {
    const secret = this.token = newSecret();
    this.#path = Deno.makeTempFileSync({ suffix: ".tokens.json" });
    Deno.writeTextFileSync(
      this.#path,
      formatTokens([{
        name: "bench",
        sha256: sha256Of(secret),
        scopes: ["ingest", "read"],
        eventsPerSecond: null,
        bytesPerSecond: null,
        bodyBytes: null,
        origins: [],
        created: new Date().toISOString(),
      }]),
    );
    this.args = ["--tokens", this.#path];
    this.lua = () => `wrk.headers["authorization"] = "Bearer ${secret}"\n`;
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}
