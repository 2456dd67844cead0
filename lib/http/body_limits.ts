/** The limits on bodies, from the settings. */

import type { Config } from "../config.ts";
import type { BodyLimits } from "./body.ts";

/** The limits as the settings are now. */
export function bodyLimits(
  config: Pick<Config, "maxBodyBytes" | "bodyTimeoutMs" | "maxBodies" | "maxBodiesBytes">,
): BodyLimits {
  return {
    bytesMax: config.maxBodyBytes,
    timeoutMs: config.bodyTimeoutMs,
    inFlightMax: config.maxBodies,
    inFlightBytesMax: config.maxBodiesBytes,
  };
}
