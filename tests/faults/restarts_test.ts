/** What issue 3 ends with: the load goes on while the collector is killed and started under it. */

import { expectNone } from "./oracle.ts";
import { FULL } from "./process.ts";
import { killedAgainAndAgain, whileSending } from "./supervised.ts";

const RESTARTS = 3, CLIENTS = 32;
const EVENTS_BETWEEN = FULL ? 20_000 : 2000;

Deno.test("[G1] killed and restarted three times under load: 0 acknowledged events missing, 0 stored twice", async () => {
  const pause = whileSending(EVENTS_BETWEEN);
  expectNone(await killedAgainAndAgain({ kills: RESTARTS, clients: CLIENTS, pause }));
});
