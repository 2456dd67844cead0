/** The encoder of each format of exports. */

import type { ExportEncoder } from "../export_encoder.ts";
import type { ExportFormat } from "../query.ts";
import { csvEncoder } from "./csv.ts";
import { ndjsonEncoder } from "./ndjson.ts";

/**
 * An encoder for one export. Asynchronous since the Parquet library is loaded only when the first
 * such export begins; it rejects if that fails.
 */
export async function encoderOf(format: ExportFormat): Promise<ExportEncoder> {
  switch (format) {
    case "ndjson":
      return ndjsonEncoder;
    case "csv":
      return csvEncoder;
    case "parquet": {
      const { ParquetEncoder } = await import("./parquet.ts");
      return new ParquetEncoder();
    }
  }
}
