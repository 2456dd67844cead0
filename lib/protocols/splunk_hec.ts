/**
 * The Splunk HTTP Event Collector (HEC): events as JSON objects, lines of raw text, health, and
 * indexer acknowledgement.
 *
 * `metadata` of a row is the object as sent; of a raw line, the object that would have said the
 * same. A request with a bad event is refused whole, as Splunk does: its clients drop it then.
 */

import type { Refusal } from "../errors.ts";
import type {
  Answer,
  Credential,
  Format,
  IngestRoute,
  Outcome,
  Protocol,
  ProtocolLimits,
  RequestHead,
  Service,
} from "../protocol.ts";
import { jsonAnswer } from "./answers.ts";
import { basicToken, queryToken, schemeToken } from "./credentials.ts";
import type { HecAcks } from "./hec_acks.ts";
import { JsonDocument } from "./json_document.ts";
import { hecAnswer, hecRefused } from "./splunk_hec_answers.ts";
import { decodeHecEvents, decodeHecRaw, SPLUNK_HEC } from "./splunk_hec_event.ts";

/** What it is made of. */
export interface SplunkHecOptions {
  /** What its decoders keep. */
  readonly limits: ProtocolLimits;
  /** Null if what is committed may be lost all the same: nothing is acknowledged then. */
  readonly acks: HecAcks | null;
  /** Whether events are taken at present. */
  readonly isHealthy: () => boolean;
}

const COLLECTOR = "/services/collector";
const EVENT_PATHS = ["", "/event", "/event/1.0"], RAW_PATHS = ["/raw", "/raw/1.0"];
const HEALTH_PATHS = ["/health", "/health/1.0"];
/** Most numbers that one query can ask about. */
const ACKS_ASKED_MAX = 100_000;

const SUCCESS = hecAnswer(0);

/** The Splunk HTTP Event Collector: see the head of this file. */
export function splunkHecProtocol({ limits, acks, isHealthy }: SplunkHecOptions): Protocol {
  const accepted = acks === null ? () => SUCCESS : (outcome: Outcome) => withAck(outcome, acks);
  const format = (decode: Format["decode"]): Format => (
    { isText: true, decode, accepted, refused: hecRefused }
  );
  const events = format((body, context) => decodeHecEvents(body, context, limits));
  const raw = format((body, context) => decodeHecRaw(body, context, limits));
  const route = (otherwise: Format): IngestRoute => ({
    protocol: SPLUNK_HEC,
    formats: new Map(),
    otherwise,
    credential: credentialOf,
    refused: hecRefused,
    ...acks === null ? {} : { refusesHead: refusesChannel },
  });
  const health: Service = {
    method: "GET",
    needsToken: false,
    credential: credentialOf,
    answer: () => hecAnswer(isHealthy() ? 17 : 18),
    refused: hecRefused,
  };
  const ack: Service = {
    method: "POST",
    needsToken: true,
    credential: credentialOf,
    // Without a token, events carry the name of the protocol.
    answer: (head, body, source) => ackAnswer(head, body, { acks, source: source || SPLUNK_HEC }),
    refused: hecRefused,
  };
  return {
    name: SPLUNK_HEC,
    routes: new Map([...at(EVENT_PATHS, route(events)), ...at(RAW_PATHS, route(raw))]),
    services: new Map([...at(HEALTH_PATHS, health), ...at(["/ack"], ack)]),
    replay: (event, context) => decodeHecEvents(event, context, limits),
  };
}

function at<T>(paths: readonly string[], what: T): (readonly [string, T])[] {
  return paths.map((path) => [COLLECTOR + path, what] as const);
}

function credentialOf(head: RequestHead): Credential | null {
  return schemeToken(head, ["splunk", "bearer"]) ?? basicToken(head, "password") ??
    queryToken(head, "token");
}

/** The channel of a request as sent; empty if it names none. */
function channelOf({ headers, query }: RequestHead): string {
  const header = headers.get("x-splunk-request-channel");
  return header ??
    (query.includes("channel") ? new URLSearchParams(query).get("channel") ?? "" : "");
}

function isChannel(name: string): boolean {
  return /^[\w-]{1,128}$/.test(name);
}

function refusesChannel(head: RequestHead): Refusal | null {
  const name = channelOf(head);
  if (name === "" || isChannel(name)) return null;
  const detail = "Expected a channel of 1 to 128 letters, digits, hyphens and underscores.";
  const errors = [{ pointer: "", code: "channel", detail }];
  return { code: "parameter", detail, errors, errorsTotal: 1 };
}

/** Success, and the number to ask for by. Not pure: this is where numbers are given. */
function withAck({ admission, decoded, head }: Outcome, acks: HecAcks): Answer {
  const name = channelOf(head), source = decoded.submission?.source;
  if (name === "" || source === undefined) return SUCCESS;
  const ackId = acks.register(source, name, admission);
  return once(`{"text":"Success","code":0,"ackId":${ackId}}`);
}

/** Which of its requests a client may forget. */
function ackAnswer(
  head: RequestHead,
  body: Uint8Array,
  { acks, source }: { readonly acks: HecAcks | null; readonly source: string },
): Answer {
  if (acks === null) return hecAnswer(14);
  const name = channelOf(head);
  if (name === "") return hecAnswer(10);
  if (!isChannel(name)) return hecAnswer(11);
  const ids = idsIn(body);
  if (ids === null) return hecAnswer(6);
  return once(JSON.stringify({ acks: acks.query(source, name, ids) }));
}

/** An answer that does not come again: with headers of its own, it is not remembered. */
function once(body: string): Answer {
  return jsonAnswer(200, body, {});
}

/** The numbers in `{"acks":[0,1]}`; null if the body is not that. */
function idsIn(body: Uint8Array): readonly number[] | null {
  const document = new JsonDocument(body), root = document.root();
  if (typeof root === "number" || document.kind(root) !== "object") return null;
  const list = document.members(root).get("acks");
  if (list === undefined || document.kind(list) !== "array") return null;
  const ids: readonly unknown[] = JSON.parse(document.raw(list)); // it was checked
  const isId = (id: unknown): id is number => Number.isSafeInteger(id) && Number(id) >= 0;
  return ids.length <= ACKS_ASKED_MAX && ids.every(isId) ? ids : null;
}
