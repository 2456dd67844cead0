/** OpenTelemetry logs as JSON, by `@opentelemetry/exporter-logs-otlp-http`. */

import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { otlpCells } from "./otlp.ts";

otlpCells(
  { name: "opentelemetry logs, JSON", npm: "@opentelemetry/exporter-logs-otlp-http" },
  OTLPLogExporter,
);
