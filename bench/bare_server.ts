/**
 * What the collector is measured against: the least that a Deno server can do with an event. It
 * reads the body, parses it, and answers 202.
 */

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`)),
}, async (request) => {
  JSON.parse(await request.text());
  return new Response(null, { status: 202 });
});
