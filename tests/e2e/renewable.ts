/** A collector whose certificate is renewed while it runs. */

import { type Certificate, makeCertificate, tlsFlags, writePair } from "./certificates.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

/** A collector with one of two certificates. */
export class Renewable implements AsyncDisposable {
  /** Where everything is. */
  readonly folder: TempFolder = new TempFolder();
  /** The first is served in the beginning. */
  readonly certificates: readonly [Certificate, Certificate] = [
    makeCertificate("first"),
    makeCertificate("second"),
  ];
  /** The authorities of both. */
  readonly caCerts: string[] = this.certificates.map(({ authority }) => authority);
  #collector: CollectorProcess | null = null;

  /** Starts it with the first. */
  static async start(...args: readonly string[]): Promise<Renewable> {
    const it = new Renewable();
    const tls = tlsFlags(writePair(it.folder.path, it.certificates[0]));
    it.#collector = await CollectorProcess.start({
      folder: it.folder.path,
      args: [...tls, ...args],
    });
    return it;
  }

  /** The collector. */
  get collector(): CollectorProcess {
    if (this.#collector === null) throw new Error("it does not run");
    return this.#collector;
  }

  /** Writes the files, asks it to read them, and waits until it has told so often what came of it. */
  async renew(pair: Pick<Certificate, "cert" | "key">, told: RegExp): Promise<void> {
    const { collector } = this, count = () => collector.output.split(told).length;
    writePair(this.folder.path, pair);
    const before = count();
    collector.kill("SIGHUP");
    await until(() => count() > before, `${told} in ${collector.output}`);
  }

  /** Begins to send an event by HTTP/1.1 on a connection of its own: the head and a part. */
  async begin(path: string, mark: string): Promise<Begun> {
    const { hostname, port } = new URL(this.collector.url), { caCerts } = this;
    const before = await this.#bodiesInFlight();
    const connection = await Deno.connectTls({ hostname, port: Number(port), caCerts });
    const body = event(mark), encoder = new TextEncoder();
    const write = (text: string) => connection.write(encoder.encode(text));
    await write(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    );
    await until(async () => await this.#bodiesInFlight() > before, "the body is being received");
    const answer = async () => {
      const bytes = new Uint8Array(4096), length = await connection.read(bytes);
      return new TextDecoder().decode(bytes.subarray(0, length ?? 0));
    };
    return {
      answer,
      finish: async () => (await write(body.slice(10)), await answer()),
      [Symbol.dispose]: () => connection.close(),
    };
  }

  async #bodiesInFlight(): Promise<number> {
    using client = Deno.createHttpClient({ caCerts: this.caCerts });
    const stats = await fetch(`${this.collector.url}/stats`, { client });
    return (await stats.json()).bodies_in_flight;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector?.[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

/** A request under way. */
export interface Begun extends Disposable {
  /** Reads the answer. */
  answer(): Promise<string>;
  /** Sends the rest, and reads the answer. */
  finish(): Promise<string>;
}
