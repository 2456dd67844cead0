/** How to send to this collector: commands and code with its address filled in. */

import { BASE } from "./api.js";
import { copyButton } from "./copy.js";
import { byId, el, fill, tell } from "./dom.js";
import { token } from "./token.js";

/** Where it is, without a slash at the end. */
const HERE = BASE.replace(/\/$/, "");

/**
 * Code with a button that copies it.
 * @param {string} code
 * @param {string} what names it for the button
 * @returns {HTMLElement}
 */
export function codeBlock(code, what) {
  const block = el("pre", { tabindex: "0", "aria-label": what }, el("code", {}, code));
  return el("div", { class: "code" }, block, copyButton(() => code, what, "Copy"));
}

/**
 * A command that sends one event.
 * @returns {string}
 */
export function firstEvent() {
  return `curl ${HERE}/event -H 'content-type: application/json'${header("Bearer")} \\
  -d '{"user_id": 42, "timestamp": "${now()}", "metadata": {"path": "/checkout"}}'`;
}

/** Fills the view. */
export function showSnippets() {
  tell(
    byId("connect-note", HTMLElement),
    token() === null
      ? "No token is needed here. Where a client wants one, any text will do."
      : "Put a token that may send in the place of TOKEN: firehouse token create NAME prints one.",
  );
  const blocks = snippets().map(({ name, note, code }) =>
    el(
      "section",
      { class: "panel" },
      el("h3", {}, name),
      el("p", { class: "note" }, note),
      codeBlock(code, name),
    )
  );
  fill(byId("snippets", HTMLElement), ...blocks);
}

/**
 * A header for curl; nothing where no token is needed.
 * @param {string} scheme
 * @returns {string}
 */
function header(scheme) {
  return token() === null ? "" : ` -H 'authorization: ${scheme} TOKEN'`;
}

/** @returns {string} */
function now() {
  return new Date().toISOString().replace(/\.\d+/, "");
}

/** @returns {readonly { name: string, note: string, code: string }[]} */
function snippets() {
  return [
    { name: "One event", note: "The native protocol, with curl.", code: firstEvent() },
    {
      name: "Many events",
      note: "One a line (NDJSON), admitted whole or refused whole.",
      code: many(),
    },
    { name: "Segment", note: "Node: npm install @segment/analytics-node", code: segment() },
    { name: "OpenTelemetry logs", note: "Any SDK that reads these variables.", code: otlp() },
    { name: "CloudEvents", note: "npm install cloudevents", code: cloudEvents() },
    { name: "Splunk HEC", note: "npm install splunk-logging", code: splunk() },
    { name: "PostHog", note: "npm install posthog-node", code: posthog() },
    { name: "Tinybird Events API", note: "With curl.", code: tinybird() },
  ];
}

/** @returns {string} */
function many() {
  return `printf '%s\\n' '{"user_id":1,"timestamp":"${now()}","metadata":{}}' \\
               '{"user_id":2,"timestamp":"${now()}","metadata":{}}' |
  curl ${HERE}/events -H 'content-type: application/x-ndjson'${header("Bearer")} --data-binary @-`;
}

/** @returns {string} */
function segment() {
  return `import { Analytics } from "@segment/analytics-node";
const analytics = new Analytics({ writeKey: "TOKEN", host: "${HERE}" });
analytics.track({ userId: "u1", event: "Signed up", properties: { plan: "free" } });
await analytics.closeAndFlush(); // before a script ends; a server flushes every 10 s`;
}

/** @returns {string} */
function otlp() {
  return `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${HERE}/v1/logs
export OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_LOGS_HEADERS="authorization=Bearer TOKEN"`;
}

/** @returns {string} */
function cloudEvents() {
  return `import { CloudEvent, emitterFor, httpTransport } from "cloudevents";
const emit = emitterFor(httpTransport("${HERE}/cloudevents?access_token=TOKEN"));
await emit(new CloudEvent({ type: "order.paid", source: "/shop", data: { id: 17 } }));`;
}

/** @returns {string} */
function splunk() {
  return `import { Logger } from "splunk-logging";
const logger = new Logger({ token: "TOKEN", url: "${HERE}" });
logger.send({ message: { disk: "full" }, severity: "error" });`;
}

/** @returns {string} */
function posthog() {
  return `import { PostHog } from "posthog-node";
const posthog = new PostHog("TOKEN", { host: "${HERE}" });
posthog.capture({ distinctId: "u1", event: "signed up" });
await posthog.shutdown(); // before a script ends`;
}

/** @returns {string} */
function tinybird() {
  return `curl '${HERE}/v0/events?name=clicks&wait=true'${header("Bearer")} \\
  -d '{"timestamp": "${now()}", "page": "/"}'`;
}
