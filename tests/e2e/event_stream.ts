/** A client of `GET /tail`: reads server-sent events as the HTML standard says (§9.2.6). */

import { until } from "./steady_sender.ts";

/** One message. */
export interface Message {
  /** `message`, or what its `event:` line says. */
  readonly kind: string;
  readonly data: string;
  /** The last id that came with it or before it. */
  readonly lastId: string;
}

/** See the head of this file. Dispose of it to go away. */
export class EventStream implements AsyncDisposable {
  /** What came so far. */
  readonly messages: Message[] = [];
  /** Comment lines. */
  readonly comments: string[] = [];
  /** Whether the server ended it. */
  isOver = false;
  readonly #end = new AbortController();
  readonly #reading: Promise<void>;
  #lastId = "";

  private constructor(response: Response, end: AbortController) {
    this.#end = end;
    this.#reading = this.#read(response).catch(() => {}).finally(() => this.isOver = true);
  }

  /** Opens one. Throws with the answer if it is refused. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
    const end = new AbortController();
    const response = await fetch(url, { headers, signal: end.signal });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const type = response.headers.get("content-type");
    if (type !== "text/event-stream") throw new Error(`not a stream: ${type}`);
    return new EventStream(response, end);
  }

  /** The events that came, without what else it was told. */
  get events(): { readonly id: number; readonly metadata: { readonly m?: unknown } }[] {
    return this.messages.filter(({ kind }) => kind === "message").map(({ data }) =>
      JSON.parse(data)
    );
  }

  /** The marks of these events: see `event` in `collector_process.ts`. */
  get marks(): unknown[] {
    return this.events.map(({ metadata }) => metadata.m);
  }

  /** Waits until so many events came. */
  async received(count: number): Promise<void> {
    await until(() => this.events.length >= count || this.isOver, `${count} events`);
  }

  /** Waits until the server has ended it. */
  async over(): Promise<void> {
    await until(() => this.isOver, "the end of a tail");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#reading;
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    let kind = "message";
    const data: string[] = [];
    for (const line of block.split(/\r\n|\n|\r/)) {
      const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (line.startsWith(":")) this.comments.push(line);
      else if (name === "event") kind = value;
      else if (name === "data") data.push(value);
      else if (name === "id") this.#lastId = value;
    }
    if (data.length > 0) this.messages.push({ kind, data: data.join("\n"), lastId: this.#lastId });
  }
}
