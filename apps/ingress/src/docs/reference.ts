import { escapeHtml } from '@replenish/runtime';
import { errorPages } from './errors.js';
import { type Content, code, type Page, prose, table } from './layout.js';
import { highlighted, type SampleCall, samples } from './samples.js';

type Schema = Readonly<{
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  enum?: readonly unknown[];
  const?: unknown;
  format?: string;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  items?: Schema;
  oneOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  examples?: readonly unknown[];
  default?: unknown;
}>;
type Bodies = Readonly<Record<string, Readonly<{ schema: Schema; example?: unknown }>>>;
type Response = Readonly<{ $ref?: string; description?: string; content?: Bodies }>;
type Parameter = Readonly<{
  name: string;
  in: string;
  required?: boolean;
  description: string;
  schema: Schema;
  example?: unknown;
}>;
type DocumentedOperation = Readonly<{
  operationId: string;
  summary: string;
  description: string;
  tags: readonly string[];
  security: readonly Readonly<Record<string, readonly string[]>>[];
  parameters?: readonly Parameter[];
  requestBody?: Readonly<{ description: string; content: Bodies }>;
  responses: Readonly<Record<string, Response>>;
}>;
type Document = Readonly<{
  servers: readonly Readonly<{ url: string }>[];
  tags: readonly Readonly<{ name: string; description: string }>[];
  paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  components: Readonly<{
    schemas: Readonly<Record<string, Schema>>;
    responses: Readonly<Record<string, Response>>;
    securitySchemes: Readonly<Record<string, Readonly<{ description: string }>>>;
  }>;
}>;

type Route = Readonly<{ method: string; path: string; operation: DocumentedOperation }>;

/**
 * The API reference as one page, made from the OpenAPI document. It can be read, searched and printed without a script.
 * @param mayTry whether calls can be sent from the page. False in production, where keys do not belong in a browser
 */
export const referencePage = (contract: () => object, mayTry: boolean): Page => ({
  path: '/docs/reference',
  title: 'API reference',
  sendsCalls: mayTry,
  content: () => reference(contract() as Document, mayTry),
});

function reference(document: Document, mayTry: boolean): Content {
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const ofTag = (tag: string) => routes.filter(({ operation }) => operation.tags[0] === tag);
  const sections = document.tags.map(
    ({ name, description }) => `<h2 id="${name}">${titled(name)}</h2>
<p>${prose(description)}.</p>
${ofTag(name)
  .map((route) => section(document, route, mayTry))
  .join('\n')}`,
  );
  const headings = [
    ...document.tags.map(({ name }) => ({ id: name, text: titled(name) })),
    { id: 'authenticating', text: 'Authenticating' },
    { id: 'schemas', text: 'Schemas' },
  ];
  return {
    headings,
    html: `<h1>API reference</h1>
<p>Every route, from <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Bodies are JSON or XML; ask for XML with
<code>Accept: application/xml</code>. Every answer has <code>X-Correlation-Id</code>.</p>
${mayTry ? TRY : ''}${index(document, routes)}
${sections.join('\n')}
<h2 id="authenticating">Authenticating</h2>
${schemes(document)}
<h2 id="schemas">Schemas</h2>
${Object.entries(document.components.schemas)
  .map(([name, schema]) => schemaSection(name, schema))
  .join('\n')}`,
  };
}

const schemes = ({ components }: Document): string =>
  table(
    ['scheme', 'how'],
    Object.entries(components.securitySchemes).map(([name, { description }]) => [
      `<code>${name}</code>`,
      prose(description),
    ]),
  );

const titled = (word: string): string => word[0]!.toUpperCase() + word.slice(1);

const TRY = `<p>To try a call, enter a test key and press <strong>Send</strong> below an operation. The call goes to this
environment; <code>metadata.scenario</code> picks what its <a href="/docs/testing">sandbox</a> does. The key stays in the
memory of this page.</p>
<form class="key"><label for="try-key">Test key (<code>rk_test_....rs_...</code>)</label>
<input id="try-key" type="password" autocomplete="off" spellcheck="false"></form>
`;

const index = (document: Document, routes: readonly Route[]): string =>
  table(
    ['operation', 'method', 'path'],
    document.tags.flatMap(({ name }) =>
      routes
        .filter(({ operation }) => operation.tags[0] === name)
        .map(({ method, path, operation }) => [
          `<a href="#${operation.operationId}">${escapeHtml(operation.summary)}</a>`,
          `<code>${method}</code>`,
          `<code>${escapeHtml(path)}</code>`,
        ]),
    ),
  );

function section(document: Document, route: Route, mayTry: boolean): string {
  const { method, path, operation } = route;
  const call = sampleOf(document, route);
  const scope = operation.security.flatMap((one) => Object.values(one).flat())[0];
  return `<section id="${operation.operationId}" class="operation">
<h3>${escapeHtml(operation.summary)}</h3>
<p class="route"><code><b>${method}</b> ${escapeHtml(path)}</code></p>
<p>${prose(operation.description)}</p>
<p class="scope">${scope ? `Needs a key with the scope <code>${scope}</code>.` : 'Needs no key.'}</p>
${parameters(operation)}${body(document, operation)}
<h4>Answers</h4>
${answers(document, operation)}
<h4>Call it</h4>
${samples(call, `samples-${operation.operationId}`)}
${mayTry && operation.tags[0] !== 'webhooks' ? tryForm(route, call) : ''}</section>`;
}

function parameters({ parameters: all = [] }: DocumentedOperation): string {
  const rows = all.map(({ name, in: place, required, description, schema }) => [
    `<code>${name}</code>`,
    `${place}${required ? ', needed' : ''}`,
    escapeHtml(typeOf(schema)),
    prose(description),
  ]);
  return rows.length > 0 ? `<h4>Parameters</h4>\n${table(['name', 'in', 'type', 'meaning'], rows)}\n` : '';
}

function body(document: Document, { requestBody }: DocumentedOperation): string {
  const schema = requestBody?.content['application/json']?.schema;
  if (!requestBody) return '';
  const fields = schema ? fieldTable(resolved(document, schema), 'needed') : '';
  return `<h4>Body</h4>\n<p>${prose(requestBody.description)}.</p>\n${fields}`;
}

const answers = (document: Document, { responses }: DocumentedOperation): string =>
  table(
    ['status', 'meaning', 'body'],
    Object.entries(responses).map(([status, response]) => {
      const shared = response.$ref ? document.components.responses[response.$ref.split('/').at(-1)!] : null;
      const content: Bodies = (shared ?? response).content ?? {};
      const schema = Object.values(content)[0]?.schema;
      const refs = schema?.oneOf ?? (schema ? [schema] : []);
      const names = refs.flatMap(({ $ref }) => $ref?.split('/').at(-1) ?? []);
      const meaning = response.description ?? shared?.description ?? '';
      return [status, linked(prose(meaning)), schemaLinks(names)];
    }),
  );

/** Turns the name of each code into a link to its page. */
const linked = (html: string): string =>
  html.replace(/\b[A-Z_]{8,}\b/g, (name) =>
    errorPages.has(name) ? `<a href="/docs/errors/${name}">${name}</a>` : name,
  );

const schemaSection = (
  name: string,
  schema: Schema,
): string => `<section id="schema-${name}" class="operation">
<h3>${name}</h3>
<p>${prose(schema.description ?? '')}</p>
${fieldTable(schema)}${
  schema.examples?.[0] ? highlighted(JSON.stringify(schema.examples[0], null, 2), 'json') : ''
}</section>`;

const resolved = (document: Document, schema: Schema): Schema =>
  schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)!]! : schema;

function fieldTable(schema: Schema, always = 'always there'): string {
  const rows = fieldsOf(schema, '').map(([name, field, isNeeded]) => [
    `<code>${name}</code>`,
    isNeeded ? 'yes' : '',
    typeLink(field),
    prose(field.description ?? ''),
  ]);
  return rows.length > 0 ? table(['field', always, 'type', 'meaning'], rows) : '';
}

/** The fields of a schema with their paths, including nested fields. */
function fieldsOf(schema: Schema, prefix: string): (readonly [string, Schema, boolean])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const place = `${prefix}${name}`;
    const inner = field.anyOf?.find(({ properties }) => properties) ?? field;
    const isNeeded = schema.required?.includes(name) ?? false;
    const nested = inner.items && !inner.items.$ref ? fieldsOf(inner.items, `${place}[].`) : [];
    return [[place, field, isNeeded] as const, ...fieldsOf(inner, `${place}.`), ...nested];
  });
}

function typeLink(schema: Schema): string {
  const choices = schema.items?.oneOf ?? [];
  if (choices.length === 0) return escapeHtml(typeOf(schema));
  const names = choices.map(({ $ref }) => $ref!.split('/').at(-1)!);
  return `list of ${schemaLinks(names)}`;
}

const schemaLinks = (names: readonly string[]): string =>
  names.map((name) => `<a href="#schema-${name}">${name}</a>`).join(', ');

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  const type = [schema.type ?? 'anything'].flat().join(' or ');
  return schema.format === 'date-time' ? 'time' : type;
}

const YOUR_KEY = 'YOUR_KEY_ID.YOUR_SECRET';

/** A call that a reader can copy after inserting a key. It has no filters, because they would hide rows. */
function sampleOf({ servers }: Document, { method, path, operation }: Route): SampleCall {
  const { parameters: all = [], requestBody, security } = operation;
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    const known = all.find((parameter) => parameter.name === name)!;
    return String(known.example ?? known.schema.examples?.[0]);
  });
  const query = all
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
  const content = requestBody?.content['application/json'];
  const hasKey = all.some(({ name }) => name === 'Idempotency-Key');
  return {
    method,
    url: `${servers[0]!.url}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    headers: {
      ...(security.length > 0 && { Authorization: `Bearer ${YOUR_KEY}` }),
      ...(hasKey && { 'Idempotency-Key': 'PO-7' }),
      ...(content && { 'Content-Type': 'application/json' }),
    },
    ...(content && { body: JSON.stringify(content.example) }),
  };
}

function tryForm({ method, operation }: Route, call: SampleCall): string {
  const { pathname, search } = new URL(call.url);
  const id = `try-${operation.operationId}`;
  const needsKey = call.headers.Authorization !== undefined;
  const field = call.body
    ? `<label for="${id}-body">Body</label><textarea id="${id}-body" name="body" spellcheck="false">\n${escapeHtml(JSON.stringify(JSON.parse(call.body), null, 2))}</textarea>\n`
    : '';
  return `<details class="try"><summary>Try it</summary>
<form data-method="${method}" data-key="${needsKey}" data-idempotent="${call.headers['Idempotency-Key'] !== undefined}">
<label for="${id}-path">Path with query</label><input id="${id}-path" name="path" value="${escapeHtml(pathname + search)}" autocomplete="off" spellcheck="false">
${field}<button>Send</button>
<noscript><p>Sending needs a script.</p></noscript>
<output for="${id}-path" aria-live="polite">${code('')}</output>
</form></details>
`;
}
