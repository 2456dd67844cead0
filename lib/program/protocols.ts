/** The protocols that a collector speaks. */

import type { Collector } from "../collector.ts";
import type { Config } from "../config.ts";
import type { Protocol } from "../protocol.ts";
import { cloudEventsProtocol } from "../protocols/cloudevents.ts";
import { HecAcks } from "../protocols/hec_acks.ts";
import { nativeProtocol } from "../protocols/native.ts";
import { otlpProtocol } from "../protocols/otlp.ts";
import { posthogProtocol } from "../protocols/posthog.ts";
import { segmentProtocol } from "../protocols/segment.ts";
import { splunkHecProtocol } from "../protocols/splunk_hec.ts";
import { tinybirdProtocol } from "../protocols/tinybird.ts";

/** All of them, the native one first. */
export function protocolsOf(config: Config, collector: Collector): readonly Protocol[] {
  const isHealthy = () => collector.readiness().ready;
  // What a restart loses must not be taken for what comes after it.
  const firstId = config.durability === "memory" ? Date.now() * 1000 : 0;
  const isCommitted = (sequence: number) => collector.isCommitted(sequence);
  const acks = config.synchronous === "full" ? new HecAcks({ firstId, isCommitted }) : null;
  return [
    nativeProtocol(config),
    segmentProtocol(config),
    otlpProtocol(config),
    cloudEventsProtocol(config),
    splunkHecProtocol({ limits: config, acks, isHealthy }),
    posthogProtocol(config),
    tinybirdProtocol(config),
  ];
}
