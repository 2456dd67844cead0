/**
 * The native protocol: `{"user_id": <int>, "timestamp": "<RFC 3339>", "metadata": {…}}` and, if the
 * sender may send it again, `"id": "<string>"`; one event, a JSON array of them, or one a line
 * (NDJSON).
 */

import { problemAnswer } from "../problem.ts";
import type { Format, IngestRoute, Outcome, Protocol, ProtocolLimits } from "../protocol.ts";
import { bearerToken, queryToken } from "./credentials.ts";
import { acceptedAnswer, preferenceOf } from "./native_answer.ts";
import { decodeArray, decodeEvent, decodeLines, NATIVE, startsArray } from "./native_body.ts";

/** `POST /event` takes one event, `POST /events` a JSON array or NDJSON. */
export function nativeProtocol(limits: ProtocolLimits): Protocol {
  const event = format((body, context) => decodeEvent(body, context, limits), oneAccepted);
  const array = format((body, context) => decodeArray(body, context, limits), manyAccepted);
  const lines = format((body, context) => decodeLines(body, context, limits), manyAccepted);
  const either: Format = {
    ...lines,
    decode: (body, context) => (startsArray(body) ? array : lines).decode(body, context),
  };
  return {
    name: NATIVE,
    routes: new Map([
      ["/event", route({ "application/json": event, "text/plain": event })],
      [
        "/events",
        route({
          "application/json": array,
          "application/x-ndjson": lines,
          "application/ndjson": lines,
          "application/jsonl": lines,
          "text/plain": either, // what navigator.sendBeacon sends
        }),
      ],
    ]),
    replay: (raw, context) => decodeEvent(raw, context, limits),
  };
}

function format(decode: Format["decode"], accepted: Format["accepted"]): Format {
  return { isText: true, decode, accepted, refused: problemAnswer };
}

function route(formats: Readonly<Record<string, Format>>): IngestRoute {
  return {
    protocol: NATIVE,
    formats: new Map(Object.entries(formats)),
    otherwise: null,
    credential: (head) => bearerToken(head) ?? queryToken(head, "token"),
    hasKeys: true,
    preference: preferenceOf,
    refused: problemAnswer,
  };
}

const oneAccepted = (outcome: Outcome) => acceptedAnswer(outcome, "");
const manyAccepted = (outcome: Outcome) => {
  const { admission: { accepted }, decoded: { aside } } = outcome;
  return acceptedAnswer(outcome, `"accepted":${accepted - (aside?.events ?? 0)},`);
};
