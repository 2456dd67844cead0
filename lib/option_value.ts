/** How the text after a flag, in a variable or of an argument becomes a value. */

/** An integer within a range. */
export interface IntegerValue {
  /** Tells the kinds apart. */
  readonly kind: "integer";
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** Unit of the value, empty if it has none. */
  readonly unit: string;
}

/** Any text, or any that passes a check. */
export interface TextValue {
  /** Tells the kinds apart. */
  readonly kind: "text";
  /** Whether a text is one; default: any is. */
  readonly isValid?: (text: string) => boolean;
  /** What is valid, in words. */
  readonly expected?: string;
}

/** One of a few words. */
export interface ChoiceValue<T extends string = string> {
  /** Tells the kinds apart. */
  readonly kind: "choice";
  /** The words. */
  readonly choices: readonly T[];
}

/** A value of any kind. */
export type Value = IntegerValue | TextValue | ChoiceValue;

/** None: the flag is there or not. Only a flag of a subcommand can be one. */
export interface SwitchValue {
  /** Tells the kinds apart. */
  readonly kind: "switch";
}

/** Texts of a flag that may be there several times. Only a flag of a subcommand can be one. */
export interface ListValue extends Omit<TextValue, "kind"> {
  /** Tells the kinds apart. */
  readonly kind: "list";
}

/** What a flag of a subcommand can have. */
export type FlagValue = Value | SwitchValue | ListValue;

/** What a value of this kind is read as. */
export type ValueOf<Of extends FlagValue> = Of extends ChoiceValue<infer T> ? T
  : Of extends IntegerValue ? number
  : Of extends SwitchValue ? true
  : Of extends ListValue ? readonly string[]
  : string;

/** The same, of any kind. */
export type AnyValue = string | number | true | readonly string[];

/** Reads a value; if it is none, that goes to `problems` and what is given back means nothing. */
export function readValue(
  name: string,
  value: Value,
  text: string,
  problems: string[],
): string | number {
  const mustBe = (expected: string) => problems.push(`${name} must be ${expected}, got "${text}"`);
  switch (value.kind) {
    case "text":
      if (value.isValid?.(text) === false) mustBe(value.expected ?? "valid");
      return text;
    case "choice":
      if (!value.choices.includes(text)) mustBe(value.choices.join(" or "));
      return text;
    case "integer": {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      const { min, max } = value;
      if (!(number >= min && number <= max)) mustBe(`an integer from ${min} to ${max}`);
      return number;
    }
  }
}

/** The same where a text may be empty only if that is its default. */
export function readText(
  name: string,
  value: Value & { readonly default?: unknown },
  text: string,
  problems: string[],
): string | number {
  const mayBeEmpty = value.kind !== "text" || value.default === "";
  if (text !== "" || mayBeEmpty) return readValue(name, value, text, problems);
  problems.push(`${name} must not be empty`);
  return text;
}

/** The items of a text that is a list, separated by commas; blanks around them do not count. */
export function listItems(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

/** The value in the help, after its flag. */
export function placeholder(value: FlagValue): string {
  switch (value.kind) {
    case "switch":
      return "";
    case "integer":
      return `<${value.unit || "number"}>`;
    case "choice":
      return value.choices.join("|");
    case "text":
    case "list":
      return "<text>";
  }
}

/** `queueCapacity` as a flag, without its dashes: `queue-capacity`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
