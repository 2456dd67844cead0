/** The id under which a refused request can be found in what its client saw, a proxy and our log. */

import type { HeaderReader } from "../protocol.ts";

/** The header it is in, in both directions. */
export const REQUEST_ID_HEADER = "x-request-id";

/** The id that the client or a proxy gave a request, if it is 1 to 128 visible ASCII; else one of ours. */
export function requestIdOf(headers: HeaderReader): string {
  const sent = headers.get(REQUEST_ID_HEADER);
  return sent !== null && /^[!-~]{1,128}$/.test(sent) ? sent : crypto.randomUUID();
}

/** Gives the id to a response of 5xx that is no refusal, such as a health check's. Gives the response. */
export function identify(response: Response, headers: HeaderReader): Response {
  if (response.status >= 500) response.headers.set(REQUEST_ID_HEADER, requestIdOf(headers));
  return response;
}
