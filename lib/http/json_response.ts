/** JSON for readers. */

/** A response of JSON that nobody keeps. */
export function jsonResponse(value: unknown, status = 200): Response {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(JSON.stringify(value, null, 2) + "\n", { status, headers });
}
