/** HTTPS: what is served, and what is told of certificates that can not be. */

import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { connect } from "node:http2";
import {
  type Certificate,
  isServedBy,
  makeCertificate,
  NO_OPENSSL,
  tlsFlags,
  writePair,
} from "./certificates.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { JSON_BODY, marks, TempFolder } from "./sending.ts";

const ignore = NO_OPENSSL !== "";

/** A collector that serves HTTPS, and its folder. */
async function startTls(folder: TempFolder, certificate: Certificate): Promise<CollectorProcess> {
  const args = tlsFlags(writePair(folder.path, certificate));
  return await CollectorProcess.start({ folder: folder.path, args });
}

Deno.test({
  name: `with a certificate it serves HTTPS, and nothing without${NO_OPENSSL}`,
  ignore,
  async fn() {
    await using folder = new TempFolder();
    const certificate = makeCertificate("tls");
    await using collector = await startTls(folder, certificate);
    const { url } = collector;
    match(url, /^https:/);
    match(collector.output, /listening on https:\/\/127\.0\.0\.1:\d+/);
    equal(await isServedBy(url, certificate), true);
    equal(await isServedBy(url, makeCertificate("another")), false);
    using client = Deno.createHttpClient({ caCerts: [certificate.authority] });
    for (const own of [url, url.replace("127.0.0.1", "localhost")]) {
      const headers = { ...JSON_BODY, origin: own }; // its own page
      const method = "POST";
      const answer = await fetch(`${own}/event`, { client, method, headers, body: event("tls") });
      equal(answer.status, 202, await answer.text());
    }
    await rejects(
      fetch(`${url.replace("https", "http")}/event`, { method: "POST", body: event(1) }),
    );
    await rejects(fetch(`${url}/livez`), "who does not trust the authority is served");
    equal((await (await fetch(`${url}/stats`, { client })).json()).committed, 2);
    equal(await collector.stop(), 0, collector.output);
    deepEqual(marks(folder.database), ["tls", "tls"]);
  },
});

/** The protocol that is agreed on with a client that speaks these, in this order. */
async function negotiated(
  url: string,
  { authority }: Certificate,
  alpnProtocols: string[],
): Promise<string | null> {
  const { hostname, port } = new URL(url), caCerts = [authority];
  using connection = await Deno.connectTls({
    ...{ hostname, port: Number(port), caCerts, alpnProtocols },
  });
  return (await connection.handshake()).alpnProtocol;
}

Deno.test({
  name: `over HTTPS the client chooses HTTP/2 or HTTP/1.1, and events come by both${NO_OPENSSL}`,
  ignore,
  sanitizeOps: false, // the client keeps its session's timers for a moment
  sanitizeResources: false,
  async fn() {
    await using folder = new TempFolder();
    const certificate = makeCertificate("tls");
    await using collector = await startTls(folder, certificate);
    const { url } = collector;
    equal(await negotiated(url, certificate, ["h2", "http/1.1"]), "h2");
    equal(await negotiated(url, certificate, ["http/1.1"]), "http/1.1");

    const body = event("h2"), session = connect(url, { ca: certificate.authority });
    const stream = session.request({
      ":method": "POST",
      ":path": "/event",
      "content-type": "application/json",
      "content-length": body.length,
    });
    const answered = Promise.withResolvers<number>();
    stream.on("response", (headers) => answered.resolve(Number(headers[":status"])));
    stream.on("error", answered.reject);
    session.on("error", answered.reject);
    stream.end(body);
    equal(await answered.promise, 202);
    equal(session.alpnProtocol, "h2");
    session.destroy();

    using client = Deno.createHttpClient({ caCerts: [certificate.authority], http2: false });
    const init = { client, method: "POST", headers: JSON_BODY, body: event("h1") };
    const answer = await fetch(`${url}/event`, init);
    equal(answer.status, 202, await answer.text());
    deepEqual(marks(folder.database), ["h2", "h1"]);
  },
});

/** Asserts that it does not start, and says why in one line. */
async function refused(
  options: Parameters<typeof CollectorProcess.refused>[0],
  why: RegExp,
): Promise<void> {
  const { code, output } = await CollectorProcess.refused(options);
  equal(code, 78, output);
  equal(output.trim().split("\n").length, 1, output);
  match(output, why);
}

Deno.test("a certificate without a key, or a key without a certificate, is refused with 78 and one message", async () => {
  const together = /--tls-cert and --tls-key must be given together/;
  await refused({ args: ["--tls-cert", "cert.pem"] }, together);
  await refused({ args: ["--tls-key", "key.pem"] }, together);
  await refused({ env: { FIREHOUSE_TLS_KEY: "key.pem" } }, together);
});

Deno.test({
  name:
    `a pair that can not be used is refused with 78 and one message that names the files${NO_OPENSSL}`,
  ignore,
  async fn() {
    await using folder = new TempFolder();
    const { cert, key } = makeCertificate("tls"), other = makeCertificate("other");
    const paths = writePair(folder.path, { cert, key }), args = tlsFlags(paths);
    const bad = [
      [{ cert, key: other.key }, /KeyMismatch/],
      [{ cert: "", key }, /No certificates found/],
      [{ cert: "no certificate", key }, /No certificates found/],
      [{ cert: cert.slice(0, cert.length / 2), key }, /Cannot use /],
      [{ cert, key: "" }, /No keys found/],
      [{ cert: key, key: cert }, /No certificates found/],
    ] as const;
    for (const [pair, why] of bad) {
      writePair(folder.path, pair);
      await refused({ folder: folder.path, args }, why);
      await refused(
        { folder: folder.path, args },
        /tls\.cert\.pem .*Check --tls-cert and --tls-key/,
      );
    }
    const nowhere = `${folder.path}/nowhere.pem`;
    for (const missing of [{ ...paths, cert: nowhere }, { ...paths, key: nowhere }]) {
      const told = /Cannot read \S+nowhere\.pem: .*that this user may read both/;
      await refused({ folder: folder.path, args: tlsFlags(missing) }, told);
    }
    deepEqual(folder.names(/events\.db/), [], "it has made files");
  },
});
