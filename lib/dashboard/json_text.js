/**
 * JSON as text. Events are shown digit for digit as they were sent: `JSON.parse` would round large
 * integers, turn `1.0` into `1` and drop a member that is there twice. The text is the collector's,
 * so it is known to be well-formed.
 */

/**
 * The members of an object, in their order: name and text of the value.
 * @param {string} text
 * @returns {Generator<[name: string, value: string]>}
 */
export function* members(text) {
  for (let at = skipSpace(text, 1); at < text.length && text[at] !== "}";) {
    const nameEnd = valueEnd(text, at);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1); // behind the colon
    const end = valueEnd(text, start);
    yield [JSON.parse(text.slice(at, nameEnd)), text.slice(start, end)];
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

/**
 * The texts of an array's elements.
 * @param {string} text
 * @returns {Generator<string>}
 */
export function* elements(text) {
  for (let at = skipSpace(text, 1); at < text.length && text[at] !== "]";) {
    const end = valueEnd(text, at);
    yield text.slice(at, end);
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

/** @typedef {"name" | "string" | "number" | "word" | "mark"} PieceKind */

/**
 * The text with line breaks and indentation, in pieces of a kind each; all pieces put together are
 * the text, but for the space between values.
 * @param {string} text
 * @returns {Generator<[kind: PieceKind, text: string]>}
 */
export function* indented(text) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const mark = /** @type {string} */ (text[at]);
    if (mark === "{" || mark === "[") {
      const inner = skipSpace(text, at + 1), isEmpty = text[inner] === "}" || text[inner] === "]";
      if (!isEmpty) depth++;
      yield ["mark", isEmpty ? mark + text[inner] : mark + line()];
      at = isEmpty ? inner + 1 : at + 1;
    } else if (mark === "}" || mark === "]") {
      depth--;
      yield ["mark", line() + mark];
      at++;
    } else if (mark === "," || mark === ":") {
      yield ["mark", mark === "," ? mark + line() : ": "];
      at++;
    } else {
      const end = valueEnd(text, at);
      yield [kindOf(text, at, end), text.slice(at, end)];
      at = end;
    }
  }
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @returns {PieceKind}
 */
function kindOf(text, start, end) {
  const first = text[start] ?? "";
  if (first === '"') return text[skipSpace(text, end)] === ":" ? "name" : "string";
  return /[\d-]/.test(first) ? "number" : "word";
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {number}
 */
function skipSpace(text, at) {
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return at;
}

/**
 * Where the value that begins at `start` ends.
 * @param {string} text
 * @param {number} start
 * @returns {number}
 */
function valueEnd(text, start) {
  const first = text[start];
  if (first === '"') return stringEnd(text, start);
  if (first !== "{" && first !== "[") {
    SCALAR.lastIndex = start;
    return SCALAR.test(text) ? SCALAR.lastIndex : text.length;
  }
  let depth = 0;
  for (let at = start; at < text.length;) {
    const mark = text[at];
    if (mark === '"') {
      at = stringEnd(text, at);
      continue;
    }
    if (mark === "{" || mark === "[") depth++;
    else if (mark === "}" || mark === "]") depth--;
    at++;
    if (depth === 0) return at;
  }
  return text.length;
}

/** A number or a word. */
const SCALAR = /[^\s,:}\]]+/y;

/**
 * @param {string} text
 * @param {number} start
 * @returns {number}
 */
function stringEnd(text, start) {
  for (let at = start + 1;;) {
    const end = text.indexOf('"', at);
    if (end < 0) return text.length;
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return end + 1;
    at = end + 1;
  }
}
