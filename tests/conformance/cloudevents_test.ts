/** The CloudEvents SDK, `cloudevents`: it sends, and looks neither at the status nor back. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CloudEvent, emitterFor, httpTransport, Mode } from "cloudevents";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullAndTold, stoppedAndTold, wrongToken } from "./scenarios.ts";
import { columns, type Json } from "./stored.ts";

const CLIENT: Client = { name: "cloudevents", npm: "cloudevents" };
const WHEN = "2026-11-24T11:03:40.123Z";
const EVENT = { source: "/shop", type: "order.completed", time: WHEN };
const BATCH = "application/cloudevents-batch+json; charset=UTF-8";

/** What the client gives back: no status. */
interface Answer {
  readonly body: string;
}

/** Sends an event; gives what the body of the answer says. */
async function emit(
  event: CloudEvent<unknown>,
  { url, token, mode }: { readonly url: string; readonly token: string; readonly mode: Mode },
): Promise<Json> {
  const send = emitterFor(httpTransport(`${url}/cloudevents`), { mode });
  const headers = { authorization: `Bearer ${token}` };
  return JSON.parse((await send(event, { headers }) as Answer).body);
}

const ADAPTER: Adapter = {
  open(url, token) {
    return {
      send: async (mark) => {
        const event = new CloudEvent({ ...EVENT, id: mark, data: { mark } });
        try {
          const answer = await emit(event, { url, token, mode: Mode.BINARY });
          return answer.status === "accepted" ? null : JSON.stringify(answer);
        } catch (error) {
          return String(error);
        }
      },
      close: () => Promise.resolve(""),
    };
  },
  markOf: ({ data }) => data.mark,
};

cell(CLIENT, "a", {
  expects: "binary, structured and batched events are stored in the JSON format",
  note: "The client can not send batches: that one was posted by hand, as its CloudEvents in JSON.",
}, async () => {
  await using live = await Live.start({ tokens: { "web-shop": [] } });
  const to = { url: live.url, token: live.token("web-shop") };
  const data = { total: 1e21, name: "Zoë \u{1f525} \u2028" };
  const event = (id: string, rest = {}) => new CloudEvent({ ...EVENT, id, data, ...rest });
  const extended = { subject: "order 1", traceparent: "00-ab", number: 5 };
  const bytes = { datacontenttype: "application/octet-stream", data: new Uint8Array([0, 255]) };
  const text = { datacontenttype: "text/plain", data: "Zoë" };
  const batch = [event("b1"), event("b2", extended)];
  const answers = [
    await emit(event("1", extended), { ...to, mode: Mode.BINARY }),
    await emit(event("2", text), { ...to, mode: Mode.BINARY }),
    await emit(event("3", bytes), { ...to, mode: Mode.BINARY }),
    await emit(event("4", extended), { ...to, mode: Mode.STRUCTURED }),
    await (await fetch(`${live.url}/cloudevents`, {
      method: "POST",
      headers: { "content-type": BATCH, authorization: `Bearer ${to.token}` },
      body: JSON.stringify(batch),
    })).json(),
  ];
  deepEqual(answers.map(({ status, accepted }) => [status, accepted]), [
    ...Array(4).fill(["accepted", 1]),
    ["accepted", 2],
  ]);
  await live.stop();
  deepEqual(
    live.rows().map(columns),
    ["1", "2", "3", "4", "b1", "b2"].map((id) => [
      "web-shop",
      "order.completed",
      null,
      null,
      WHEN,
      `/shop ${id}`,
    ]),
  );
  const [binary, plain, octets, structured, ...batched] = live.rows().map(({ metadata }) =>
    metadata
  );
  const json = JSON.parse(event("1", extended).toString());
  deepEqual(binary, {
    ...json,
    number: "5", // headers are text
    datacontenttype: "application/json; charset=utf-8",
  });
  deepEqual([plain.data, plain.datacontenttype], ["Zoë", "text/plain"]);
  deepEqual([octets.data_base64, octets.data], ["AP8=", undefined]);
  deepEqual(structured, { ...json, id: "4" });
  deepEqual(batched, JSON.parse(JSON.stringify(batch)));
});

cell(CLIENT, "b", {
  expects: "each is told 429 in the body, and none that was refused is stored",
  isLimit: true,
  note:
    "It never sends again, and its promise resolves whatever the status is, which it does not " +
    "give: so the status is in the body, and the caller has to look there.",
}, () => fullAndTold(ADAPTER, /"type":"\/problems\/queue-full".*"status":429.*"stored":"none"/));

cell(CLIENT, "c", {
  expects: "what is stored is what it was told is accepted, once each",
  isLimit: true,
  note: "It never sends again: its promise rejects when the connection is refused.",
}, () => stoppedAndTold(ADAPTER));

cell(CLIENT, "d", {
  expects: "400 with the number of the bad one, nothing of the batch is stored",
  note:
    "Posted by hand: the client makes no CloudEvent without a source. The format has no answer " +
    "for a part of a batch, so it is refused whole.",
}, async () => {
  await using live = await Live.start();
  const good = new CloudEvent({ ...EVENT, id: "1" }), { source: _, ...bad } = good.toJSON();
  const answer = await fetch(`${live.url}/cloudevents`, {
    method: "POST",
    headers: { "content-type": BATCH },
    body: JSON.stringify([good, bad, good]),
  });
  equal(answer.status, 400);
  const { stored, errors } = await answer.json();
  equal(stored, "none");
  deepEqual(errors.map(({ index, pointer }: Json) => [index, pointer]), [[1, "/1/source"]]);
  await live.stop();
  deepEqual([live.rows(), live.deadLetters()], [[], []]);
});

cell(
  CLIENT,
  "token",
  { expects: "401, nothing is stored" },
  () => wrongToken(ADAPTER, /"type":"\/problems\/unauthorized".*"status":401/),
);
