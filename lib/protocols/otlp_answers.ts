/**
 * What OTLP answers: an `ExportLogsServiceResponse`, or a `google.rpc.Status` for refusals, in the
 * encoding of the request.
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Refusal } from "../errors.ts";
import type { Answer, Format, Outcome } from "../protocol.ts";
import { headersOf, jsonAnswer, type Statuses, statusOf } from "./answers.ts";

/** Longest Retry-After: JavaScript's exporters give a batch up after 10 s, all tries included. */
const RETRY_SECONDS_MAX = 3;

/**
 * Clients send again after 429, 502, 503 and 504 only and drop what they hold after any other, so
 * everything that may succeed later has to be one of these. That goes for `unconfirmed` and
 * `internal` too, where the records may be stored already: sending again may store them twice
 * (not with a `log.record.uid`, they are known by that), dropping may lose them.
 */
const STATUSES: Statuses = {
  "body-incomplete": 503,
  "body-timeout": 503,
  "internal": 503,
  "invalid-event": 400,
  "key-in-flight": 503,
  "key-reused": 400,
  "unconfirmed": 503,
};

/** Codes of gRPC by HTTP status. OTLP does not use them, but clients may log them. */
const GRPC_CODES: Readonly<Record<number, number>> = {
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 5, // NOT_FOUND
  405: 12, // UNIMPLEMENTED
  413: 8, // RESOURCE_EXHAUSTED
  429: 8,
  503: 14, // UNAVAILABLE
};
const INVALID_ARGUMENT = 3;

/** The answers in JSON. */
export const JSON_ANSWERS: Pick<Format, "accepted" | "refused"> = {
  accepted: (outcome) => {
    const partial = partialOf(outcome);
    if (partial === null) return JSON_SUCCESS;
    const { rejected, errorMessage } = partial;
    const partialSuccess = { rejectedLogRecords: String(rejected), errorMessage };
    return jsonAnswer(200, JSON.stringify({ partialSuccess }));
  },
  refused: (refusal) => {
    const { status, code, message, headers } = failure(refusal);
    return jsonAnswer(status, JSON.stringify({ code, message }), headers);
  },
};

/** The answers in protobuf. */
export const PROTOBUF_ANSWERS: Pick<Format, "accepted" | "refused"> = {
  accepted: (outcome) => {
    const partial = partialOf(outcome);
    if (partial === null) return PROTOBUF_SUCCESS;
    const { rejected, errorMessage } = partial;
    const response = new BinaryWriter().tag(1, WireType.LengthDelimited).fork()
      .tag(1, WireType.Varint).int64(rejected)
      .tag(2, WireType.LengthDelimited).string(errorMessage)
      .join();
    return protobufAnswer(200, response);
  },
  refused: (refusal) => {
    const { status, code, message, headers } = failure(refusal);
    const body = new BinaryWriter()
      .tag(1, WireType.Varint).int32(code)
      .tag(2, WireType.LengthDelimited).string(message);
    return { ...protobufAnswer(status, body), headers };
  },
};

const JSON_SUCCESS = jsonAnswer(200, "{}");
/** A message without fields has no bytes. */
const PROTOBUF_SUCCESS: Answer = {
  status: 200,
  body: new Uint8Array(0),
  type: "application/x-protobuf",
};

function protobufAnswer(status: number, body: BinaryWriter): Answer {
  return { status, body: body.finish(), type: "application/x-protobuf" };
}

/** How many records were set aside and why; null if none: then it must not be in the answer. */
function partialOf({ decoded: { aside, problems = [] } }: Outcome) {
  if (aside === undefined) return null;
  const [first] = problems;
  const where = first === undefined ? "" : `; log record ${first.index}, the first of them` +
    `${first.pointer === "" ? "" : ` at ${first.pointer}`}: ${first.detail}`;
  const errorMessage = `${aside.events} kept aside as dead letters${where}`;
  return { rejected: aside.events, errorMessage };
}

function failure(refusal: Refusal) {
  const status = statusOf(refusal, STATUSES);
  return {
    status,
    code: GRPC_CODES[status] ?? INVALID_ARGUMENT,
    message: refusal.detail,
    headers: headersOf(refusal, RETRY_SECONDS_MAX),
  };
}
