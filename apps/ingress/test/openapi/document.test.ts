import { expect, test } from '@jest/globals';
import type { EndpointWithSecret, NewKey } from '@replenish/domain';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { z } from 'zod';
import { openapiDocument } from '../../src/openapi/document.js';
import { operations } from '../../src/openapi/operations.js';
import { ChargeInput, RechargeInput } from '../../src/recharges/input.js';
import { created, end, type Ingress, openIngress } from '../support/ingress.js';
import { routesOf } from '../support/routes.js';

const document = openapiDocument('https://pay.example') as {
  paths: Record<string, Record<string, { operationId: string }>>;
};

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document));
  expect(result).toEqual({ valid: true });
});

test('the routes of the app are those of the document', async () => {
  const ingress = await openIngress();
  try {
    const routes = routesOf(ingress.app)
      .filter(({ path }) => !path.startsWith('/docs'))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.length).toBeGreaterThan(10);
    expect(new Set(routes)).toEqual(new Set(described));
    expect(routes).toHaveLength(described.length);
  } finally {
    await ingress.close();
  }
});

test('operation ids are unique, and the ingress serves the document', async () => {
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  const ingress = await openIngress();
  try {
    const answer = await ingress.call('GET', '/openapi.json');
    expect(answer.status).toBe(200);
    expect(answer.body.openapi).toBe('3.1.0');
  } finally {
    await ingress.close();
  }
});

test('the document has the fields of the schemas that validate', () => {
  const { schemas } = (
    document as unknown as { components: { schemas: Record<string, { properties: object }> } }
  ).components;
  const fieldsOf = (schema: z.ZodObject) => Object.keys(schema.shape);
  expect(Object.keys(schemas.RechargeInput!.properties)).toEqual(fieldsOf(RechargeInput));
  expect(Object.keys(schemas.ChargeInput!.properties)).toEqual(fieldsOf(ChargeInput));
  expect(operations.every(({ answers }) => Object.keys(answers).length > 0)).toBe(true);
});

type Example = Record<string, unknown>;

/** An example as XML, written as tools do it by the schema: a root element and an element per field. */
const asXml = (root: string, example: Example): string =>
  `<${root}>${Object.entries(example)
    .map(([name, value]) =>
      Array.isArray(value)
        ? `<${name}>${value.map((item) => asXml(name.replace(/s$/, ''), item as Example)).join('')}</${name}>`
        : typeof value === 'object'
          ? asXml(name, value as Example)
          : `<${name}>${value}</${name}>`,
    )
    .join('')}</${root}>`;

/** A case about money that came after its recharge had failed. */
async function caseOfLateMoney(ingress: Ingress, key: NewKey): Promise<string> {
  const late = await created(ingress, key);
  await end(ingress, late, 'declined');
  await end(ingress, late, 'settled');
  const filter = { viewer: null, transactionId: late.id, limit: 1 };
  return (await ingress.domain.cases.list(filter, () => true)).rows[0]!.id;
}

test('the example bodies are accepted, as JSON and as XML', async () => {
  const ingress = await openIngress();
  const key = await ingress.client();
  const { paths, components } = document as unknown as {
    paths: Record<
      string,
      {
        post?: { requestBody?: { content: Record<string, { schema: { $ref?: string }; example: Example }> } };
      }
    >;
    components: { schemas: Record<string, { xml: { name: string } }> };
  };
  try {
    const refundable = await created(ingress, key);
    await end(ingress, refundable, 'settled');
    const endpoint = { url: 'https://93.184.216.34/', events: [], accounts: ['%'], idempotencyKey: null };
    const stored = await ingress.domain.callbacks.createEndpoint({ clientId: key.clientId, ...endpoint });
    const endpointId = (stored as EndpointWithSecret).endpoint.id;
    let sent = 0;
    for (const [path, { post }] of Object.entries(paths))
      for (const [type, { schema, example }] of Object.entries(post?.requestBody?.content ?? {})) {
        if (!schema.$ref) continue;
        const { xml } = components.schemas[schema.$ref.split('/').at(-1)!]!;
        const body = type.endsWith('xml') ? asXml(xml.name, example) : JSON.stringify(example);
        const caseId = await caseOfLateMoney(ingress, key);
        const filled = path
          .replace('{id}', refundable.id)
          .replace('{caseId}', caseId)
          .replace('{endpointId}', endpointId);
        const answer = await ingress.call('POST', filled, {
          key,
          headers: { 'content-type': type, 'idempotency-key': `example-${++sent}` },
          body,
        });
        expect([path, type, answer.text, answer.status < 300]).toEqual([path, type, answer.text, true]);
      }
    expect(sent).toBe(20);
  } finally {
    await ingress.close();
  }
});

test('every needed parameter has an example', () => {
  const { paths } = document as unknown as {
    paths: Record<
      string,
      Record<string, { parameters: { name: string; in: string; required?: boolean; example?: unknown }[] }>
    >;
  };
  const needed = Object.values(paths).flatMap((path) =>
    Object.values(path).flatMap(({ parameters }) => parameters.filter(({ required }) => required)),
  );
  expect(needed.filter(({ in: place }) => place === 'query').map(({ example }) => example)).toEqual([
    'acct-1001',
    '2026-11-21',
  ]);
  expect(
    needed.filter(({ name }) => name === 'accountId').every(({ example }) => example === 'acct-1001'),
  ).toBe(true);
});

test('every parameter limit is a whole number from 1 to 100', () => {
  const { paths } = document as unknown as {
    paths: Record<string, Record<string, { parameters: { name: string; schema: object }[] }>>;
  };
  const limits = Object.values(paths).flatMap((path) =>
    Object.values(path).flatMap(({ parameters }) => parameters.filter(({ name }) => name === 'limit')),
  );
  expect(limits).toHaveLength(10);
  for (const { schema } of limits)
    expect(schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 });
});

type Response = Readonly<{ $ref?: string; headers?: Record<string, unknown>; content?: object }>;
type Described = Readonly<{
  operationId: string;
  security: readonly object[];
  requestBody?: { required: boolean; content: Record<string, object> };
  responses: Record<string, Response>;
}>;

const described = Object.values(document.paths).flatMap((path) =>
  Object.values(path),
) as unknown as Described[];
const shared = (document as unknown as { components: { responses: Record<string, Response> } }).components
  .responses;
const headersOf = ({ responses }: Described, status: string): string[] => {
  const { $ref, headers } = responses[status]!;
  return Object.keys(headers ?? shared[$ref!.split('/').at(-1)!]!.headers!);
};

test('the refusals by Node itself are described for every operation', () => {
  for (const { operationId, responses } of described)
    expect([operationId, Object.keys(responses)]).toEqual([
      operationId,
      expect.arrayContaining(['408', '417', '431']),
    ]);
});

test('each answer lists its possible headers', () => {
  for (const operation of described) {
    const statuses = Object.keys(operation.responses);
    const having = (name: string) => statuses.filter((status) => headersOf(operation, status).includes(name));
    const isLimited = operation.security.length > 0;
    expect(having('X-Correlation-Id')).toEqual(statuses);
    expect(having('WWW-Authenticate')).toEqual(isLimited || statuses.includes('401') ? ['401'] : []);
    expect(having('Retry-After')).toEqual(
      statuses.filter((status) => ['403', '429', '503'].includes(status)),
    );
    for (const name of ['RateLimit', 'RateLimit-Policy'])
      if (isLimited)
        expect(having(name)).toEqual(
          expect.arrayContaining([
            ...statuses.filter((status) => status < '300'),
            ...['400', '403', '429', '500'],
          ]),
        );
      else expect(statuses.filter((status) => status < '300' && having(name).includes(status))).toEqual([]);
  }
});

test('the body of a webhook may have any media type', () => {
  const webhook = described.find(({ operationId }) => operationId === 'takeWebhook')!;
  expect(webhook.requestBody).toMatchObject({ required: true, content: { '*/*': {} } });
  expect(Object.keys(webhook.requestBody!.content)).toEqual(['*/*']);
  expect(webhook.requestBody!.content['*/*']).not.toHaveProperty('schema.type');
});
