/** The document and the page made of it, as files that are served. */

import type { Asset } from "../asset.ts";
import type { Protocol } from "../protocol.ts";
import { type DocumentedLimits, openApiDocument } from "./document.ts";
import { referencePage } from "./page.ts";
import style from "./style.css" with { type: "text" };

/** The files by the paths under which they are served. */
export function referenceAssets(
  protocols: readonly Protocol[],
  limits: DocumentedLimits,
): ReadonlyMap<string, Asset> {
  const document = openApiDocument(protocols, limits);
  return new Map([
    ["/openapi.json", { type: "application/json", text: JSON.stringify(document) }],
    ["/reference", { type: "text/html; charset=utf-8", text: referencePage(document) }],
    ["/reference/style.css", { type: "text/css; charset=utf-8", text: style }],
  ]);
}
