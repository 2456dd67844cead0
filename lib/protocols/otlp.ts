/**
 * OTLP/HTTP for logs: what OpenTelemetry SDKs and collectors send, in JSON and in protobuf. Each
 * log record is an event.
 */

import { isRefusal } from "../errors.ts";
import type {
  Credential,
  Decode,
  IngestRoute,
  Protocol,
  ProtocolLimits,
  RequestHead,
} from "../protocol.ts";
import { bearerToken } from "./credentials.ts";
import { JSON_ANSWERS, PROTOBUF_ANSWERS } from "./otlp_answers.ts";
import { decodeOtlpJson, OTLP, replayOtlpJson } from "./otlp_json.ts";
import { otlpJsonOf } from "./otlp_protobuf.ts";

const KEY_LENGTH_MAX = 1024;

/** `POST /v1/logs` takes an `ExportLogsServiceRequest`. */
export function otlpProtocol(limits: ProtocolLimits): Protocol {
  const json: Decode = (body, context) => decodeOtlpJson(body, context, limits);
  const protobuf: Decode = (body, context) => {
    const text = otlpJsonOf(body);
    return isRefusal(text) ? text : decodeOtlpJson(text, context, limits);
  };
  const route: IngestRoute = {
    protocol: OTLP,
    formats: new Map([
      ["application/json", { isText: true, decode: json, ...JSON_ANSWERS }],
      ["application/x-protobuf", { isText: false, decode: protobuf, ...PROTOBUF_ANSWERS }],
    ]),
    otherwise: null,
    credential: (head) => bearerToken(head) ?? apiKey(head),
    refused: JSON_ANSWERS.refused,
  };
  return {
    name: OTLP,
    routes: new Map([["/v1/logs", route], ["/v1/logs/", route]]),
    replay: (raw, context) => replayOtlpJson(raw, context, limits),
  };
}

/** `x-api-key`, which users often put in `OTEL_EXPORTER_OTLP_HEADERS`. */
function apiKey({ headers }: RequestHead): Credential | null {
  const token = headers.get("x-api-key");
  return token === null || token.length > KEY_LENGTH_MAX ? null : { token, isInUrl: false };
}
