/** What the document says of export points. */

import { answersWithToken, WITH_TOKEN } from "./answers.ts";
import {
  instant,
  jsonAnswer,
  objectOf,
  type Parameter,
  type Part,
  schemaRef,
  text,
} from "./spec.ts";

const NAME = "Export points";
const POINT = { name: "warehouse", id: 1234, updated_at: "2026-11-24T11:03:40.123Z" };
const ID = {
  type: "integer",
  minimum: 0,
  description: "Id of the last event that was exported; 0 if none was.",
};
const POINT_NAME: Parameter = {
  name: "name",
  in: "path",
  required: true,
  description: "Whose it is.",
  schema: { type: "string", pattern: "^[A-Za-z\\d][A-Za-z\\d._-]{0,63}$" },
  example: "warehouse",
};

/** What the document says of export points. */
export const EXPORT_POINTS: Part = {
  tag: {
    name: NAME,
    description: "How far somebody who copies the events elsewhere has got. With " +
      "`--retain-unexported yes` no event after the lowest of them is removed.",
  },
  schemas: {
    ExportPoint: objectOf({
      name: text("Whose it is."),
      id: ID,
      updated_at: instant("When it was set last."),
    }),
    ExportPoints: objectOf({
      export_points: { type: "array", items: schemaRef("ExportPoint") },
    }),
  },
  paths: {
    "/export-points": {
      get: {
        operationId: "getExportPoints",
        tags: [NAME],
        summary: "List export points",
        security: WITH_TOKEN,
        responses: answersWithToken(
          {
            "200": jsonAnswer("The lowest first.", schemaRef("ExportPoints"), {
              export_points: [POINT],
            }),
          },
          ["store-failing"],
        ),
      },
    },
    "/export-points/{name}": {
      put: {
        operationId: "putExportPoint",
        tags: [NAME],
        summary: "Set an export point",
        description:
          "Needs the scope `admin`. It goes forward, or back to 0; it is made if it is " +
          "not there, 100 at most.",
        security: WITH_TOKEN,
        parameters: [POINT_NAME],
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: { ...objectOf({ id: ID }), additionalProperties: false },
              example: { id: 1234 },
            },
          },
        },
        responses: answersWithToken(
          { "200": jsonAnswer("It is set.", schemaRef("ExportPoint"), POINT) },
          [
            ...["parameter", "malformed-json", "invalid-utf8", "store-failing"] as const,
            ...["body-incomplete", "body-timeout", "body-too-large", "too-many-bodies"] as const,
          ],
        ),
      },
      delete: {
        operationId: "deleteExportPoint",
        tags: [NAME],
        summary: "Remove an export point",
        description: "Needs the scope `admin`.",
        security: WITH_TOKEN,
        parameters: [POINT_NAME],
        responses: answersWithToken(
          { "200": jsonAnswer("It is gone.", schemaRef("Removed"), { removed: 1 }) },
          ["parameter", "unknown-export-point", "store-failing"],
        ),
      },
    },
  },
};
