import { z } from 'zod';
import { answersOf, headers, type Json, problemResponses, problemsOf, ref } from './openapi-answers.js';
import { inputs, type Operation, operations } from './openapi-operations.js';
import * as answers from './openapi-schemas.js';
import { KEY_PATTERN } from './recharge-input.js';

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
  recharges: 'Ask for a recharge, learn its outcome',
  accounts: 'Balances and the entries behind them',
  webhooks: 'For providers',
  service: 'The service itself',
};

function paths(): Json {
  const found: Record<string, Json> = {};
  for (const operation of operations)
    operation.paths.forEach((path, nth) => {
      const one = describe(operation, path);
      // An alias is the same operation; only the canonical path keeps the id.
      if (nth > 0) Object.assign(one, { operationId: `${operation.id}Alias`, deprecated: false });
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
    ...(operation.description && { description: operation.description }),
    security: securityOf(operation),
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && { requestBody: requestBody(operation.body) }),
    responses: { ...problemsOf(operation), ...answersOf(operation) },
  };
}

const pathSchemas: Readonly<Record<string, Json>> = {
  id: { type: 'string', format: 'uuid', description: 'The transactionId of the recharge' },
  accountId: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,64}$', examples: ['acct-1001'] },
  provider: { type: 'string' },
};

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name!, 'path', true, pathSchemas[name!]!));

/** What is needed has an example of its own, which forms are filled with; a filter that is filled in would only hide rows. */
const parameter = (name: string, place: 'path' | 'query', required: boolean, schema: Json): Json => ({
  name,
  in: place,
  required,
  schema,
  ...(required && Array.isArray(schema.examples) && { example: schema.examples[0] }),
});

function queryParameters({ query }: Operation): Json[] {
  if (!query) return [];
  const { properties = {}, required = [] } = jsonSchema(query);
  return Object.entries(properties as Record<string, Json>).map(([name, schema]) =>
    parameter(name, 'query', (required as string[]).includes(name), schema),
  );
}

function headerParameters({ idempotencyKey, prefer }: Operation): Json[] {
  const correlation = header(
    'X-Correlation-Id',
    'Taken when it is sane, made otherwise',
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
  needed: 'Needed here or as `idempotencyKey` in the body. Unique per client',
  optional: 'Here or as `idempotency_key` in the body; without one each call is a new intent',
} as const;

const header = (name: string, description: string, pattern?: string): Json => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', ...(pattern && { pattern }) },
});

/** One example for both: tools write it as XML by the schema, which has no words for the entries of a map. */
function requestBody(body: NonNullable<Operation['body']>): Json {
  if (body === 'any') return { required: true, content: { '*/*': { schema: {} } } };
  const { schema, example } = body;
  const { metadata: _, ...xmlExample } = example;
  return {
    required: true,
    content: {
      'application/json': { schema: ref(schema), example },
      'application/xml': { schema: ref(schema), example: xmlExample },
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
    description: 'The key id, a dot and the secret: `rk_test_....rs_...`',
  },
  keyId: { type: 'http', scheme: 'bearer', description: 'The key id alone, beside a signature' },
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'OAuth 2, where configured',
  },
  signature: apiKey('X-Signature', '`v1=` and the hex HMAC-SHA256 of the canonical request'),
  timestamp: apiKey('X-Timestamp', 'Unix seconds, at most 300 off'),
  nonce: apiKey('X-Nonce', 'Unique; it serves once'),
  s3Signature: apiKey('X-Signature', 'Hex HMAC-SHA256(secret, timestamp + key id); keys that opt in'),
};

function securityOf({ scope, s3 }: Operation): Json[] {
  if (!scope) return [];
  const signed = { keyId: [scope], signature: [], timestamp: [], nonce: [] };
  return [
    { bearer: [scope] },
    signed,
    { accessToken: [scope] },
    ...(s3 ? [{ keyId: [scope], s3Signature: [] }] : []),
  ];
}

function schemas(): Json {
  return Object.fromEntries([
    ...Object.entries(inputs).map(([name, schema]) => [name, jsonSchema(schema)]),
    ...Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema)]),
  ]);
}

/** What zod cannot say of a transformed value, the schema's own meta says; the document leaves the rest out. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => {
      if (made.type !== 'string' || made.format === 'date-time') delete made.pattern;
      for (const [name, property] of Object.entries(made.properties ?? {}))
        if (typeof property === 'object' && property.not) delete made.properties![name];
    },
  });
  return json;
}
