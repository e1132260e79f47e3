import { code, prose, table } from './docs-layout.js';
import { type Operation, operations } from './openapi-operations.js';
import { escaped } from './xml-write.js';

type Schema = Readonly<{
  $ref?: string;
  type?: string;
  format?: string;
  pattern?: string;
  enum?: readonly string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  default?: unknown;
  description?: string;
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
}>;
type Parameter = Readonly<{
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}>;
type Media = Readonly<Record<string, { schema: Schema }>>;
type Described = Readonly<{
  parameters?: readonly Parameter[];
  responses: Readonly<Record<string, { $ref?: string; description: string; content: Media }>>;
}>;
export type OpenApi = Readonly<{
  servers: readonly { url: string }[];
  paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  components: Readonly<{
    schemas: Readonly<Record<string, Schema>>;
    responses: Readonly<Record<string, { description: string }>>;
  }>;
}>;

/** The reference as one page of HTML: the document at /openapi.json for people, without a script. */
export function referencePage(document: OpenApi): string {
  const contents = operations.map(
    (operation) =>
      `<li><a href="#${operation.id}"><span class="method">${operation.method.toUpperCase()}</span> ${operation.paths[0]}</a></li>`,
  );
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `<h3 id="schema-${name}">${name}</h3>${fields(schema)}`,
  );
  return `<h1>API reference</h1>
<p>Every route, from <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Bodies are JSON or XML; ask for XML with
<code>Accept: application/xml</code>.</p>
<ul class="contents">${contents.join('')}</ul>
${operations.map((operation) => section(operation, document)).join('\n')}
<h2 id="schemas">Schemas</h2>
${schemas.join('\n')}`;
}

function section(operation: Operation, document: OpenApi): string {
  const described = document.paths[operation.paths[0]!]![operation.method]!;
  const [path, ...aliases] = operation.paths;
  return `<section id="${operation.id}">
<h2><span class="method">${operation.method.toUpperCase()}</span> ${path}</h2>
<p>${prose(operation.summary)}.${operation.description ? ` ${prose(operation.description)}` : ''}</p>
${aliases.length > 0 ? `<p>Also as ${aliases.map((alias) => `<code>${alias}</code>`).join(', ')}.</p>` : ''}
<p>${operation.scope ? `Scope <code>${operation.scope}</code>.` : 'No key is needed.'}</p>
${parameters(described)}
${body(operation)}
${code(curl(operation, document.servers[0]!.url))}
${responses(described, document)}
</section>`;
}

const parameters = ({ parameters: all = [] }: Described): string =>
  table(
    ['parameter', 'in', 'form', 'meaning'],
    all.map(({ name, in: place, required, schema, description }) => [
      `<code>${name}</code>${required ? ' <em>needed</em>' : ''}`,
      place,
      form(schema),
      prose(description ?? schema.description ?? ''),
    ]),
  );

function body({ body: asked }: Operation): string {
  if (!asked) return '';
  return `<p>Body <a href="#schema-${asked.schema}">${asked.schema}</a>:</p>
${code(JSON.stringify(asked.example, null, 2))}
${code(asked.xml)}`;
}

/** A line that works when the key is put in. */
export function curl({ method, paths, scope, idempotencyKey, body: asked }: Operation, url: string): string {
  const path = paths[0]!.replace(/\{(\w+)\}/g, '<$1>');
  const parts = [
    `curl ${method === 'post' ? '-X POST ' : ''}'${url}${path}${path.endsWith('balance') ? '?accountId=acct-1001' : ''}'`,
    ...(scope ? [`-H 'Authorization: Bearer <key id>.<secret>'`] : []),
    ...(idempotencyKey ? [`-H 'Idempotency-Key: <a new one for each recharge>'`] : []),
    ...(asked ? [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(asked.example)}'`] : []),
  ];
  return parts.join(' \\\n  ');
}

const responses = (described: Described, document: OpenApi): string =>
  table(
    ['status', 'answer'],
    Object.entries(described.responses).map(([status, answer]) => [
      status,
      answer.$ref
        ? problemWords(answer.$ref, document)
        : `${answer.description}. ${answerWords(answer.content)}`,
    ]),
  );

function problemWords(ref: string, document: OpenApi): string {
  const { description } = document.components.responses[ref.split('/').at(-1)!]!;
  return prose(description).replace(
    /[A-Z_]{8,}(?=:)/g,
    (name) => `<a href="/docs/errors/${name}">${name}</a>`,
  );
}

const answerWords = (content: Media): string =>
  Object.entries(content)
    .map(([type, { schema }]) => `<code>${type}</code>${schema.$ref ? ` ${form(schema)}` : ''}`)
    .join(', ');

const fields = ({ properties = {}, required = [] }: Schema): string =>
  table(
    ['field', 'form', 'meaning'],
    Object.entries(properties).map(([name, schema]) => [
      `<code>${name}</code>${required.includes(name) ? ' <em>needed</em>' : ''}`,
      form(schema),
      prose(schema.description ?? ''),
    ]),
  );

function form(schema: Schema): string {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1)!;
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.anyOf) return schema.anyOf.map(form).join(' or ');
  if (schema.enum) return schema.enum.map((value) => `<code>${escaped(value)}</code>`).join(', ');
  if (schema.type === 'array') return `list of ${schema.items ? form(schema.items) : 'values'}`;
  if (schema.type === 'object' && schema.properties)
    return `{ ${Object.keys(schema.properties).join(', ')} }`;
  return `${schema.format ?? schema.type ?? 'any'}${limits(schema)}`;
}

function limits({ minimum, maximum, maxLength, pattern, default: preset }: Schema): string {
  const words = [
    minimum !== undefined && maximum !== undefined && `${minimum} to ${maximum}`,
    maxLength !== undefined && `at most ${maxLength} characters`,
    pattern && `<code>${escaped(pattern)}</code>`,
    preset !== undefined && `default <code>${escaped(JSON.stringify(preset))}</code>`,
  ];
  return words
    .filter(Boolean)
    .map((word) => `, ${word}`)
    .join('');
}
