/** Requests that differ: wrk's script in Lua puts a number into each event that it sends. */

/** Where the number goes: `id` is the event's id; in its metadata it only costs the sender as much. */
export type NumberPlace = "id" | "metadata";

/** wrk's script for requests of these events, each with an id that no other event has. */
export function numberedLua(
  events: readonly string[],
  place: NumberPlace,
): (run: string) => string {
  const text = events.map((event, line) => marked(event, place, line)).join("\n");
  return (run) => {
    const pieces = text.replaceAll("RUN", run).split("@");
    return `
      local pieces, n = {${pieces.map((piece) => `[==[${piece}]==]`).join(', "", ')}}, 0
      request = function()
        n = n + 1
        local number = string.format("%09d", n)
        for i = 2, #pieces, 2 do pieces[i] = number end
        return wrk.format(nil, nil, nil, table.concat(pieces))
      end
    `;
  };
}

/** wrk's script for the same requests, each with an Idempotency-Key that no other has. */
export function keyedLua(events: readonly string[]): (run: string) => string {
  const lua = numberedLua(events, "metadata");
  return (run) =>
    lua(run).replace(
      "return wrk.format",
      `wrk.headers["idempotency-key"] = "${run}-" .. number\n        return wrk.format`,
    );
}

/** The event with a member `RUN-@-line`, in which the script replaces the @. */
function marked(event: string, place: NumberPlace, line: number): string {
  const [before, name] = place === "id" ? ["{", "id"] : ['"metadata":{', "no"];
  return event.replace(before, `${before}"${name}":"RUN-@-${line}",`);
}
