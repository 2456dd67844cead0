/** Server-sent events read from a stream, since EventSource can not send a token. */

/** @typedef {{ readonly event: string, readonly data: string, readonly id: string }} Message */

/** Longest message, in UTF-16 code units: an event and what is around it. */
const MESSAGE_MAX = 64 * 1024 * 1024;

/**
 * The messages of a stream of text, as the HTML standard parses them. Comments come as messages with
 * the event `comment`: they show that somebody is still there.
 * @param {ReadableStream<string>} stream
 * @returns {AsyncGenerator<Message>}
 * @throws {RangeError} if a message is too long.
 */
export async function* messages(stream) {
  let event = "", id = "", size = 0;
  /** @type {string[]} */
  let data = [];
  for await (const line of lines(stream)) {
    if (line === "") {
      if (data.length > 0) yield { event, data: data.join("\n"), id };
      [event, data, size] = ["", [], 0];
      continue;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "") yield { event: "comment", data: value, id };
    else if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") {
      data.push(value);
      size += value.length;
      if (size > MESSAGE_MAX) throw new RangeError("A message of the collector is too long.");
    }
  }
}

/**
 * @param {ReadableStream<string>} stream
 * @returns {AsyncGenerator<string>}
 */
async function* lines(stream) {
  const reader = stream.getReader();
  /** @type {string[]} */
  let begun = [];
  let size = 0, isAfterReturn = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      let text = value;
      if (isAfterReturn && text.startsWith("\n")) text = text.slice(1);
      if (text !== "") isAfterReturn = text.endsWith("\r");
      const parts = text.split(/\r\n|\n|\r/);
      for (const part of parts.slice(0, -1)) {
        yield begun.join("") + part;
        [begun, size] = [[], 0];
      }
      begun.push(parts.at(-1) ?? "");
      size += parts.at(-1)?.length ?? 0;
      if (size > MESSAGE_MAX) throw new RangeError("A line of the collector is too long.");
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
