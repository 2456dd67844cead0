/** Requests whose bodies have begun to come and do not end before they are told to. */

import type { CollectorProcess } from "../e2e/collector_process.ts";
import { RawSocket } from "../e2e/raw_socket.ts";
import { classify } from "./answer.ts";
import { type MadeEvent, makeEvent } from "./events.ts";
import type { EventLog } from "./oracle.ts";

const BEGUN_BYTES = 10;

interface SlowBody {
  readonly event: MadeEvent;
  readonly socket: RawSocket;
  readonly rest: Uint8Array;
}

/** All of them; disposing of them closes the connections. */
export class SlowBodies implements Disposable {
  readonly #bodies: readonly SlowBody[];
  readonly #log: EventLog;

  private constructor(bodies: readonly SlowBody[], log: EventLog) {
    this.#bodies = bodies;
    this.#log = log;
  }

  /** Sends the beginnings, and waits until the collector has them. `first`: number of a client. */
  static async begin(
    collector: CollectorProcess,
    log: EventLog,
    { first, count }: { readonly first: number; readonly count: number },
  ): Promise<SlowBodies> {
    const bodies: SlowBody[] = [];
    for (let i = 0; i < count; i++) {
      const event = makeEvent(first + i, 0, true);
      const body = new TextEncoder().encode(event.json);
      const socket = await RawSocket.connect(collector.url);
      bodies.push({ event, socket, rest: body.subarray(BEGUN_BYTES) });
      log.sending([event]);
      await socket.send(
        "POST /event HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n" +
          `content-length: ${body.length}\r\n\r\n`,
      );
      await socket.send(body.subarray(0, BEGUN_BYTES));
    }
    await collector.until(({ bodies_in_flight = 0 }) => bodies_in_flight >= count);
    return new SlowBodies(bodies, log);
  }

  /** Sends the rest of each, and gives how each was answered; 0 if it was not. */
  async finish(): Promise<number[]> {
    return await Promise.all(this.#bodies.map(async ({ event, socket, rest }) => {
      await socket.send(rest);
      const answer = await socket.answer();
      if (typeof answer === "string") return 0;
      this.#log.ended([event], classify(answer.status, answer.text).outcome);
      return answer.status;
    }));
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#bodies) socket[Symbol.dispose]();
  }
}
