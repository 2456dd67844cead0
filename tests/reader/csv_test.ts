import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import type { StoredEvent } from "../../lib/query.ts";
import { anyEvents, NAUGHTY, storedEvent } from "./any_event.ts";
import { exportedText } from "./exported.ts";

const HEAD = "id,user_id,actor,timestamp,received_at,source,type,event_id,metadata\r\n";

/** What a cell says, by the rules that csv.ts states. */
function said(cell: string, { quoting }: { readonly quoting: boolean }): string | null {
  if (!quoting) return cell === "" ? null : cell;
  return cell.startsWith("'") ? cell.slice(1) : cell;
}

/** The rows as another program reads them. */
function read(csv: string): Record<string, string | null>[] {
  return parse(csv, { columns: true, cast: said, record_delimiter: "\r\n" });
}

function expected(event: StoredEvent): Record<string, string | null> {
  return {
    id: String(event.id),
    user_id: event.userId,
    actor: event.actor,
    timestamp: event.timestamp,
    received_at: new Date(event.receivedAt).toISOString(),
    source: event.source,
    type: event.type,
    event_id: event.eventId,
    metadata: event.metadata.replaceAll("\n", " ").replaceAll("\r", " "),
  };
}

async function row(event: StoredEvent): Promise<string> {
  const csv = await exportedText("csv", [event]);
  ok(csv.startsWith(HEAD) && csv.endsWith("\r\n"));
  return csv.slice(HEAD.length, -2);
}

Deno.test("CSV: text is quoted, numbers and times are not, null is empty", async () => {
  equal(
    await row(storedEvent({ userId: "-9223372036854775808", type: "", eventId: 'a "b"' })),
    '1,-9223372036854775808,,"2026-11-24T11:03:40.5Z",2026-11-24T11:03:40.678Z,"native","",' +
      '"a ""b""","{""path"":""/checkout""}"',
  );
});

Deno.test("CSV: an export of nothing is the header, and there is no byte order mark", async () => {
  equal(await exportedText("csv", []), HEAD);
});

Deno.test("CSV: text that a spreadsheet would run has a ' before it (B96)", async () => {
  const begins = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "'"];
  for (const begin of begins) {
    const actor = `${begin}cmd|' /C calc'!A0`;
    match(
      await row(storedEvent({ userId: null, actor })),
      new RegExp(`^1,,"'${RegExp.escape(actor)}",`),
    );
  }
  for (const actor of ["a=1", " =1", "1-1", "é"]) {
    ok((await row(storedEvent({ userId: null, actor }))).startsWith(`1,,"${actor}",`));
  }
});

Deno.test("CSV: a negative user_id is a number still", async () => {
  ok((await row(storedEvent({ userId: "-5" }))).startsWith("1,-5,,"));
});

Deno.test("CSV: an event is one line, whatever was between the tokens of its metadata", async () => {
  const metadata = '{\r\n"a":\n"\\u0000\\n"}';
  ok((await row(storedEvent({ metadata }))).endsWith(',"{  ""a"": ""\\u0000\\n""}"'));
  const lines = (await exportedText("csv", NAUGHTY)).split(/\r\n|\n|\r/);
  equal(lines.length, 1 + NAUGHTY.length + 1);
});

Deno.test("CSV: another program reads what was stored, every naughty string included", async () => {
  deepEqual(read(await exportedText("csv", NAUGHTY)), NAUGHTY.map(expected));
});

Deno.test("CSV: another program reads what was stored, whatever it was", async () => {
  await fc.assert(fc.asyncProperty(anyEvents, async (events) => {
    deepEqual(read(await exportedText("csv", events)), events.map(expected));
  }));
});
