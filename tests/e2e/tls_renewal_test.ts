/** A certificate is renewed by SIGHUP while clients send: nothing acknowledged is lost. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { isServedBy, NO_OPENSSL } from "./certificates.ts";
import { event } from "./collector_process.ts";
import { Renewable } from "./renewable.ts";
import { JSON_BODY, marks } from "./sending.ts";
import { sleep, SteadySender } from "./steady_sender.ts";

const ignore = NO_OPENSSL !== "";

const IN_USE = /the certificate in \S+ is in use/;

Deno.test({
  name:
    `a renewed certificate is served after SIGHUP, and under load no event is lost or twice${NO_OPENSSL}`,
  ignore,
  async fn() {
    await using it = await Renewable.start();
    const { collector, caCerts, certificates, folder } = it, { url } = collector;
    using http1 = Deno.createHttpClient({ caCerts, http2: false });
    using http2 = Deno.createHttpClient({ caCerts, http1: false });
    await using sender = new SteadySender((mark, number) => {
      const client = number % 2 === 0 ? http1 : http2;
      const init = { client, method: "POST", headers: JSON_BODY, body: event(mark) };
      return fetch(`${url}/event`, init);
    }, 8);
    for (const round of [1, 2, 3, 4]) {
      await sender.more(200);
      const [now, before] = round % 2 === 1
        ? [certificates[1], certificates[0]]
        : [certificates[0], certificates[1]];
      await it.renew(now, IN_USE);
      deepEqual([await isServedBy(url, now), await isServedBy(url, before)], [true, false]);
    }
    await sender.more(200);
    await sender.end(folder.database);
    // What was not acknowledged at first had no answer, or one that says: later.
    deepEqual(sender.failures.filter(({ why }) => !/^TypeError|^503 /.test(why)), []);
    equal(await collector.stop(), 0, collector.output);
    match(collector.output, /stopped: .*residual = 0/);
  },
});

Deno.test({
  name:
    `bodies that are being received when the certificate is renewed are waited for${NO_OPENSSL}`,
  ignore,
  async fn() {
    await using it = await Renewable.start("--body-timeout-ms", "60000");
    const { collector, certificates: [first, second], folder } = it;
    using begun = await it.begin("/event", "slow");
    const renewed = it.renew(second, IN_USE);
    await collector.untilOutput(/tokens\.json (was read|is not there)/); // the signal has come
    equal(await isServedBy(collector.url, first), true);
    match(await begun.finish(), /^HTTP\/1\.1 202 /);
    await renewed;
    equal(await isServedBy(collector.url, second), true);
    deepEqual(marks(folder.database), ["slow"]);
  },
});

Deno.test({
  name:
    `a body that has not come when the wait is over is answered 503: it is to be sent again${NO_OPENSSL}`,
  ignore,
  async fn() {
    await using it = await Renewable.start("--body-timeout-ms", "2000");
    const { collector, certificates: [, second], folder } = it;
    using first = await it.begin("/event", "first");
    const renewed = it.renew(second, IN_USE);
    await collector.untilOutput(/tokens\.json (was read|is not there)/);
    // Its own time is not over when that of the renewal is, which the first keeps waiting.
    await sleep(1000);
    using late = await it.begin("/v1/track", "late");
    const answer = await late.answer();
    match(answer, /^HTTP\/1\.1 503 /);
    match(answer, /^retry-after: 1\r$/m);
    match(answer, /"code":"draining"/);
    await renewed;
    match(await first.answer(), /^HTTP\/1\.1 (408|503) /);
    deepEqual(marks(folder.database), []);
    equal(await isServedBy(collector.url, second), true);
  },
});

Deno.test({
  name:
    `a renewed pair that is bad changes nothing and is told; once it is mended it is taken${NO_OPENSSL}`,
  ignore,
  async fn() {
    await using it = await Renewable.start();
    const { collector, caCerts, certificates: [first, second], folder } = it;
    using client = Deno.createHttpClient({ caCerts });
    await using sender = new SteadySender((mark) => {
      const init = { client, method: "POST", headers: JSON_BODY, body: event(mark) };
      return fetch(`${collector.url}/event`, init);
    });
    const stays = /warn: Cannot use \S+ with \S+: .* The certificate in use stays/;
    for (
      const pair of [{ cert: second.cert, key: first.key }, { cert: "", key: "" }, {
        cert: first.cert.slice(0, 300),
        key: first.key,
      }]
    ) {
      await sender.more(20);
      await it.renew(pair, stays);
      equal(await isServedBy(collector.url, first), true);
    }
    await sender.more(20);
    await sender[Symbol.asyncDispose]();
    deepEqual(sender.failures, [], "requests were disturbed by a pair that is not used");
    await it.renew(second, IN_USE);
    equal(await isServedBy(collector.url, second), true);
    await sender.end(folder.database);
    ok(!collector.output.includes("the listener ended"));
    equal(await collector.stop(), 0, collector.output);
  },
});
