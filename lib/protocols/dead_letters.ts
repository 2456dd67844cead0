/** The events of one request that can not be stored, as what they become: dead letters. */

import type { EventProblem } from "../errors.ts";
import { FORBIDDEN_IN_FIELDS } from "../event.ts";

/** How many problems an answer lists; the rest are only counted. */
export const PROBLEMS_LISTED_MAX = 20;

/** See the head of this file. */
export class DeadLetters {
  /** Two each, as `Submission.fields` wants them: the reason and the raw text. */
  readonly fields: string[] = [];
  /** The first problems, for the answer. */
  readonly problems: EventProblem[] = [];

  /** How many there are. */
  get count(): number {
    return this.fields.length / 2;
  }

  /** Adds an event by its raw text and what is wrong with it. */
  add(raw: string, problem: EventProblem): void {
    const { code, pointer, detail } = problem;
    const reason = `${code}${pointer === "" ? "" : ` at ${pointer}`}: ${detail}`;
    this.fields.push(asReason(reason), JSON.stringify(raw));
    if (this.problems.length < PROBLEMS_LISTED_MAX) this.problems.push(problem);
  }
}

const ALL_FORBIDDEN = new RegExp(FORBIDDEN_IN_FIELDS, "g");

function asReason(text: string): string {
  return text.replaceAll(ALL_FORBIDDEN, " ").toWellFormed();
}
