/** The id under which a refused request is found: in its answer, and in the log if it failed. */

import { match, notStrictEqual as unequal, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { problem, step } from "./expect.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { LockHolder } from "./lock_holder.ts";
import { JSON_BODY } from "./sending.ts";
import { until } from "./steady_sender.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A bad event of each protocol that refuses it in its own words. */
const REFUSED = {
  "/event": "{}",
  "/cloudevents": "{}",
  "/v1/track": "[]",
  "/v1/logs": "[]",
  "/services/collector": "[",
  "/batch/": "[",
  "/v0/events": "{}",
};

Deno.test("each refusal carries an id, ours or the one that came, and an acceptance none", async (t) => {
  await using collector = await CollectorProcess.start();
  const post = (id?: string, path = "/event", body = "{") =>
    collector.post(path, body, { ...JSON_BODY, ...id === undefined ? {} : { "x-request-id": id } });

  await step(t, "without one it is a UUID, another each time, also in the problem", async () => {
    const answers = [await post(), await post()];
    const ids = answers.map((answer) => {
      const id = answer.headers.get("x-request-id") ?? "";
      match(id, UUID);
      equal(problem(answer, "malformed-json").instance, `/requests/${id}`);
      return id;
    });
    unequal(ids[0], ids[1]);
  });

  await step(t, "one of 1 to 128 visible ASCII characters is kept", async () => {
    for (const id of ["7", "a/b?c#d%20e", "!".repeat(128), '"quoted"']) {
      const answer = await post(id);
      equal(answer.headers.get("x-request-id"), id);
      equal(problem(answer, "malformed-json").instance, `/requests/${encodeURIComponent(id)}`);
    }
  });

  await step(t, "any other is not", async () => {
    for (const id of ["", "a b", "é", "x".repeat(129), "tab\tbed"]) {
      const answer = await post(id);
      match(answer.headers.get("x-request-id") ?? "", UUID, id);
    }
    using socket = await RawSocket.connect(collector.url);
    const headers = ["host: localhost", "x-request-id: a", "x-request-id: b", ""];
    await socket.send(rawRequest("GET /nothing HTTP/1.1", headers));
    const answer = await socket.answer();
    ok(typeof answer === "object");
    match(answer.headers.get("x-request-id") ?? "", UUID);
  });

  await step(t, "whatever the protocol, path, method or host", async () => {
    for (const [path, body] of Object.entries(REFUSED)) {
      const answer = await post("mine", path, body);
      ok(answer.status >= 400, `${path} ${answer.status} ${answer.text}`);
      equal(answer.headers.get("x-request-id"), "mine", path);
    }
    const headers = { "x-request-id": "mine" };
    for (const [method, path] of [["GET", "/event"], ["PUT", "/"], ["GET", "/nope"]]) {
      const answer = await fetch(collector.url + path, { method: method ?? "", headers });
      ok(answer.status >= 400, path);
      equal(answer.headers.get("x-request-id"), "mine", path);
      await answer.body?.cancel();
    }
    using socket = await RawSocket.connect(collector.url);
    await socket.send(
      rawRequest("GET / HTTP/1.1", ["host: evil.example", "x-request-id: mine", ""]),
    );
    const answer = await socket.answer();
    equal(problem(answer, "misdirected").instance, "/requests/mine");
  });

  await step(t, "what is accepted or answered carries none", async () => {
    const accepted = await post("mine", "/event", event("good"));
    equal(accepted.status, 202);
    equal(accepted.headers.has("x-request-id"), false);
    const stats = await fetch(`${collector.url}/stats`, { headers: { "x-request-id": "mine" } });
    await stats.body?.cancel();
    equal(stats.headers.has("x-request-id"), false);
  });
});

Deno.test("a page may read the id", async () => {
  await using collector = await CollectorProcess.start({
    args: ["--allowed-origins", "https://app.example"],
  });
  const headers = { ...JSON_BODY, origin: "https://app.example" };
  const answer = await collector.post("/event", "{", headers);
  match(answer.headers.get("access-control-expose-headers") ?? "", /(^|, )x-request-id(,|$)/);
  match(answer.headers.get("x-request-id") ?? "", UUID);
});

Deno.test("an answer of 5xx carries the id though it is no refusal", async () => {
  const args = ["--ready-stall-ms", "100", "--durability", "memory"];
  await using collector = await CollectorProcess.start({ args });
  await using _lock = await LockHolder.start(collector.database);
  await collector.post("/event", new Blob([event(1)]));
  for (const path of ["/readyz", "/services/collector/health"]) {
    const headers = { "x-request-id": "mine" };
    await until(async () => {
      const answer = await fetch(collector.url + path, { headers });
      await answer.body?.cancel();
      equal(answer.headers.get("x-request-id"), answer.status === 503 ? "mine" : null);
      return answer.status === 503;
    }, `${path} answers 503`);
  }
});
