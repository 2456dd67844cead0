/** What is new for a tail, looked for to the end at once. */

import type { TailNews, TailQuery } from "../../lib/reader.ts";
import type { EventSource } from "../../lib/reader/event_source.ts";
import { findNews } from "../../lib/reader/finding.ts";

/** What the reader Worker finds when it has all the time it needs. */
export function newsOf(source: EventSource, query: TailQuery): TailNews {
  const news = findNews(source, query);
  while (!news.isDone) news.step();
  return news.result();
}
