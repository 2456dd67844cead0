/** An HTTP/1.1 client that sends whatever bytes it is told to, for requests no proper client makes. */

const ANSWER_TIMEOUT_MS = 10_000;
const HEAD_END = "\r\n\r\n";

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What came back: an answer, the end of the connection, or nothing in time. */
export type RawOutcome = RawAnswer | "closed" | "silent";

/** A connection to a collector. Dispose of it to close it. */
export class RawSocket implements Disposable {
  readonly #conn: Deno.TcpConn;
  #buffered = "";
  #open = true;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Connects to the host and port of `url`. */
  static async connect(url: string): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    return new RawSocket(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Sends all of it; false when the server closed the connection meanwhile. */
  async send(data: string | Uint8Array): Promise<boolean> {
    const bytes = typeof data === "string" ? latin1(data) : data;
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#conn.write(bytes.subarray(sent));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Sends FIN, and goes on reading. */
  async finish(): Promise<void> {
    await this.#conn.closeWrite().catch(() => {}); // the server may have closed already
  }

  /** Waits for one byte and leaves the rest unread: closing now makes the kernel send RST. */
  async readOneByte(): Promise<void> {
    await this.#read(1, ANSWER_TIMEOUT_MS);
  }

  /** Reads the next answer. `bodiless` says that it is one to HEAD. */
  async answer(
    { timeoutMs = ANSWER_TIMEOUT_MS, bodiless = false } = {},
  ): Promise<RawOutcome> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const answer = takeAnswer(this.#buffered, bodiless);
      if (answer !== null) {
        this.#buffered = answer.rest;
        return answer;
      }
      const more = await this.#read(16_384, endMs - performance.now());
      if (more !== null) return more;
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) this.#conn.close();
    this.#open = false;
  }

  /** Adds to what is buffered: null, or why there is no more. Gives up the connection in the end. */
  async #read(count: number, timeoutMs: number): Promise<"closed" | "silent" | null> {
    if (!this.#open) return "closed";
    let isLate = false;
    const timer = setTimeout(() => (isLate = true, this[Symbol.dispose]()), timeoutMs);
    try {
      const chunk = new Uint8Array(count);
      const length = await this.#conn.read(chunk);
      if (length === null) return "closed";
      this.#buffered += String.fromCharCode(...chunk.subarray(0, length));
      return null;
    } catch {
      return isLate ? "silent" : "closed";
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Sends `data` on a connection of its own and gives the first answer. */
export async function exchange(url: string, data: string | Uint8Array): Promise<RawOutcome> {
  using socket = await RawSocket.connect(url);
  await socket.send(data);
  return await socket.answer();
}

/** A request as text: start line, header lines, body. */
export function rawRequest(startLine: string, lines: readonly string[], body = ""): string {
  return [startLine, ...lines, "", body].join("\r\n");
}

/** A body of one chunk. */
export function chunked(body: string): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** The bytes of a text whose characters are all below U+0100. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The first complete answer of what was received, and what follows it; null if there is none. */
function takeAnswer(text: string, bodiless: boolean): (RawAnswer & { rest: string }) | null {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  const status = Number(statusLine.split(" ")[1]);
  const from = headEnd + HEAD_END.length;
  const hasBody = !bodiless && status >= 200 && status !== 204;
  const length = hasBody ? Number(headers.get("content-length") ?? 0) : 0;
  if (text.length < from + length) return null;
  const body = Uint8Array.from(text.slice(from, from + length), (char) => char.charCodeAt(0));
  const decoded = new TextDecoder().decode(body);
  return { status, headers, text: decoded, rest: text.slice(from + length) };
}
