/** Which format a request is in, by its Content-Type. */

import type { Refusal } from "../errors.ts";
import type { Format, IngestRoute, RequestHead } from "../protocol.ts";

/** Longest header that is read, in characters. */
export const HEADER_LENGTH_MAX = 8192;
/** What a longer one is refused with. */
export const HEADER_TOO_LARGE: Refusal = {
  code: "headers-too-large",
  detail: `Expected a header of at most ${HEADER_LENGTH_MAX} characters.`,
};

/** The format of a request at a route, or why it has none. */
export function formatOf(head: RequestHead, route: IngestRoute): Format | Refusal {
  const header = head.headers.get("content-type");
  if (route.formatOf !== undefined) return route.formatOf(head) ?? unsupported(header, route);
  const exact = header === null ? undefined : route.formats.get(header);
  return exact ?? parsed(header, route) ?? route.otherwise ?? unsupported(header, route);
}

/** The format for a Content-Type header in full: any case, with parameters. */
function parsed(header: string | null, route: IngestRoute): Format | undefined {
  if (header === null || header.length > HEADER_LENGTH_MAX) return undefined;
  const [type = "", ...parameters] = header.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return undefined;
  return route.formats.get(type);
}

function unsupported(header: string | null, route: IngestRoute): Refusal {
  if (header !== null && header.length > HEADER_LENGTH_MAX) return HEADER_TOO_LARGE;
  const accepted = [...route.formats.keys()].join(", ");
  return {
    code: "unsupported-type",
    detail: `Expected a Content-Type among ${accepted}, in UTF-8.`,
    headers: { "accept-post": accepted },
  };
}
