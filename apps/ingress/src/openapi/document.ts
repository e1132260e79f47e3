import { z } from 'zod';
import type { NamedSchema, Operation } from '../http/operation.js';
import { KEY_PATTERN } from '../input/fields.js';
import { ANYTHING, answersOf, headers, type Json, problemResponses, problemsOf, refTo } from './answers.js';
import { operations } from './operations.js';
import { pathSchemas } from './path-schemas.js';
import { Problem } from './schemas.js';

/** OpenAPI 3.1 of every route, from the schemas that validate and the table of operations. */
export function openapiDocument(publicUrl: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Replenish',
      version: '1',
      description: INTRODUCTION,
      license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' },
    },
    servers: [{ url: publicUrl }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: paths(),
    components: {
      schemas: schemas(),
      responses: problemResponses(),
      headers,
      securitySchemes,
    },
  };
}

const INTRODUCTION =
  'Recharges of cloud accounts that arrive exactly once. Every route speaks JSON and, where a body has a root element, XML with the same fields. Every answer carries X-Correlation-Id.';

const tags: Readonly<Record<Operation['tag'], string>> = {
  recharges: 'Create recharges and learn their outcome',
  accounts: 'Balances, the ledger entries behind them, and where money is delivered',
  cases: 'Questions that a person has to answer, and the decisions',
  reconciliations: 'Statements of providers, compared with the books',
  callbacks: 'Events that are posted to you',
  rules: 'Recharges that are made when a balance falls',
  plans: 'Many recharges that are checked together and started together',
  webhooks: 'Events that providers send',
  service: 'Health, this document, and the record of calls',
};

function paths(): Json {
  const found: Record<string, Json> = {};
  for (const operation of operations)
    operation.paths.forEach((path, nth) => {
      const one = describe(operation, path);
      // The other names of an operation need ids of their own.
      if (nth > 0)
        Object.assign(one, {
          operationId: `${operation.id}Alias`,
          summary: operation.aliasSummaries?.[nth - 1] ?? `${operation.summary} (other name)`,
        });
      found[path] = { ...found[path], [operation.method]: one };
    });
  return found;
}

function describe(operation: Operation, path: string): Json {
  const parameters = [...pathParameters(path), ...queryParameters(operation), ...headerParameters(operation)];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.description,
    security: securityOf(operation),
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && { requestBody: requestBody(operation.body) }),
    responses: { ...problemsOf(operation), ...answersOf(operation) },
  };
}

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name!, 'path', true, pathSchemas[name!]!));

/**
 * Only needed parameters have an example. Tools fill forms with examples, and an example for a filter would hide rows.
 */
const parameter = (name: string, place: 'path' | 'query', required: boolean, schema: Json): Json => ({
  name,
  in: place,
  required,
  description: schema.description,
  schema,
  ...(required && Array.isArray(schema.examples) && { example: schema.examples[0] }),
});

function queryParameters(operation: Operation): Json[] {
  if (operation.scope === undefined || !operation.query) return [];
  const { properties = {}, required = [] } = jsonSchema(operation.query);
  return Object.entries(properties as Record<string, Json>).map(([name, schema]) =>
    parameter(name, 'query', (required as string[]).includes(name), schema),
  );
}

function headerParameters({ idempotencyKey, prefer }: Operation): Json[] {
  const correlation = header(
    'X-Correlation-Id',
    'Your own id of the call, for logs and answers; without one, or with other characters, a new id is made',
    '^[A-Za-z0-9._:-]{1,128}$',
  );
  return [
    correlation,
    ...(idempotencyKey ? [header('Idempotency-Key', IDEMPOTENCY[idempotencyKey], KEY_PATTERN)] : []),
    ...(prefer
      ? [
          header(
            'Prefer',
            '`wait=N`: hold the answer up to N seconds, 30 at most; `Preference-Applied` names the wait that is kept',
          ),
        ]
      : []),
  ];
}

const IDEMPOTENCY = {
  needed:
    'Needed here or as `idempotencyKey` in the body. One key per recharge that you intend; unique per client',
  kept: 'A repeated request with the same key changes nothing more, and gets the first answer again for 100 days. Unique per client',
  repeatable: 'A repeated request with the same key changes nothing more. Unique per client',
  optional:
    'Here, or in the body where it has the field. Without a key each call makes something new; unique per client',
} as const;

const header = (name: string, description: string, pattern?: string): Json => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', ...(pattern && { pattern }) },
});

/**
 * JSON and XML share an example. The XML example has no metadata: tools write XML by the schema, and a schema cannot
 * describe the entries of a map.
 */
function requestBody(body: NonNullable<Operation['body']>): Json {
  if (body === 'bytes')
    return {
      description: 'The event, byte for byte as the provider signed it',
      required: true,
      content: { '*/*': { schema: ANYTHING } },
    };
  const { schema, example, csv } = body;
  const [about = ''] = Object.values(schema).map((one) => one.meta()?.description);
  const { metadata: _, ...xmlExample } = example;
  return {
    description: `${about.replace(/\.$/, '')}, as JSON${csv ? ', XML or CSV' : ' or XML'}`,
    required: true,
    content: {
      'application/json': { schema: refTo(schema), example },
      'application/xml': { schema: refTo(schema), example: xmlExample },
      ...(csv && {
        'text/csv': { schema: { type: 'string', description: csv.about }, example: csv.example },
      }),
    },
  };
}

const apiKey = (name: string, description: string): Json => ({
  type: 'apiKey',
  in: 'header',
  name,
  description,
});
const securitySchemes: Json = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The key id, a dot and the secret: `Authorization: Bearer rk_test_....rs_...`. For test keys, and for live keys that allow it. The secret travels with each request: use TLS.',
  },
  keyId: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The key id alone: `Authorization: Bearer rk_live_...`. Sent beside a signature; the secret stays with you.',
  },
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of OAuth 2 client credentials, where the installation has an issuer.',
  },
  signature: apiKey(
    'X-Signature',
    '`v1=` and the lower-case hex of HMAC-SHA256 with the secret over the canonical request: version, method, path with query, timestamp, nonce and hash of the body, each in a line. See /docs/authentication.',
  ),
  timestamp: apiKey('X-Timestamp', 'When the request was signed: Unix seconds, at most 300 s off.'),
  nonce: apiKey('X-Nonce', 'A new value for each signed request, such as a UUID; it is accepted once.'),
  s3Signature: apiKey(
    'X-Signature',
    'The lower-case hex of HMAC-SHA256 with the secret over timestamp and key id. For the balance only, for 60 s, with keys that allow it.',
  ),
};

function securityOf(operation: Operation): Json[] {
  if (operation.scope === undefined) return [];
  const { scope, s3 } = operation;
  const signed = { keyId: [scope], signature: [], timestamp: [], nonce: [] };
  return [
    { bearer: [scope] },
    signed,
    { accessToken: [scope] },
    ...(s3 ? [{ keyId: [scope], s3Signature: [] }] : []),
  ];
}

/** The component schemas. Schemas with an id are among them, because a discriminator can only refer to components. */
function schemas(): Json {
  const found: Record<string, Json> = {};
  for (const [name, schema] of namedSchemas()) {
    const { $defs = {}, ...json } = jsonSchema(schema);
    Object.assign(found, { [name]: json }, $defs);
  }
  const text = JSON.stringify(found).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as Json;
}

/** The schemas of bodies in the order of operations, then those of answers in the order of names. */
function namedSchemas(): [name: string, schema: z.ZodType][] {
  const bodies = operations.flatMap(({ body }) => (typeof body === 'object' ? [body.schema] : []));
  const answers = operations.flatMap(({ answers }) => Object.values(answers).map(([schema]) => schema));
  const byName = (named: readonly (NamedSchema | 'bytes' | 'nothing')[]): Record<string, z.ZodType> =>
    Object.assign({}, ...named.filter((one) => typeof one === 'object'));
  const sorted = Object.entries(byName([...answers, { Problem }])).sort(([a], [b]) => (a < b ? -1 : 1));
  return [...Object.entries(byName(bodies)), ...sorted];
}

/**
 * The JSON schema of a zod schema. Zod cannot describe transformed values, so those have a description in their meta.
 */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => {
      delete made.id;
      if (made.oneOf && made.discriminator === undefined) discriminate(made);
      if (made.type !== 'string' || made.format === 'date-time') delete made.pattern;
      for (const [name, property] of Object.entries(made.properties ?? {}))
        if (typeof property === 'object' && property.not) delete made.properties![name];
    },
  });
  return json;
}

/** Adds a discriminator: the field `kind` names the schema of a row. */
function discriminate(made: { oneOf?: unknown; discriminator?: unknown }): void {
  const refs = (made.oneOf as { $ref?: string }[]).flatMap(({ $ref }) => $ref ?? []);
  const kindOf = (ref: string): string =>
    ref
      .split('/Timeline')
      .at(-1)!
      .replace(/(?!^)[A-Z]/g, '_$&')
      .toLowerCase();
  made.discriminator = {
    propertyName: 'kind',
    mapping: Object.fromEntries(refs.map((ref) => [kindOf(ref), ref])),
  };
}
