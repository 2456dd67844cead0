/**
 * The reference as a page, made here and not in the browser: it needs no script, weighs less than a
 * tenth of a renderer, and can be read, searched and printed like any text.
 */

import { type Html, markup, paragraphs, prose } from "./html.ts";
import { answerHtml, operationHtml } from "./operation_html.ts";
import { membersOf, schemaHtml } from "./schema_html.ts";
import {
  METHODS,
  type OpenApiDocument,
  type Operation,
  type ResponseSpec,
  type Schema,
  type Tag,
} from "./spec.ts";

/** The page for a document. Its links are relative, so that it works behind a proxy's path too. */
export function referencePage(document: OpenApiDocument): string {
  const { info, tags, components: { schemas, responses } } = document;
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${info.title}: API reference</title>
        <link rel="icon" href="dashboard/icon.svg" type="image/svg+xml">
        <script src="dashboard/theme.js"></script>
        <link rel="stylesheet" href="dashboard/theme.css">
        <link rel="stylesheet" href="reference/style.css">
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <h1>${info.title} <small>${info.version}</small></h1>
          <p><a href="./">Dashboard</a> <a href="openapi.json">openapi.json</a></p>
        </header>
        <nav aria-label="Operations">
          <ul>
            ${tags.map((tag) => tagLinks(tag, document))}
            <li><a href="#answers">Answers</a></li>
            <li><a href="#schemas">Schemas</a></li>
          </ul>
        </nav>
        <main id="main" tabindex="-1">
          ${paragraphs(info.description)}
          ${tags.map((tag) => tagSection(tag, document))}
          <section id="answers">
            <h2>Answers</h2>
            <p>Those that more than one operation gives.</p>
            ${Object.entries(responses).map(([name, response]) => answerSection(name, response))}
          </section>
          <section id="schemas">
            <h2>Schemas</h2>
            ${Object.entries(schemas).map(([name, schema]) => schemaSection(name, schema))}
          </section>
        </main>
      </body>
    </html>
  `.html;
}

interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operationsOf({ name }: Tag, { paths }: OpenApiDocument): Placed[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation?.tags[0] === name ? [{ method: method.toUpperCase(), path, operation }] : [];
    })
  );
}

function tagLinks(tag: Tag, document: OpenApiDocument): Html {
  return markup`
    <li>
      <details>
        <summary>${tag.name}</summary>
        <ul>
          <li><a href="#${idOf(tag)}">About these</a></li>
          ${
    operationsOf(tag, document).map(({ method, path, operation: { operationId } }) =>
      markup`
        <li><a href="#${operationId}"><small>${method}</small> ${path}</a></li>
      `
    )
  }
        </ul>
      </details>
    </li>
  `;
}

function tagSection(tag: Tag, document: OpenApiDocument): Html {
  const { components } = document;
  return markup`
    <section id="${idOf(tag)}">
      <h2>${tag.name}</h2>
      ${paragraphs(tag.description)}
    ${
    operationsOf(tag, document).map(({ method, path, operation }) =>
      operationHtml(operation, { method, path, components })
    )
  }
    </section>
  `;
}

function schemaSection(name: string, schema: Schema): Html {
  const { description } = schema;
  return markup`
    <details class="schema">
      <summary><code>${name}</code></summary>
      <div class="inside" id="schema-${name}">
        ${typeof description === "string" ? paragraphs(description) : null}
        ${schema.properties === undefined ? schemaHtml(schema) : membersOf(schema)}
      </div>
    </details>
  `;
}

function answerSection(name: string, response: ResponseSpec): Html {
  return markup`
    <details class="schema">
      <summary><code>${name}</code> ${prose(response.description)}</summary>
      <div class="inside" id="answer-${name}">${answerHtml(response)}</div>
    </details>
  `;
}

function idOf({ name }: Tag): string {
  return `tag-${name.toLowerCase().replaceAll(/\W+/g, "-")}`;
}
