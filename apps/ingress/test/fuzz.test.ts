import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { openapiDocument } from '../src/openapi.js';
import { type Answer, created, type Ingress, openIngress, type Row, storedRows } from './ingress.js';

type Schema = Readonly<{
  type?: string;
  enum?: readonly string[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
}>;
type Parameter = Readonly<{ name: string; in: string; required: boolean; schema: Schema }>;
type Responses = Readonly<Record<string, { $ref?: string; content?: Record<string, unknown> }>>;
type Operation = Readonly<{
  parameters?: readonly Parameter[];
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
  responses: Responses;
}>;
type Case = Readonly<{
  method: string;
  path: string;
  query: Record<string, unknown>;
  headers: Record<string, string>;
  body?: unknown;
}>;

const document = JSON.parse(JSON.stringify(openapiDocument('https://pay.example'))) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Responses };
};

const cases = Object.entries(document.paths)
  .filter(([path]) => path !== '/openapi.json')
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

const ajv = addFormats.default(new Ajv2020({ strict: false }));
ajv.addSchema(document, 'openapi');

let ingress: Ingress;
let key: NewKey;
let known: string;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({
    scopes: ['recharges:write', 'recharges:read', 'balances:read', 'audit:read'],
  });
  known = (await created(ingress, key)).id;
});
afterAll(() => ingress.close());

const hostile = fc.constantFrom(
  "'; drop table recharge_request; --",
  '%',
  '\u0000',
  '\ud800',
  '\u202e',
  '../..',
  '9007199254740993',
  '-1',
  '1e9',
  'NaN',
  '',
  'x'.repeat(300),
  '4111111111111111',
  '<a&"\'>',
);
const wild = fc.oneof(
  hostile,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer(),
  fc.double(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
);

/** A value that the schema allows, as far as a pattern can be followed. */
function valid(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.format === 'date-time')
    return fc
      .date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (schema.format === 'uuid') return fc.oneof(fc.uuid(), fc.constant('KNOWN'));
  if (schema.pattern?.includes('[A-Z]{3}')) return fc.constantFrom('USD', 'EUR', 'JPY', 'KWD', 'XXX');
  if (schema.pattern?.includes('\\p{Cc}')) return fc.string({ minLength: 1, maxLength: 30 });
  if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern));
  if (schema.type === 'integer')
    return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 1_000 });
  if (schema.type === 'number') return fc.constantFrom(1, 49.99, 0.001, 1e15);
  if (schema.type === 'object' && schema.properties) return record(schema);
  if (schema.type === 'object')
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), fc.string({ maxLength: 50 }));
  return fc.string({ maxLength: 30 });
}

function record({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valid(schema)]),
  );
  return fc.record(fields, { requiredKeys: [...required] });
}

/** Three in ten have one field that is not what the schema says. */
const spoiled = (names: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.oneof(
    { weight: 7, arbitrary: fc.constant({}) },
    {
      weight: 3,
      arbitrary: fc.dictionary(fc.constantFrom('state', 'clientId', 'constructor', ...names), wild, {
        minKeys: 1,
        maxKeys: 1,
      }),
    },
  );

function caseOf({ path, method, operation }: (typeof cases)[number]): fc.Arbitrary<Case> {
  const inPlace = (place: string) => (operation.parameters ?? []).filter((one) => one.in === place);
  const all = (place: string) =>
    record({
      properties: Object.fromEntries(inPlace(place).map(({ name, schema }) => [name, schema])),
      required: inPlace(place)
        .filter((one) => one.required)
        .map(({ name }) => name),
    });
  const ref = operation.requestBody?.content['application/json'].schema.$ref;
  const schema = ref ? document.components.schemas[ref.split('/').at(-1)!]! : undefined;
  const namesInQuery = inPlace('query').map(({ name }) => name);
  return fc
    .record({
      path: fc.tuple(all('path'), spoiled(inPlace('path').map(({ name }) => name))),
      query: fc.tuple(all('query'), spoiled(namesInQuery)),
      body: schema ? fc.tuple(record(schema), spoiled(Object.keys(schema.properties!))) : fc.constant(null),
      accept: fc.constantFrom('application/json', 'application/json', 'application/xml', 'text/csv', '*/*'),
      idempotencyKey: fc.stringMatching(/^[!-~]{1,60}$/),
    })
    .map(({ path: [good, bad], query, body, accept, idempotencyKey }) => ({
      method: method.toUpperCase(),
      path: filled(path, { ...good, ...bad }),
      query: Object.assign({}, ...query),
      headers: { accept, ...(schema && { 'idempotency-key': idempotencyKey }) },
      ...(body && { body: Object.assign({}, ...body) }),
    }));
}

/** Lone surrogates cannot be written into a URL: they go as U+FFFD, as a browser sends them. */
function inUrl(value: unknown): string {
  const text = Object(value) === value ? JSON.stringify(value) : String(value === 'KNOWN' ? known : value);
  return encodeURIComponent(Buffer.from(text).toString());
}

/** Dots alone would be a way through the path, and an empty segment none at all. */
const filled = (path: string, values: Row): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => inUrl(values[name]).replace(/^\.{0,2}$/, '-'));

async function send({ method, path, query, headers, body }: Case): Promise<Answer> {
  const search = Object.entries(query).map(([name, value]) => `${name}=${inUrl(value)}`);
  const { idempotencyKey: _, ...rest } = (body ?? {}) as Row;
  return ingress.call(method, `${path.replace('KNOWN', known)}?${search.join('&')}`, {
    key,
    headers,
    ...(body !== undefined && { body: rest }),
  });
}

/** The answer is one that the document names for this route, and what it holds is what the document says. */
function expectDocumented({ responses }: Operation, answer: Answer): void {
  expect(Object.keys(responses)).toContain(String(answer.status));
  expect(answer.status).toBeLessThan(500);
  const named = responses[answer.status]!;
  const response = named.$ref ? document.components.responses[named.$ref.split('/').at(-1)!]! : named;
  const type = answer.headers.get('content-type')!.split(';')[0]!;
  expect(Object.keys(response.content!)).toEqual(
    expect.arrayContaining([expect.stringMatching(type.replace('+', '\\+'))]),
  );
  if (!type.endsWith('json')) return;
  const media = response.content![type] as { schema: { $ref: string } };
  const validate = ajv.getSchema(`openapi${media.schema.$ref}`)!;
  expect([validate(answer.body), validate.errors]).toEqual([true, null]);
}

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** A valid charge is waited for: few and large batches of it, so that they wait together. */
const planOf = (path: string) =>
  path === '/api/charge' ? { batches: 2, batchSize: 60 } : { batches: 25, batchSize: 8 };

const isNew = ({ path }: Case, { status, headers }: Answer): boolean =>
  status === 202 || (path === '/api/charge' && status === 200 && !headers.has('idempotent-replayed'));

async function expectBatch(operation: Operation, batch: readonly Case[]): Promise<void> {
  const before = await storedRows(ingress);
  const answers = await Promise.all(batch.map(send));
  for (const answer of answers) expectDocumented(operation, answer);
  const stored = answers.filter((answer, nth) => isNew(batch[nth]!, answer)).length;
  expect(await storedRows(ingress)).toBe(before + 2 * stored);
}

test.each(cases)(
  `$method $path: whatever is sent, the answer is documented (SEED=${SEED})`,
  async (one) => {
    const { batches, batchSize } = planOf(one.path);
    const logged = ingress.logged.length;
    const batch = fc.array(caseOf(one), { minLength: batchSize, maxLength: batchSize });
    await fc.assert(
      fc.asyncProperty(batch, (requests) => expectBatch(one.operation, requests)),
      { seed: SEED, numRuns: batches, endOnFailure: true },
    );
    const since = ingress.logged.slice(logged);
    expect(since.filter(({ message }) => message === 'request')).toHaveLength(batches * batchSize);
    expect(since.filter(({ level }) => level === 'error')).toEqual([]);
  },
  60_000,
);
