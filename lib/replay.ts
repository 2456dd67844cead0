/** Dead letters sent again, once what was wrong is mended. */

import type { Admission } from "./admission.ts";
import type { Collector } from "./collector.ts";
import { isRefusal, type Refusal } from "./errors.ts";
import { FORBIDDEN_IN_FIELDS } from "./event.ts";
import type { DecodeContext, Protocol } from "./protocol.ts";
import type { StoredDeadLetter } from "./store.ts";

/** What it works with. */
export interface ReplayerOptions {
  /** Admits the events. */
  readonly collector: Collector;
  /** Decode the raw texts. */
  readonly protocols: readonly Protocol[];
}

const NO_HEADERS = { get: () => null, has: () => false, [Symbol.iterator]: () => [].values() };
const NO_HEAD = { path: "", query: "", headers: NO_HEADERS };

/** See the head of this file. */
export class Replayer {
  readonly #collector: Collector;
  readonly #protocols: ReadonlyMap<string, Protocol>;

  /** Holds no resources. */
  constructor({ collector, protocols }: ReplayerOptions) {
    this.#collector = collector;
    this.#protocols = new Map(protocols.map((protocol) => [protocol.name, protocol]));
  }

  /**
   * Admits the event of a dead letter as if it had come when it came, or says what is still wrong
   * with it. It has a key of its own, which is stored with the event: however often it is replayed,
   * also across a crash, it is stored once.
   *
   * @param raw Its text if that was mended; null to take it as it is.
   */
  replay(letter: StoredDeadLetter, raw: Uint8Array | null): Admission | Refusal {
    const { receivedAt, source, protocol } = letter;
    const slash = protocol.indexOf("/"), name = slash < 0 ? protocol : protocol.slice(0, slash);
    const decoder = this.#protocols.get(name);
    if (decoder === undefined || FORBIDDEN_IN_FIELDS.test(source + protocol)) {
      return unknownProtocol(name);
    }
    const body = raw ?? new TextEncoder().encode(letter.raw);
    const isAscii = body.every((byte) => byte < 128);
    const context: DecodeContext = { receivedAt, source, isAscii, head: NO_HEAD };
    const decoded = decoder.replay(body, context, slash < 0 ? "" : protocol.slice(slash + 1));
    if (isRefusal(decoded)) return decoded;
    const { submission, problems = [] } = decoded;
    if (submission === null || decoded.aside !== undefined) {
      const detail =
        "The event can still not be stored; mend its text and send it with the replay.";
      return { code: "invalid-event", detail, errors: problems, errorsTotal: problems.length };
    }
    const keyed = { source: submission.source, key: KEY_PREFIX + letter.event, body };
    // An id that is remembered may be that of the letter itself, whose event is no row yet.
    return this.#collector.submit(submission, { keyed, ownsIds: letter.isDecoded });
  }
}

/** Not ASCII, as the keys of clients are: no client can have taken it. */
const KEY_PREFIX = "dead letter → ";

function unknownProtocol(name: string): Refusal {
  return { code: "parameter", detail: `No protocol "${name}" is spoken here.` };
}
