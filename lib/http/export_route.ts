/** Events as a download, written out while it is read. */

import type { Refusal } from "../errors.ts";
import type { ExportFormat } from "../query.ts";
import { FILTER_PARAMETERS, ParameterError, QueryParameters } from "../query_parameters.ts";
import type { ExportChunk, Reader } from "../reader.ts";
import { failed, parameter } from "./event_routes.ts";
import type { Arrived } from "./gate.ts";
import { streamedHead } from "./streamed_head.ts";

/** Where it is. */
export const EXPORT_PATH = "/export";
const EXPORTS_MAX = 8;
/** A client that does not read for so long loses its place to others; it can resume. */
const IDLE_MS = 10 * 60_000;
const FORMATS: readonly ExportFormat[] = ["ndjson", "csv", "parquet"];
const MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8; header=present",
  parquet: "application/vnd.apache.parquet",
};

/** See the head of this file. */
export class ExportRoute {
  readonly #reader: Reader;
  #underWay = 0;

  /** Holds no resources. */
  constructor({ reader }: { readonly reader: Reader }) {
    this.#reader = reader;
  }

  /** Answers a GET or HEAD. */
  async answer({ request, head: { query } }: Arrived): Promise<Response | Refusal> {
    try {
      const parameters = new QueryParameters(query);
      const filter = parameters.filter();
      const format = parameters.choice("format", FORMATS, "ndjson");
      const afterId = parameters.integer("after_id", { min: 0, max: 1e15, byDefault: 0 });
      parameters.end([...FILTER_PARAMETERS, "format", "after_id"]);
      const headers = headersOf(format);
      if (request.method === "HEAD") return streamedHead(headers);
      if (this.#underWay >= EXPORTS_MAX) return failed("overloaded");
      const chunks = this.#reader.export({ filter, afterId, format });
      return await this.#stream(chunks, headers);
    } catch (error) {
      if (error instanceof ParameterError) return parameter(error);
      throw error;
    }
  }

  /** The first part is waited for: what can not be read at all is refused. */
  async #stream(
    chunks: AsyncGenerator<ExportChunk, void>,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response | Refusal> {
    this.#underWay++;
    let isOver = false, idle: ReturnType<typeof setTimeout> | undefined;
    const over = () => {
      clearTimeout(idle);
      if (!isOver) this.#underWay--;
      isOver = true;
    };
    let next: IteratorResult<ExportChunk, void>;
    try {
      next = await chunks.next();
    } catch {
      over();
      return failed("unreadable");
    }
    const waitForPull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (isOver) return;
      idle = setTimeout(() => {
        over();
        controller.error(new Error("nobody reads the export"));
        chunks.return();
      }, IDLE_MS);
    };
    const stream = new ReadableStream<Uint8Array>({
      start: waitForPull,
      async pull(controller) {
        clearTimeout(idle);
        try {
          // A part may be empty when nothing was found in its time: then it would not be pulled on.
          while (!next.done && next.value.bytes.length === 0) next = await chunks.next();
          if (next.done) {
            over();
            return controller.close();
          }
          controller.enqueue(next.value.bytes);
          next = await chunks.next();
          waitForPull(controller);
        } catch (error) {
          over();
          controller.error(brokenOff(error)); // the client sees that it broke off
        }
      },
      async cancel() {
        over();
        await chunks.return();
      },
    }, { highWaterMark: 0 });
    return new Response(stream, { headers });
  }
}

/** The runtime prints it: a line, since a stack would tell the operator nothing. */
function brokenOff(error: unknown): Error {
  const told = new Error(error instanceof Error ? error.message : String(error));
  told.stack = `Error: GET ${EXPORT_PATH}: ${told.message}`;
  return told;
}

function headersOf(format: ExportFormat): Record<string, string> {
  const name = `events-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format}`;
  return {
    "content-type": MEDIA_TYPES[format],
    "content-disposition": `attachment; filename="${name}"`,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
}
