/** The answer to HEAD where GET streams. */

/** Without a `content-length`, which is not known: no body at all would give one of 0. */
export function streamedHead(headers: Readonly<Record<string, string>>): Response {
  return new Response(new Blob([]).stream(), { headers });
}
