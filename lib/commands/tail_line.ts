/** An event as a line for a person: when, through what, its name, its user, its metadata. */

import { escape } from "../log.ts";

/** The members that are read of an event: see `GET /tail`. */
interface TailEvent {
  readonly actor: string | null;
  readonly received_at: string;
  readonly source: string;
  readonly type: string | null;
}

/** East Asian wide characters and emoji, which take two columns of a terminal. */
const WIDE =
  /[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff01-\uff60]/u;
/** What stands above or below the character before it. */
const MARK = /[\p{Mn}\p{Me}\u200b-\u200d\ufe00-\ufe0f]/u;

/** The line, no wider than so many columns; nothing in it is obeyed by a terminal. */
export function tailLine(json: string, columns: number): string {
  const { actor, received_at, source, type } = JSON.parse(json) as TailEvent;
  const user = actor ?? /^\{"id":\d+,"user_id":(-?\d+)/.exec(json)?.[1]; // a number is not exact
  // The last member, as it was sent. What looks like it in a string before has a backslash in it.
  const metadata = json.slice(json.indexOf(',"metadata":') + ',"metadata":'.length, -1);
  const cells = [received_at, source, type ?? "-", user ?? "-", metadata].map(escape);
  return cut(cells.join("  "), columns);
}

function cut(text: string, columns: number): string {
  if (text.length <= columns / 2) return text;
  let width = 0, end = 0, fits = 0;
  for (const character of text) {
    width += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
    if (width > columns) return `${text.slice(0, fits)}…`;
    end += character.length;
    if (width < columns) fits = end; // there is room for the ellipsis behind it
  }
  return text;
}
