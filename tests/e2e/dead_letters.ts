/** Asks a collector for its dead letters, and its database behind its back. */

import { DatabaseSync } from "node:sqlite";
import type { Answer } from "./expect.ts";
import type { CollectorProcess } from "./collector_process.ts";

/** A dead letter as `GET /dead-letters` shows it. */
export interface Letter {
  readonly id: number;
  readonly received_at: string;
  readonly source: string;
  readonly protocol: string;
  readonly reason: string;
  readonly raw: string;
}

/** Asks for a path below `/dead-letters`. */
export async function ask(
  collector: CollectorProcess,
  method: string,
  path = "",
  init: RequestInit = {},
): Promise<Answer> {
  const response = await fetch(`${collector.url}/dead-letters${path}`, { method, ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** All of them, the oldest first; they must fit on one page. */
export async function allLetters(collector: CollectorProcess): Promise<readonly Letter[]> {
  const { status, text } = await ask(collector, "GET", "?limit=1000");
  if (status !== 200) throw new Error(text);
  return JSON.parse(text).dead_letters;
}

/** Replays one, with another text if there is one, and gives status and JSON of the answer. */
export async function replay(
  collector: CollectorProcess,
  id: number,
  body: string | null = null,
): Promise<Record<string, unknown> & { readonly http: number }> {
  const answer = await ask(collector, "POST", `/${id}/replay`, body === null ? {} : { body });
  return { http: answer.status, ...JSON.parse(answer.text) };
}

/** Runs SQL on a connection of its own, waiting for locks. */
export function meddle(database: string, sql: string): void {
  const other = new DatabaseSync(database, { timeout: 10_000 });
  try {
    other.exec(sql);
  } finally {
    other.close();
  }
}

/** Has the database refuse the events whose metadata holds a text. */
export function refuseEvents(database: string, text: string): void {
  meddle(
    database,
    `CREATE TRIGGER reject BEFORE INSERT ON events WHEN instr(NEW.metadata, '${text}') > 0
       BEGIN SELECT RAISE(ABORT, 'not today'); END`,
  );
}

/** Has it take them again. */
export function allowEvents(database: string): void {
  meddle(database, "DROP TRIGGER reject");
}
