/** An operation for people: what it takes and what it answers. */

import { type Html, markup, paragraphs, prose } from "./html.ts";
import { limitsOf, schemaHtml, typeOf } from "./schema_html.ts";
import type {
  Media,
  OpenApiDocument,
  Operation,
  Parameter,
  Ref,
  Responses,
  ResponseSpec,
  Security,
} from "./spec.ts";

/** Where it stands. */
export interface Place {
  /** In upper case. */
  readonly method: string;
  /** Its template. */
  readonly path: string;
  /** What the operation names. */
  readonly components: OpenApiDocument["components"];
}

/**
 * An operation, folded up under its method, path and summary. Its name is that of what is inside: a
 * link to that unfolds it.
 */
export function operationHtml(operation: Operation, place: Place): Html {
  const { operationId, summary, description, parameters = [], requestBody } = operation;
  const { method, path, components } = place;
  const heading = markup`<span class="method ${method.toLowerCase()}">${method}</span>
    <code>${breakable(path)}</code> <span class="what">${summary}</span>`;
  return markup`
    <details class="operation">
      <summary>${heading}</summary>
      <div class="inside" id="${operationId}">
        ${description === undefined ? null : paragraphs(description)}
        ${securityHtml(operation.security, components)}
        ${parameters.length === 0 ? null : parametersHtml(parameters, components)}
        ${requestBody === undefined ? null : bodyHtml(requestBody)}
        ${responsesHtml(operation.responses, components)}
      </div>
    </details>
  `;
}

function bodyHtml({ description, content }: NonNullable<Operation["requestBody"]>): Html {
  return markup`
    <h3>Body</h3>
    ${description === undefined ? null : paragraphs(description)}
    ${contentHtml(content)}
  `;
}

/** A path that may be broken after its slashes. */
function breakable(path: string): Html {
  return markup`${path.split("/").map((each, i) => i === 0 ? each : markup`/<wbr>${each}`)}`;
}

function securityHtml(security: Security, { securitySchemes }: Place["components"]): Html {
  const names = security.flatMap((each) => Object.keys(each));
  if (names.length === 0) return markup`<p class="note">No token is needed.</p>`;
  const texts = names.map((name) => {
    const { type, scheme, in: where, name: field, description } = securitySchemes[name] ?? {};
    const place = type === "http"
      ? markup`<code>Authorization: ${scheme === "basic" ? "Basic" : "Bearer"}</code>`
      : markup`<code>${field ?? ""}</code> in the ${where ?? ""}`;
    return markup`<li>${place}: ${prose(description ?? "")}</li>`;
  });
  return markup`<p class="note">Where there are tokens, one of these is needed:</p>
<ul class="note">${texts}</ul>`;
}

function parametersHtml(
  parameters: readonly (Parameter | Ref)[],
  components: Place["components"],
): Html {
  const rows = parameters.map((each) => {
    const parameter = "$ref" in each ? components.parameters[lastName(each)] : each;
    if (parameter === undefined) return null;
    const { name, in: where, required, description, schema, example } = parameter;
    return markup`
      <div>
        <dt><code>${name}</code> <small>${where}${required === true ? ", needed" : ""}</small></dt>
        <dd><span class="type">${typeOf(schema)}${limitsOf(schema)}</span>
      <p>${prose(description)}${
      example === undefined ? null : markup`
        Such as <code>${exampleText(example)}</code>.
      `
    }</p></dd>
      </div>
    `;
  });
  return markup`
    <h3>Parameters</h3>
    <dl class="members">
    ${rows}</dl>
  `;
}

function responsesHtml(responses: Responses, { responses: shared }: Place["components"]): Html {
  const rows = Object.entries(responses).map(([status, each]) => {
    const name = "$ref" in each ? lastName(each) : "";
    const { description } = "$ref" in each ? shared[name] ?? { description: "" } : each;
    const heading = markup`<span class="status s${status.charAt(0)}">${status}</span>
      ${prose(description)}`;
    return "$ref" in each
      ? markup`<p class="answer">${heading} <a href="#answer-${name}">How it looks</a></p>`
      : markup`
        <details class="answer">
          <summary>${heading}</summary>
          ${answerHtml(each)}
        </details>
      `;
  });
  return markup`
    <h3>Answers</h3>
    ${rows}
  `;
}

/** What an answer has, beside its status. */
export function answerHtml({ headers = {}, content }: ResponseSpec): Html {
  const names = Object.keys(headers).map((name, i) =>
    markup`${i === 0 ? "" : ", "}<code>${name}</code>`
  );
  return markup`
    ${names.length === 0 ? null : markup`<p class="note">Headers: ${names}.</p>`}
    ${content === undefined ? markup`<p class="note">No body.</p>` : contentHtml(content)}
  `;
}

/** Bodies; media types with the same one are listed together. */
function contentHtml(content: Readonly<Record<string, Media>>): Html {
  const groups = Map.groupBy(Object.entries(content), ([, media]) => JSON.stringify(media));
  return markup`${
    [...groups.values()].map((same) => {
      const [[, media] = ["", { schema: {} }]] = same;
      const types = same.map(([type], i) => markup`${i === 0 ? "" : ", "}<code>${type}</code>`);
      return markup`
        <div class="media"><p>${types}</p>
        ${schemaHtml(media.schema)}
        ${media.example === undefined ? null : exampleHtml(media.example)}</div>
      `;
    })
  }`;
}

function exampleHtml(example: unknown): Html {
  return markup`<pre tabindex="0">${exampleText(example)}</pre>`;
}

function exampleText(example: unknown): string {
  return typeof example === "string" ? example : JSON.stringify(example, null, 2);
}

function lastName({ $ref }: Ref): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}
