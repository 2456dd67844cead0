/** Reads the parameters of a query. What is unknown, repeated or malformed is refused, with the reason. */

import type { EventFilter, MemberFilter } from "./query.ts";
import { toUtc } from "./timestamp.ts";

const TEXT_LENGTH_MAX = 1024;
const MEMBERS_MAX = 8;
const PATH_NAMES_MAX = 10;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** From 1973 on: a shorter number would be a year or seconds. */
const EPOCH_MS = /^\d{12,15}$/;
/** An offset whose `+` was not escaped, so that the query string has a space there. */
const BARE_OFFSET = / (?=\d{2}:\d{2}$)/;
const MEMBER = /^where\[(.*)\]$/s;

/** What every query can be narrowed by. */
export const FILTER_PARAMETERS = ["from", "to", "user_id", "type", "source", "event_id"] as const;

/** What a time can look like, for messages. */
export const TIME_EXPECTED =
  "a time such as 2026-11-24T11:03:40Z, a day such as 2026-11-24, or Unix epoch in milliseconds";

/** Thrown by the readers of {@linkcode QueryParameters}; its message is for whoever asked. */
export class ParameterError extends Error {}

/** The parameters of one query. Read all that are known, then call `end`. */
export class QueryParameters {
  readonly #left: Map<string, string>;

  /** Reads a query string. @throws {ParameterError} if a name is there twice */
  constructor(query: string) {
    this.#left = new Map();
    for (const [name, value] of new URLSearchParams(query)) {
      if (this.#left.has(name)) throw new ParameterError(`${shown(name)} is there twice.`);
      this.#left.set(name, value);
    }
  }

  /** Its text, as it is; null if it is not there. @throws {ParameterError} */
  text(name: string): string | null {
    const value = this.#left.get(name) ?? null;
    this.#left.delete(name);
    if (value !== null && (value === "" || value.length > TEXT_LENGTH_MAX)) {
      throw new ParameterError(`Expected ${name} to be 1 to ${TEXT_LENGTH_MAX} characters.`);
    }
    return value;
  }

  /** A whole number within a range; `byDefault` if it is not there. @throws {ParameterError} */
  integer(name: string, { min, max, byDefault }: IntegerRange): number {
    const text = this.text(name);
    if (text === null) return byDefault;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new ParameterError(`Expected ${name} to be a whole number from ${min} to ${max}.`);
  }

  /** One of some words; `byDefault` if it is not there. @throws {ParameterError} */
  choice<T extends string, D>(name: string, choices: readonly T[], byDefault: D): T | D {
    const text = this.text(name);
    if (text === null) return byDefault;
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new ParameterError(`Expected ${name} to be one of ${choices.join(", ")}.`);
  }

  /** A time in Unix epoch ms; null if it is not there. @throws {ParameterError} */
  time(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = timeOf(text);
    if (ms === null) throw new ParameterError(`Expected ${name} to be ${TIME_EXPECTED}.`);
    return ms;
  }

  /** What narrows the query. @throws {ParameterError} */
  filter(): EventFilter {
    const from = this.time("from"), to = this.time("to");
    if (from !== null && to !== null && from >= to) {
      throw new ParameterError("Expected from to be before to.");
    }
    return {
      from,
      to,
      userId: this.text("user_id"),
      type: this.text("type"),
      source: this.text("source"),
      eventId: this.text("event_id"),
      where: this.#members(),
    };
  }

  /** Refuses what was not read. @throws {ParameterError} `known` are the names to show */
  end(known: readonly string[]): void {
    const [name] = this.#left.keys();
    if (name === undefined) return;
    const names = [...known, "where[path]"].join(", ");
    throw new ParameterError(`${shown(name)} is not known here; known are ${names}.`);
  }

  #members(): MemberFilter[] {
    const names = [...this.#left.keys()].filter((name) => name.startsWith("where"));
    if (names.length > MEMBERS_MAX) {
      throw new ParameterError(`Expected at most ${MEMBERS_MAX} conditions where[path].`);
    }
    return names.map((name) => {
      const path = memberPath(MEMBER.exec(name)?.[1] ?? "");
      if (path === null) {
        throw new ParameterError(
          `Expected where[path] to name a member of metadata, such as where[cart.items.0.sku]: ` +
            `at most ${PATH_NAMES_MAX} names or positions, without quotes, brackets or backslashes.`,
        );
      }
      const value = this.#left.get(name) ?? "";
      this.#left.delete(name);
      if (value.length > TEXT_LENGTH_MAX) {
        throw new ParameterError(`Expected ${shown(name)} to be short.`);
      }
      return { path, value };
    });
  }
}

/** The range of a number. */
export interface IntegerRange {
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
  /** Without the parameter. */
  readonly byDefault: number;
}

/** A time in Unix epoch ms; null if the text is none. */
export function timeOf(text: string): number | null {
  if (EPOCH_MS.test(text)) return Number(text);
  const utc = toUtc(DAY.test(text) ? `${text}T00:00:00Z` : text.replace(BARE_OFFSET, "+"));
  const ms = utc === null ? NaN : Date.parse(utc);
  return Number.isNaN(ms) ? null : ms;
}

function memberPath(text: string): string[] | null {
  const names = text.split(".");
  const isPath = names.length <= PATH_NAMES_MAX &&
    // deno-lint-ignore no-control-regex -- SQLite would end the path at a NUL
    names.every((name) => name !== "" && !/["\\[\]\x00]/.test(name));
  return isPath ? names : null;
}

/** A name as it came, cut and without what a terminal might obey. */
function shown(name: string): string {
  const clean = name.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
  return clean.length > 40 ? `${clean.slice(0, 40)}…` : clean || "an empty name";
}
