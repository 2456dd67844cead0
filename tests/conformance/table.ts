/** The results of the conformance tests as Markdown. */

import { type CellResult, type Column, COLUMNS } from "./cell.ts";

const ORDER = Object.keys(COLUMNS) as Column[];

/** What a results file holds. @param text JSON lines. */
export function parseResults(text: string): CellResult[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** The table, and below it the footnotes. */
export function renderTable(results: readonly CellResult[]): string {
  const notes: string[] = [];
  const clients = Map.groupBy(results, ({ client }) => client);
  const head = ORDER.map((column) =>
    column === "token" ? COLUMNS.token : `(${column}) ${COLUMNS[column]}`
  );
  const lines = [
    ["client", "version", ...head],
    ["client", ...head, ""].map(() => "---"),
    ...[...clients].map(([client, cells]) => [
      client,
      cells[0]?.version ?? "",
      ...ORDER.map((column) => shown(cells.find((each) => each.column === column), notes)),
    ]),
  ].map((cells) => `| ${cells.join(" | ")} |`);
  return [...lines, "", ...notes.map((note, index) => `${index + 1}. ${note}`)].join("\n")
    .trimEnd();
}

/** One cell; its note becomes a footnote, the same one for the same note. */
function shown(result: CellResult | undefined, notes: string[]): string {
  if (result === undefined) return "–";
  const { outcome, note } = result;
  if (note === "") return outcome;
  if (!notes.includes(note)) notes.push(note);
  return `${outcome} [${notes.indexOf(note) + 1}]`;
}
