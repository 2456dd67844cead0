/** HTML put together from pieces; whatever is no piece of HTML is escaped. */

/** A piece of HTML. */
export interface Html {
  /** It, ready to be sent. */
  readonly html: string;
}

/** What can stand in a piece: other pieces, one after the other, or text; null for nothing. */
export type Inside = Html | string | number | null | readonly Inside[];

/** Makes a piece of a template, whose own indentation is left out. */
export function markup(parts: TemplateStringsArray, ...inside: readonly Inside[]): Html {
  const pieces = parts.map((part) => part.replaceAll(/\n\s+/g, "\n"));
  return { html: pieces.map((piece, i) => piece + textOf(inside[i] ?? null)).join("") };
}

/** Text in which backquotes mark code. */
export function prose(text: string): Html {
  const pieces = text.split("`");
  return markup`${pieces.map((each, i) => i % 2 === 0 ? each : markup`<code>${each}</code>`)}`;
}

/** The same in paragraphs, which empty lines part. */
export function paragraphs(text: string): Html {
  return markup`${text.split("\n\n").map((each) => markup`<p>${prose(each)}</p>\n`)}`;
}

function textOf(inside: Inside): string {
  if (inside === null) return "";
  if (typeof inside === "string" || typeof inside === "number") return escaped(String(inside));
  return "html" in inside ? inside.html : inside.map(textOf).join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => ESCAPES[c] ?? c);
}
