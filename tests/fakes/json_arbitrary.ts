/** JSON texts as odd as the grammar allows: any whitespace, escapes, numbers and duplicate keys. */

import fc from "fast-check";

/** Whitespace between tokens. */
export const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 }),
);

/** Whitespace that is not a line end, for JSON that has to stay on one line. */
export const inlineSpace: fc.Arbitrary<string> = space.map((text) => text.replaceAll("\n", " "));

const character = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).map((text) =>
    JSON.stringify(text).slice(1, -1)
  ),
  fc.constantFrom(
    ..."{}[],: ",
    '\\"',
    "\\\\",
    "\\/",
    "\\b",
    "\\u0022",
    "\\u005C",
    "\\ud83d\\ude00",
  ),
  fc.constantFrom("\u007f", "\u2028", "é", "日", "😀", "\ufeff", "\\ud800"),
);

/** A string in its quotes. */
export const stringText: fc.Arbitrary<string> = fc.array(character, { maxLength: 6 })
  .map((characters) => `"${characters.join("")}"`);

const scalarText = fc.oneof(
  stringText,
  fc.constantFrom("null", "true", "false", "0", "-0", "1.0", "1e400", "-1E-400", "0.10", "1e+2"),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
);

const keyText = fc.oneof(
  stringText,
  fc.constantFrom('"user_id"', '"timestamp"', '"metadata"', '"__proto__"', '"a"', '""'),
);

function jsonTexts(space: fc.Arbitrary<string>) {
  return fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: "small", withCrossShrink: true },
      scalarText,
      tie("array"),
      tie("object"),
    ),
    array: fc.tuple(
      space,
      fc.array(fc.tuple(space, tie("value"), space).map((parts) => parts.join("")), {
        maxLength: 4,
      }),
    ).map(([inside, items]) => `[${items.length > 0 ? items.join(",") : inside}]`),
    object: fc.tuple(
      space,
      fc.array(
        fc.tuple(space, keyText, space, space, tie("value"), space)
          .map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`),
        { maxLength: 4 },
      ),
    ).map(([inside, members]) => `{${members.length > 0 ? members.join(",") : inside}}`),
  }));
}

const anywhere = jsonTexts(space), inline = jsonTexts(inlineSpace);

/** Any JSON value. */
export const jsonText: fc.Arbitrary<string> = anywhere.value;
/** A JSON object. */
export const jsonObjectText: fc.Arbitrary<string> = anywhere.object;
/** A JSON object on one line. */
export const jsonObjectLine: fc.Arbitrary<string> = inline.object;
