/** Exports: each format holds what the database holds, whole or from an id on. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { parquetReadObjects } from "hyparquet";
import { CollectorProcess, event } from "./collector_process.ts";
import { step } from "./expect.ts";
import { WAYS } from "./protocol_requests.ts";
import { eventText, read, readJson, refusal, send } from "./reading.ts";
import { type StoredEvent, storedEvents } from "./rows.ts";

const HOSTILE = [
  "=cmd|' /C calc'!A0",
  "+1",
  "-1",
  "@x",
  "\t=1",
  "\r=1",
  "＝1",
  "'quoted",
  'a "b", c\r\nd;e',
  "\0\u202e\u2028",
  "<script>alert(1)</script><img src=x onerror=alert(1)>",
  "javascript:alert(1)",
  "x".repeat(100_000),
];
const COLUMNS = [
  "id",
  "user_id",
  "actor",
  "timestamp",
  "received_at",
  "source",
  "type",
  "event_id",
  "metadata",
];
const iso = (row: StoredEvent) => new Date(Number(row.received_at)).toISOString();
const onOneLine = (text: string) => text.replaceAll(/[\r\n]/g, " ");

/** Fills a collector with events of every protocol, hostile ones, and many plain ones. */
async function fill(collector: CollectorProcess): Promise<readonly StoredEvent[]> {
  for (const { target, headers, takesMany, body } of WAYS) {
    const marks = takesMany ? ["one", "two"] : ["one"];
    const answer = await collector.post(target, new Blob([body(marks)]), { ...headers });
    ok(answer.status === 202 || answer.status === 200, answer.text);
  }
  const bodies = HOSTILE.map((text) => ({
    type: "track",
    event: text,
    userId: text,
    properties: { text },
  }));
  for (const body of bodies) await collector.post("/v1/track", new Blob([JSON.stringify(body)]));
  const extreme = ["-9223372036854775808", "9223372036854775807"].map((id) =>
    `{"user_id":${id},"timestamp":"2026-11-24T11:03:40Z","metadata":{"x":1e400,\n"x" : 1.0}}`
  );
  for (const body of extreme) equal((await collector.post("/event", body)).status, 202);
  for (let i = 0; i < 3; i++) {
    await send(
      collector,
      Array.from({ length: 8000 }, (_, n) => event(n)),
    );
  }
  await collector.settled();
  return storedEvents(collector.database);
}

/** A CSV cell without the mark that keeps spreadsheets from computing it. */
function unmarked(cell: string): string {
  return cell.startsWith("'") ? cell.slice(1) : cell;
}

/** The cells of a row, as they must be after {@linkcode unmarked}. */
function cells(row: StoredEvent): string[] {
  const { id, user_id, actor, timestamp, source, type, event_id, metadata } = row;
  const numbers = [`${id}`, `${user_id ?? ""}`];
  const texts = [actor, timestamp, iso(row), source, type, event_id, onOneLine(metadata)];
  return [...numbers, ...texts.map((text) => text ?? "")];
}

Deno.test("an export in each format holds what the database holds", async (t) => {
  await using collector = await CollectorProcess.start();
  const rows = await fill(collector), last = rows.at(-1)?.id ?? 0n;
  ok(rows.length > 24_000);
  const download = async (query: string) => {
    const response = await fetch(`${collector.url}/export?${query}`);
    equal(response.status, 200, query);
    return { headers: response.headers, bytes: await response.bytes() };
  };
  const text = async (query: string) =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      (await download(query)).bytes,
    );

  await step(
    t,
    "the head says what it is: an attachment with a name, never shown in a page",
    async () => {
      const types = {
        ndjson: "application/x-ndjson",
        csv: "text/csv; charset=utf-8; header=present",
        parquet: "application/vnd.apache.parquet",
      };
      for (const [format, type] of Object.entries(types)) {
        for (const method of ["GET", "HEAD"]) {
          const { status, headers, text } = await read(
            collector,
            `/export?format=${format}&after_id=${last}`,
            { method },
          );
          deepEqual([status, headers.get("content-type")], [200, type]);
          match(
            headers.get("content-disposition") ?? "",
            new RegExp(`^attachment; filename="events-[\\dT-]+\\.${format}"$`),
          );
          equal(headers.get("x-content-type-options"), "nosniff");
          equal(headers.get("content-length"), null); // it is not known beforehand
          if (method === "HEAD") equal(text, "");
        }
      }
      deepEqual(refusal(await read(collector, "/export?format=xlsx")), [400, "parameter"]);
      deepEqual(refusal(await read(collector, "/export?after_id=-1")), [400, "parameter"]);
    },
  );

  await step(t, "NDJSON: an event a line, text for text", async () => {
    equal(await text("format=ndjson"), rows.map((row) => eventText(row) + "\n").join(""));
    equal(await text(""), await text("format=ndjson"));
  });

  await step(
    t,
    "CSV: as other programs read it; nothing in it begins like a formula (B96)",
    async () => {
      const file = await text("format=csv");
      const [head, ...lines] = parse(file, { relax_column_count: false }) as string[][];
      deepEqual(head, COLUMNS);
      equal(file.split("\r\n").length, rows.length + 2, "an event is a line");
      deepEqual(
        lines.map(([id = "", user = "", ...rest]) => [id, user, ...rest.map(unmarked)]),
        rows.map(cells),
      );
      const formulas = lines.flatMap(([, , ...rest]) => rest).filter((cell) =>
        /^[=+\-@\t\r\0＝＋－＠]/.test(cell)
      );
      deepEqual(formulas, []);
    },
  );

  await step(t, "Parquet: as other programs read it", async () => {
    const { bytes } = await download("format=parquet");
    const found = await parquetReadObjects({ file: bytes.buffer });
    deepEqual(
      found,
      rows.map(({ received_at, ...row }) => ({
        ...row,
        received_at: new Date(Number(received_at)),
      })),
    );
  });

  await step(t, "resumed after any id it is the rest, in each format", async () => {
    const all = await text("format=ndjson"), lines = all.split("\n");
    for (const at of [1, 17, 8191, 8192, 8193, rows.length - 1, rows.length]) {
      const id = rows[at - 1]?.id;
      equal(await text(`format=ndjson&after_id=${id}`), lines.slice(at).join("\n"));
      const csv = (await text(`format=csv&after_id=${id}`)).split("\r\n");
      deepEqual(csv.slice(1).map((line) => line.split(",")[0]), [
        ...rows.slice(at).map(({ id }) => `${id}`),
        "",
      ]);
    }
    const { bytes } = await download(`format=parquet&after_id=${rows[9000]?.id}`);
    const found = await parquetReadObjects({ file: bytes.buffer, columns: ["id"] });
    deepEqual(found.map(({ id }) => id), rows.slice(9001).map(({ id }) => id));
  });

  await step(t, "filters narrow it, and what comes while it runs is not in it", async () => {
    const page = await readJson<{ events: object[] }>(
      collector,
      "/events?user_id=17&limit=1000&order=asc",
    );
    const lines = (await text("user_id=17")).split("\n").slice(0, -1);
    deepEqual(lines.map((line) => JSON.parse(line)), page.events);
    equal(await text("type=nothing"), "");
    const response = await fetch(`${collector.url}/export`);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    await send(collector, [event("late")]);
    let got = new TextDecoder().decode(first?.value);
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      got += new TextDecoder().decode(part.value);
    }
    equal(got.match(/\n/g)?.length, rows.length);
    match(await text(`after_id=${last}`), /^\{.*"late".*\}\n$/);
  });
});
