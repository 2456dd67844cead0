/** All protocols, as main.ts has them, with limits of their own. */

import type { DocumentedLimits } from "../../lib/openapi/document.ts";
import type { Protocol } from "../../lib/protocol.ts";
import { cloudEventsProtocol } from "../../lib/protocols/cloudevents.ts";
import { HecAcks } from "../../lib/protocols/hec_acks.ts";
import { nativeProtocol } from "../../lib/protocols/native.ts";
import { otlpProtocol } from "../../lib/protocols/otlp.ts";
import { posthogProtocol } from "../../lib/protocols/posthog.ts";
import { segmentProtocol } from "../../lib/protocols/segment.ts";
import { splunkHecProtocol } from "../../lib/protocols/splunk_hec.ts";
import { tinybirdProtocol } from "../../lib/protocols/tinybird.ts";

/** Those of the options' defaults. */
export const LIMITS: DocumentedLimits = {
  maxBodyBytes: 1_048_576,
  maxDecodedBytes: 8_388_608,
  maxEventBytes: 262_144,
  maxRequestEvents: 10_000,
  bodyTimeoutMs: 10_000,
};

const acks = new HecAcks({ firstId: 0, isCommitted: () => true });

/** In the order of main.ts. */
export const PROTOCOLS: readonly Protocol[] = [
  nativeProtocol(LIMITS),
  segmentProtocol(LIMITS),
  otlpProtocol(LIMITS),
  cloudEventsProtocol(LIMITS),
  splunkHecProtocol({ limits: LIMITS, acks, isHealthy: () => true }),
  posthogProtocol(LIMITS),
  tinybirdProtocol(LIMITS),
];
