import fc from 'fast-check';
import { openapiDocument } from '../../src/openapi/document.js';

export type Schema = Readonly<{
  type?: string;
  enum?: readonly string[];
  pattern?: string;
  examples?: readonly unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  items?: Schema;
  xml?: Readonly<{ name?: string }>;
  additionalProperties?: boolean | Schema;
}>;
type Parameter = Readonly<{ name: string; in: string; required: boolean; schema: Schema }>;
type Response = Readonly<{
  $ref?: string;
  headers?: object;
  content?: Record<string, { schema: { $ref?: string; oneOf?: readonly { $ref: string }[] } }>;
}>;
export type Responses = Readonly<Record<string, Response>>;
export type Operation = Readonly<{
  parameters?: readonly Parameter[];
  security: readonly object[];
  requestBody?: {
    content: Readonly<{ 'application/json'?: { schema: { $ref: string } } }>;
  };
  responses: Responses;
}>;
/** One request to send. `caller` names the client that sends it. */
export type Case = Readonly<{
  method: string;
  path: string;
  query: Record<string, unknown>;
  headers: Record<string, string>;
  caller: 'known' | 'narrow' | 'nobody';
  body?: Readonly<{ form: 'json' | 'xml'; root: string; value: Record<string, unknown> }>;
}>;

export const document = JSON.parse(JSON.stringify(openapiDocument('https://pay.example'))) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Responses };
};

/** All operations of the OpenAPI document except the one that serves it. */
export const operations = Object.entries(document.paths)
  .filter(([path]) => path !== '/openapi.json')
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

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

/** The examples in the document, by the pattern of the field. One example per pattern names something that exists. */
const examples = new Map(
  Object.values(document.components.schemas)
    .flatMap(({ properties = {} }) => Object.values(properties))
    .flatMap(({ pattern, examples: given }) =>
      pattern && given ? [[pattern, [fc.constantFrom(...given)]] as const] : [],
    ),
);

/** A value that the schema allows. Patterns are followed where an example is known. */
function valid(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.format === 'date-time')
    return fc
      .date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (schema.format === 'uuid') return fc.oneof(fc.uuid(), fc.constant('KNOWN'));
  if (schema.format === 'uri') return fc.constantFrom('https://93.184.216.34/hook', 'https://10.0.0.1/', 'x');
  if (schema.items) return fc.uniqueArray(valid(schema.items), { minLength: 1, maxLength: 2 });
  if (schema.pattern?.includes('[A-Z]{3}')) return fc.constantFrom('USD', 'EUR', 'JPY', 'KWD', 'XXX');
  if (schema.pattern?.includes('\\p{Cc}')) return fc.string({ minLength: 1, maxLength: 30 });
  if (schema.pattern)
    return fc.oneof(fc.stringMatching(new RegExp(schema.pattern)), ...(examples.get(schema.pattern) ?? []));
  if (schema.type === 'array' && schema.items)
    return fc.array(valid(schema.items), { minLength: 1, maxLength: 2 });
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

/** Three of ten objects have one field that does not fit the schema. */
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

// Texts that a header can carry: no line ends, no NUL, only Latin-1.
const inHeader = fc
  .oneof(hostile, fc.string({ unit: 'binary', maxLength: 40 }))
  .map((text) => text.replace(/[^\x20-\x7e\x80-\xff]/g, '').trim());

/** The headers that the document describes. One in four has a wrong value, and each may be missing. */
const headersOf = (parameters: readonly Parameter[]): fc.Arbitrary<Record<string, string>> =>
  fc.record(
    Object.fromEntries(
      parameters.map(({ name, schema }) => [
        name.toLowerCase(),
        fc.oneof(
          { weight: 3, arbitrary: schema.pattern ? fc.stringMatching(new RegExp(schema.pattern)) : inHeader },
          { weight: 1, arbitrary: inHeader },
        ),
      ]),
    ),
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>;

const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  );

/** The needed parameters and at most two others. With all filters together a list would find nothing. */
const someOf = (parameters: readonly Parameter[]): fc.Arbitrary<Record<string, unknown>> => {
  const needed = parameters.filter(({ required }) => required);
  const others = parameters.filter(({ required }) => !required);
  return fc.subarray(others, { maxLength: Math.min(2, others.length) }).chain((more) => {
    const chosen = [...needed, ...more].map(({ name, schema }) => [name, schema] as const);
    return record({ properties: Object.fromEntries(chosen), required: chosen.map(([name]) => name) });
  });
};

export function caseOf({ path, method, operation }: (typeof operations)[number]): fc.Arbitrary<Case> {
  const inPlace = (place: string) => (operation.parameters ?? []).filter((one) => one.in === place);
  const all = (place: string) => someOf(inPlace(place));
  const ref = operation.requestBody?.content['application/json']?.schema.$ref;
  const schema = ref === undefined ? undefined : document.components.schemas[ref.split('/').at(-1)!]!;
  const root = schema?.xml?.name ?? '';
  const names = (place: string) => inPlace(place).map(({ name }) => name);
  // Prefer is left out, because thousands of waiting requests would take hours.
  const headers = headersOf(inPlace('header').filter(({ name }) => name !== 'Prefer'));
  return fc
    .record({
      path: fc.tuple(all('path'), spoiled(names('path'))),
      query: fc.tuple(all('query'), spoiled(names('query'))),
      value: schema ? fc.tuple(record(schema), spoiled(Object.keys(schema.properties!))) : fc.constant(null),
      form: fc.constantFrom('json' as const, 'json' as const, 'xml' as const),
      type: mostly('', 'text/plain', 'application/json; charset=utf-16', 'x'),
      accept: fc.constantFrom('application/json', 'application/json', 'application/xml', 'text/csv', '*/*'),
      headers,
      caller: mostly<Case['caller']>('known', 'narrow', 'nobody'),
    })
    .map(({ path: [good, bad], query, value, form, type, accept, headers: own, caller }) => ({
      method: method.toUpperCase(),
      path: filled(path, { ...good, ...bad }),
      query: Object.assign({}, ...query),
      headers: { ...own, accept, ...(value && { 'content-type': type || `application/${form}` }) },
      caller,
      ...(value && { body: { form, root, value: Object.assign({}, ...value) } }),
    }));
}

/** A segment of dots would change the path, and an empty one would match another route. */
const filled = (path: string, values: Record<string, unknown>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => inUrl(values[name]).replace(/^\.{0,2}$/, '-'));

/** A URL cannot contain lone surrogates. They become U+FFFD, as in browsers. */
export function inUrl(value: unknown): string {
  const text = Object(value) === value ? JSON.stringify(value) : String(value);
  return encodeURIComponent(Buffer.from(text).toString());
}

const inXml = (text: unknown): string =>
  String(Object(text) === text ? JSON.stringify(text) : (text ?? '')).replace(
    /[&<>"]/g,
    (char) => `&#${char.charCodeAt(0)};`,
  );

/** An item of the list `lines` is an element `line`. */
const itemOf = (name: string, value: unknown) => ({
  form: 'xml' as const,
  root: name.replace(/s$/, ''),
  value: Object(value) as Record<string, unknown>,
});

/** The body as text. A name that is not valid for an element makes invalid XML, which is tested, too. */
export function written({ form, root, value }: NonNullable<Case['body']>): string {
  if (form === 'json') return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) => {
    if (Array.isArray(field))
      return `<${name}>${field.map((item) => written(itemOf(name, item))).join('')}</${name}>`;
    if (name !== 'metadata' || Object(field) !== field) return `<${name}>${inXml(field)}</${name}>`;
    const entries = Object.entries(field as object).map(
      ([key, one]) => `<entry key="${inXml(key)}">${inXml(one)}</entry>`,
    );
    return `<metadata>${entries.join('')}</metadata>`;
  });
  return `<${root}>${fields.join('')}</${root}>`;
}
