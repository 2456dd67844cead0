/** OpenTelemetry logs as protobuf, by `@opentelemetry/exporter-logs-otlp-proto`. */

import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { otlpCells } from "./otlp.ts";

otlpCells(
  { name: "opentelemetry logs, protobuf", npm: "@opentelemetry/exporter-logs-otlp-proto" },
  OTLPLogExporter,
);
