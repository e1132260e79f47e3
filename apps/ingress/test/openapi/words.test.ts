import { expect, test } from '@jest/globals';
import { openapiDocument } from '../../src/openapi/document.js';

type Node = Readonly<Record<string, unknown>>;
const document = openapiDocument('https://pay.example') as Readonly<{
  paths: Record<string, Record<string, Node>>;
  components: Record<string, Record<string, Node>>;
}>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
const isPlain = (words: unknown): boolean => typeof words === 'string' && words.length > 5;

/** The properties without a description, at any depth. A reference is described at its target. */
function undescribed(schema: unknown, place: string): string[] {
  if (!isNode(schema)) return [];
  const properties = Object.entries(isNode(schema.properties) ? schema.properties : {});
  const branches = ['oneOf', 'anyOf', 'allOf'].flatMap((key) => (schema[key] as unknown[]) ?? []);
  return [
    ...properties
      .filter(([, property]) => isNode(property) && !property.$ref && !isPlain(property.description))
      .map(([name]) => `${place}.${name}`),
    ...properties.flatMap(([name, property]) => undescribed(property, `${place}.${name}`)),
    ...branches.flatMap((branch) => undescribed(branch, place)),
    ...undescribed(schema.items, `${place}[]`),
  ];
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
);

test('every schema and every property of it is described', () => {
  const { schemas } = document.components;
  expect(Object.keys(schemas!).length).toBeGreaterThan(15);
  const all = Object.entries(schemas!);
  expect(all.flatMap(([name, schema]) => undescribed(schema, name))).toEqual([]);
  expect(all.filter(([, { description }]) => !isPlain(description)).map(([name]) => name)).toEqual([]);
});

test('every operation, parameter, body and answer is described', () => {
  const missing = operations.flatMap(({ name, operation }) => [
    ...['summary', 'description']
      .filter((field) => !isPlain(operation[field]))
      .map((field) => `${name} ${field}`),
    ...((operation.parameters as Node[]) ?? [])
      .filter(({ description }) => !isPlain(description))
      .map((parameter) => `${name} parameter ${parameter.name}`),
    ...(operation.requestBody && !isPlain((operation.requestBody as Node).description)
      ? [`${name} body`]
      : []),
    ...Object.entries(operation.responses as Record<string, Node>)
      .filter(([, { $ref, description }]) => !$ref && !isPlain(description))
      .map(([status]) => `${name} ${status}`),
  ]);
  expect(operations.length).toBeGreaterThan(12);
  expect(missing).toEqual([]);
});

test('headers, shared problems and ways to authenticate are described', () => {
  for (const kind of ['headers', 'responses', 'securitySchemes'])
    expect([
      kind,
      Object.entries(document.components[kind]!).filter(([, { description }]) => !isPlain(description)),
    ]).toEqual([kind, []]);
});

test('summaries are unique, and no answer is described as Done', () => {
  const summaries = operations.map(({ operation }) => operation.summary);
  expect(new Set(summaries).size).toBe(summaries.length);
  expect(JSON.stringify(document)).not.toMatch(/"description":"(?:Done|Stored|OK)"/);
});

test('the problems of an operation have their own meanings', () => {
  const { responses } = document.paths['/v1/recharges/{id}/cancel']!.post as {
    responses: Record<string, Node>;
  };
  expect(responses['409']!.description).toMatch(/sent to the provider already/);
  const statuses = Object.values(document.components.responses!).map(({ description }) => description);
  expect(new Set(statuses).size).toBe(statuses.length);
});

test('the field kind selects the schema of a timeline row', () => {
  const { items } = (document.components.schemas!.Timeline as { properties: { data: { items: Node } } })
    .properties.data;
  const { propertyName, mapping } = items.discriminator as {
    propertyName: string;
    mapping: Record<string, string>;
  };
  expect(propertyName).toBe('kind');
  expect(Object.keys(mapping)).toEqual([
    'request',
    'transition',
    'provider_call',
    'poll',
    'webhook',
    'posting',
    'case',
    'operator',
  ]);
  for (const [kind, ref] of Object.entries(mapping)) {
    const row = document.components.schemas![ref.split('/').at(-1)!] as { properties: { kind: Node } };
    expect(row.properties.kind.const).toBe(kind);
  }
});

test('every schema of an answer has an example', () => {
  for (const name of ['Recharge', 'Recharges', 'Timeline', 'Charge', 'Balance', 'Ledger', 'Calls', 'Health'])
    expect([name, (document.components.schemas![name]!.examples as unknown[])?.length]).toEqual([name, 1]);
});
