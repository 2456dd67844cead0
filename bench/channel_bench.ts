import { Channel } from "../lib/channel.ts";

const EVENTS = 10_000;
const value = { events: 1, bytes: 300 };

Deno.bench(`channel: send ${EVENTS} one by one, receive by 200`, async () => {
  const channel = new Channel<typeof value>({ capacity: 30_000, capacityBytes: 64 << 20 });
  for (let i = 0; i < EVENTS; i++) channel.trySend(value);
  channel.close();
  for (;;) {
    const received = await channel.receive({ eventsMax: 200 });
    if (received === null) break;
    channel.release(received);
  }
});

const full = new Channel<typeof value>({ capacity: 1, capacityBytes: 1000 });
full.trySend(value);

Deno.bench(`channel: ${EVENTS} sends refused by a full channel`, () => {
  for (let i = 0; i < EVENTS; i++) full.trySend(value);
});
