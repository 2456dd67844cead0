/** The settings in force while the collector runs: some of them change when the file is read again. */

import { flagName } from "./option_value.ts";
import { type OptionName, RELOADABLE } from "./options.ts";
import { type Config, settings } from "./settings.ts";

/** What the operator is told of a reading. */
export interface Reloaded {
  /** A warning if nothing was taken. */
  readonly level: "info" | "warn";
  /** What was taken, what was not, and why. */
  readonly text: string;
}

/** See the head of this file. */
export class LiveConfig {
  readonly #config: { -readonly [Name in OptionName]: Config[Name] };

  /** Begins with the settings of the start. */
  constructor(config: Config) {
    this.#config = { ...config };
  }

  /** Always the same object: whose setting may change asks it each time. */
  get config(): Config {
    return this.#config;
  }

  /** Takes what `read` gives as far as it can; where that is what is wrong, nothing changes. */
  reload(read: () => Config | readonly string[]): Reloaded {
    const path = this.#config.config, next = read();
    if (isProblems(next)) {
      const text = `the settings in force stay, ${path} was not taken:\n  ${next.join("\n  ")}`;
      return { level: "warn", text };
    }
    const changed = settings().map(([name]) => name)
      .filter((name) => next[name] !== this.#config[name]);
    const taken = RELOADABLE.filter((name) => changed.includes(name));
    Object.assign(this.#config, Object.fromEntries(taken.map((name) => [name, next[name]])));
    const later = changed.filter((name) => next[name] !== this.#config[name]).map(flagName);
    const told = [
      ...taken.map((name) => `${flagName(name)} = ${next[name]}`),
      ...later.length === 0 ? [] : [`changed, takes effect at the next start: ${later.join(", ")}`],
    ];
    return { level: "info", text: `${path} was read: ${told.join("; ") || "nothing changed"}` };
  }
}

function isProblems(next: Config | readonly string[]): next is readonly string[] {
  return Array.isArray(next);
}
