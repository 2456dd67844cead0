/** What each protocol answers when events can not be taken: the table of the design, in full. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Way } from "./protocol_requests.ts";

/** Why a request is refused here. */
export type Why = "queue-full" | "draining" | "body-too-large" | "too-many-events";

/** An answer, its body as bytes. */
export interface BytesAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

interface Words {
  /** Statuses of a full queue, of stopping, and of what is too large. */
  readonly statuses: readonly [full: number, draining: number, tooLarge: number];
  /** Longest wait that its clients may be told. */
  readonly retryMax: number;
  /** Checks the body of the answer. */
  readonly check: (json: Record<string, unknown>, why: Why, status: number) => void;
}

/** The body says `detail` in a member, and all else is as expected. */
function checkRest(json: Record<string, unknown>, detail: string, expected: object): void {
  const { [detail]: text, ...rest } = json;
  ok(typeof text === "string" && text.endsWith("."), JSON.stringify(json));
  deepEqual(rest, expected);
}

const problem: Words["check"] = (json, why, status) => {
  const { title: _, instance, ...rest } = json;
  const isTooLarge = status === 413;
  ok(typeof instance === "string" && instance.startsWith("/requests/"), JSON.stringify(json));
  checkRest(rest, "detail", {
    type: `/problems/${why}`,
    status,
    stored: "none",
    retryable: !isTooLarge,
  });
};

/** By the first word of {@linkcode Way.name}. */
const WORDS: Readonly<Record<string, Words>> = {
  "native": { statuses: [503, 503, 413], retryMax: 60, check: problem },
  "segment": {
    statuses: [429, 503, 413],
    retryMax: 5,
    check: (json, code) => checkRest(json, "error", { success: false, code }),
  },
  "otlp": {
    statuses: [503, 503, 413],
    retryMax: 3,
    check: (json, _, status) => checkRest(json, "message", { code: status === 413 ? 8 : 14 }),
  },
  "cloudevents": { statuses: [429, 503, 413], retryMax: 5, check: problem },
  "splunk_hec": {
    statuses: [503, 503, 413],
    retryMax: 5,
    check: (json, _, status) =>
      deepEqual(
        json,
        status === 413
          ? { text: "Request entity too large", code: 27 }
          : { text: "Server is busy", code: 9 },
      ),
  },
  "posthog": {
    statuses: [503, 503, 413],
    retryMax: 30,
    check: (json, code, status) => {
      const type = status === 413 ? "validation_error" : "server_error";
      checkRest(json, "detail", { type, code });
    },
  },
  "tinybird": {
    statuses: [429, 503, 413],
    retryMax: 5,
    check: (json) => checkRest(json, "error", {}),
  },
};

/** Sends a body in a way. */
export async function sendIn(
  url: string,
  { target, headers }: Way,
  body: ReturnType<Way["body"]>,
  more: Readonly<Record<string, string>> = {},
): Promise<BytesAnswer> {
  const init = { method: "POST", headers: { ...headers, ...more }, body };
  const response = await fetch(url + target, init);
  return { status: response.status, headers: response.headers, body: await response.bytes() };
}

/** The longest that the clients of a way may be told to wait, in seconds. */
export function retryMaxOf({ name }: Way): number {
  return wordsOf(name).retryMax;
}

/** Asserts that an answer is this refusal in the words of the way, and gives its Retry-After. */
export function refusedAs(way: Way, { status, headers, body }: BytesAnswer, why: Why): number {
  const { statuses: [full, draining, tooLarge], retryMax, check } = wordsOf(way.name);
  const expected = why === "queue-full" ? full : why === "draining" ? draining : tooLarge;
  const text = new TextDecoder().decode(body), retryAfter = headers.get("retry-after");
  equal(status, expected, `${way.name}: ${status} ${text}`);
  equal(headers.get("cache-control"), "no-store");
  if (way.name.endsWith("protobuf")) {
    equal(headers.get("content-type"), "application/x-protobuf");
    check(statusMessage(body), why, status);
  } else check(JSON.parse(text), why, status);
  if (why === "draining") equal(headers.get("connection"), "close");
  const hasRateLimit = way.name === "tinybird" && status === 429;
  equal(headers.get("x-ratelimit-remaining"), hasRateLimit ? "0" : null);
  equal(headers.get("x-ratelimit-reset"), hasRateLimit ? retryAfter : null);
  if (expected === 413) {
    equal(retryAfter, null, "it is told to come back with what never fits");
    return 0;
  }
  const seconds = Number(retryAfter);
  ok(/^[1-9]\d*$/.test(retryAfter ?? "") && seconds <= retryMax, `${way.name}: ${retryAfter}`);
  return seconds;
}

function wordsOf(name: string): Words {
  const words = WORDS[name.split(/[ ,]/)[0] ?? ""];
  if (words === undefined) throw new TypeError(`no words for ${name}`);
  return words;
}

/** A google.rpc.Status as its JSON would be. */
function statusMessage(bytes: Uint8Array): Record<string, unknown> {
  const reader = new BinaryReader(bytes);
  const message: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) message.code = reader.int32();
    else if (field === 2) message.message = reader.string();
    else reader.skip(type);
  }
  return message;
}
