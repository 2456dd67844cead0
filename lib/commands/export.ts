/**
 * `firehouse export`: writes events out of the database itself, so that no collector need run, and
 * none is disturbed.
 */

import type { Command } from "../config.ts";
import { CollectorError } from "../errors.ts";
import type { ExportFormat } from "../query.ts";
import type { ExportQuery, Reader } from "../reader.ts";
import { CollectorClient, failure } from "./collector_client.ts";
import type { CommandOutput } from "./command_output.ts";
import { ExportPointClient } from "./export_point_client.ts";
import { exportedPart } from "./exported_part.ts";
import { filterOf } from "./filter_flags.ts";
import { PartFile } from "./part_file.ts";
import { writeOut } from "./stdout.ts";

/** What is to be exported. */
export type ExportCommand = Extract<Command, { readonly kind: "export" }>;

/** What it is read from. */
export interface ExportSource {
  /** Reads the database of the command. */
  readonly reader: Reader;
  /** How many bytes of events are only in its journal. */
  readonly journalBytes: () => Promise<number>;
}

type Tell = CommandOutput["tell"];

/** How far it is. */
interface Progress {
  readonly events: number;
  /** Everything up to this id was looked at. */
  readonly throughId: number;
}

const PROGRESS_MS = 10_000;
const STDOUT = "-";
const LINE_FEED = 0x0a;

/**
 * Does it, and closes the reader.
 *
 * @throws {CollectorError} if it can not be done; a part that was written stays.
 */
export async function runExportCommand(
  command: ExportCommand,
  { tell }: Pick<CommandOutput, "tell">,
  source: ExportSource,
): Promise<void> {
  try {
    await runExport(command, tell, source);
  } finally {
    await source.reader.close();
  }
}

async function runExport(command: ExportCommand, tell: Tell, source: ExportSource): Promise<void> {
  const { config: { db: path }, given } = command, { reader } = source;
  const format = given.format ?? "ndjson", output = given.output ?? STDOUT;
  if (output === STDOUT) refuseForStdout(command, format);
  const filter = filterOf(given);
  const journalBytes = await source.journalBytes();
  if (journalBytes > 0) {
    tell(`The journal of ${path} holds ${journalBytes} bytes of events that are not exported yet.`);
  }
  const point = given.point === null ? null : await ExportPointClient.begin(given.point, {
    server: new CollectorClient(command),
    reader,
    path,
  });
  const query = { filter, format, afterId: point?.id ?? 0 };
  if (output === STDOUT) return await exportToStdout(query, reader, tell);
  const throughId = await exportToFile(output, { query, reader, tell, given });
  if (point === null) return;
  try {
    await point.move(throughId);
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    throw failure(
      `${output} is whole, but the export point ${given.point} stays at ${point.id}: ` +
        error.message.replace(/\.$/, ""),
      "The next export from it has these events again.",
    );
  }
  tell(`The export point ${given.point} is at ${throughId} now.`);
}

function refuseForStdout({ given }: ExportCommand, format: ExportFormat): void {
  const refused = (message: string) =>
    new CollectorError("usage", message, { hint: "Name a file with --output." });
  if (given.resume === true) throw refused("Only an export into a file can be gone on with.");
  if (given.point !== null) {
    throw refused("--point needs a file: what reads a pipe may fail after the point was moved.");
  }
  if (format === "parquet" && Deno.stdout.isTerminal()) {
    throw refused("Parquet is not for a terminal.");
  }
}

async function exportToStdout(query: ExportQuery, reader: Reader, tell: Tell): Promise<void> {
  const write = (bytes: Uint8Array) => writeOut(bytes);
  try {
    const { events, throughId, isWhole } = await copyEvents(query, { reader, tell, write });
    if (isWhole) tell(`${counted(events)} exported, through id ${throughId}.`);
    else tell("The export was ended: nobody reads it any more.");
  } catch (error) {
    throw brokenOff(error, "Run it again.");
  }
}

/** Gives the id up to which everything is in the file. */
async function exportToFile(
  output: string,
  { query, reader, tell, given }: {
    readonly query: ExportQuery;
    readonly reader: Reader;
    readonly tell: Tell;
    readonly given: Pick<ExportCommand["given"], "resume">;
  },
): Promise<number> {
  using part = PartFile.open(output, given.resume === true ? "resume" : "anew");
  const { before, afterId, hasHead } = await continueFrom(part, { query, reader, tell });
  let isHead = hasHead; // whether what comes next begins with the head that is there already
  const write = (bytes: Uint8Array) => {
    part.write(isHead ? bytes.subarray(bytes.indexOf(LINE_FEED) + 1) : bytes);
    if (bytes.length > 0) isHead = false;
    return true;
  };
  try {
    const { events, throughId } = await copyEvents({ ...query, afterId }, { reader, tell, write });
    const bytes = part.finish();
    const which = before === 0 ? "" : `, ${before} of them from before`;
    const all = counted(before + events);
    tell(`${all} exported${which}, through id ${throughId}: ${output}, ${bytes} bytes.`);
    return throughId;
  } catch (error) {
    throw brokenOff(error, query.format === "parquet" ? "Run it again." : goOn(output));
  }
}

interface Continuation {
  /** Events that are there already. */
  readonly before: number;
  /** Id of the last of them, or where the export begins. */
  readonly afterId: number;
  /** Whether the head of the format is there already. */
  readonly hasHead: boolean;
}

/** Cuts off what is not whole. @throws {CollectorError} if what is there is no such export. */
async function continueFrom(
  part: PartFile,
  { query: { format, afterId }, reader, tell }: {
    readonly query: ExportQuery;
    readonly reader: Reader;
    readonly tell: Tell;
  },
): Promise<Continuation> {
  const anew = { before: 0, afterId, hasHead: false };
  if (format === "parquet") {
    if (part.file.statSync().size > 0) {
      tell("What there is of it is thrown away: a Parquet file that is not whole can not be read.");
    }
    part.continueAt(0);
    return anew;
  }
  const found = exportedPart(part.file, format);
  if (found === null) {
    throw failure(`${part.path}.part is no export as ${format}`, "Check --format and --output.");
  }
  part.continueAt(found.bytes);
  if (found.events === 0) return anew;
  const newest = await newestId(reader);
  if (found.lastId > newest) {
    throw failure(
      `${part.path}.part ends with event ${found.lastId}, the database with ${newest}`,
      "It is of another database: name that with --db, or another file with --output.",
    );
  }
  tell(`${counted(found.events)} there already; going on after id ${found.lastId}.`);
  return { before: found.events, afterId: found.lastId, hasHead: format === "csv" };
}

/** Writes all of an export, until that is refused, and tells now and then how far it is. */
async function copyEvents(
  query: ExportQuery,
  { reader, tell, write }: {
    readonly reader: Reader;
    readonly tell: Tell;
    readonly write: (bytes: Uint8Array) => boolean;
  },
): Promise<Progress & { readonly isWhole: boolean }> {
  let events = 0, throughId = query.afterId, toldMs = performance.now();
  const lastId = await newestId(reader);
  for await (const chunk of reader.export(query)) {
    events += chunk.events;
    throughId = chunk.throughId;
    if (!write(chunk.bytes)) return { events, throughId, isWhole: false };
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    tell(`${events} events so far, through id ${throughId} of ${lastId}`);
  }
  return { events, throughId, isWhole: true };
}

function counted(events: number): string {
  return events === 1 ? "1 event was" : `${events} events were`;
}

async function newestId(reader: Reader): Promise<number> {
  const state = await reader.state();
  if (typeof state !== "string") return state.lastId;
  throw failure(
    "The database can not be read",
    "Another program may hold its lock. If it is of an older version, start a collector on it once.",
  );
}

function brokenOff(error: unknown, hint: string): CollectorError {
  if (error instanceof CollectorError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return failure(`The export broke off: ${why.replace(/^the export broke off: |\.$/g, "")}`, hint);
}

function goOn(output: string): string {
  return `What there is stays in ${output}.part: the same command with --resume goes on with it.`;
}
