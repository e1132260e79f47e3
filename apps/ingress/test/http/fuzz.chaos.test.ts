import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EndpointWithSecret, NewKey } from '@replenish/domain';
import { scopes } from '@replenish/domain/rules';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { type AuditTrail, openAuditTrail } from '../../src/audit/trail.js';
import {
  type Case,
  caseOf,
  document,
  inUrl,
  type Operation,
  operations,
  type Schema,
  written,
} from '../support/fuzz-cases.js';
import { RULE, surely } from '../support/fuzz-valid.js';
import { type Answer, auditNames, created, end, type Ingress, openIngress } from '../support/ingress.js';

const ajv = addFormats.default(new Ajv2020({ strict: false }));
ajv.addSchema(document, 'openapi');

let ingress: Ingress;
let trail: AuditTrail;
let keys: Readonly<Record<Case['caller'], NewKey | null>>;
let known: string;
let knownCase: string;
let callbacks: Readonly<Record<'endpoint' | 'removed' | 'delivery', string>>;
let knownPlan: string;
let knownRun: string;
let rules: Readonly<Record<'kept' | 'removed', string>>;

beforeAll(async () => {
  ingress = await openIngress({
    protection: ({ domain, log, registry }) => {
      trail = openAuditTrail({ audit: domain.audit, log, registry, names: auditNames });
      return { observers: [trail.see] };
    },
  });
  const key = await ingress.client({ scopes });
  const narrow = await ingress.client({ scopes: [], accounts: [] });
  keys = { known: key, narrow, nobody: null };
  for (const news of ['settled', 'declined'] as const)
    await end(ingress, await created(ingress, key, { metadata: { '<&>': ']]>' } }), news);
  const endpoint = await addEndpoint(key);
  known = (await created(ingress, key)).id;
  const ofKnown = { clientId: key.clientId, accountPatterns: ['%'], transactionId: known, limit: 1 };
  const [delivery] = (await ingress.domain.callbacks.deliveries(ofKnown)).rows;
  callbacks = { endpoint, removed: await addEndpoint(key), delivery: delivery!.id };
  // Money of an unnamed order cannot be returned, so no resolution makes a refund.
  const late = {
    transactionId: (await created(ingress, key)).id,
    source: 'webhook',
    reason: 'late',
  } as const;
  for (const news of ['submit', 'declined', 'settled'] as const)
    await ingress.domain.applyNews({ ...late, news });
  [knownCase] = (await ingress.domain.cases.list({ viewer: null, limit: 1 }, () => true)).rows.map(
    ({ id }) => id,
  ) as [string];
  const headers = { 'idempotency-key': 'known' };
  const lines = [{ line: 1, accountId: 'acct-1001', amount: 1, currency: 'USD' }];
  const plan = await ingress.call('POST', '/v1/plans', { key, headers, body: { name: 'known', lines } });
  knownPlan = String(plan.body.planId);
  const csv = { 'content-type': 'text/csv' };
  const query = 'provider=sandbox&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z';
  const body = 'line,at,orderId,reference,direction,amount,currency,balance\n';
  const run = await ingress.call('POST', `/v1/reconciliations?${query}`, { key, headers: csv, body });
  knownRun = String(run.body.runId);
  const made = async () => String((await ingress.call('POST', '/v1/rules', { key, body: RULE })).body.ruleId);
  rules = { kept: await made(), removed: await made() };
  await ingress.domain.rules.look(rules.kept, () => ({ provider: 'sandbox', providerAccount: 'main' }));
});
afterAll(async () => {
  await trail.close();
  await ingress.close();
});

async function addEndpoint({ clientId }: NewKey): Promise<string> {
  const asked = {
    clientId,
    url: 'https://93.184.216.34/',
    events: [],
    accounts: ['%'],
    idempotencyKey: null,
  };
  return ((await ingress.domain.callbacks.createEndpoint(asked)) as EndpointWithSecret).endpoint.id;
}

/** The id of something that exists, of the kind that the path names. */
function knownAt(method: string, path: string): string {
  if (path.startsWith('/v1/cases/')) return knownCase;
  if (path.startsWith('/v1/plans/')) return knownPlan;
  if (path.startsWith('/v1/reconciliations/')) return knownRun;
  if (path.startsWith('/v1/rules/')) return method === 'DELETE' ? rules.removed : rules.kept;
  if (path.startsWith('/v1/callback-deliveries/')) return callbacks.delivery;
  if (!path.startsWith('/v1/callback-endpoints/')) return known;
  return method === 'DELETE' ? callbacks.removed : callbacks.endpoint;
}

const TRIES_MAX = 5;
let sent = 0;

async function send({ method, path, query, headers, caller, body }: Case): Promise<Answer> {
  const search = Object.entries(query).map(([name, value]) => `${name}=${inUrl(value)}`);
  const key = keys[caller];
  const url = `${path}?${search.join('&')}`.replaceAll('KNOWN', knownAt(method, path));
  const options = { ...(key && { key }), headers, ...(body && { body: written(body) }) };
  // A database that is slow for a moment is answered with 503, and the client sends the request again.
  for (let tries = 1; ; tries++) {
    sent++;
    const answer = await ingress.call(method, url, options);
    if (answer.status !== 503 || tries === TRIES_MAX) return answer;
  }
}

const schemaNamed = (ref: string): Schema => document.components.schemas[ref.split('/').at(-1)!]!;

/** Expects well-formed XML with the root element, all needed fields and no unknown field. */
function expectXml(text: string, schema: Schema): void {
  const path: string[] = [];
  const fields = new Set<string>();
  const roots: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    if (path.length === 0) roots.push(name);
    if (path.length === 1) fields.add(name);
    path.push(name);
  });
  parser.on('closetag', () => void path.pop());
  parser.write(text).close();
  expect(roots).toEqual([schema.xml!.name]);
  expect(Object.keys(schema.properties!)).toEqual(expect.arrayContaining([...fields]));
  expect([...fields]).toEqual(expect.arrayContaining([...(schema.required ?? [])]));
}

const schemaOf = ({ responses }: Operation): Schema | undefined => {
  const ref = responses[200]?.content?.['application/json']?.schema.$ref;
  return ref === undefined ? undefined : schemaNamed(ref);
};

/**
 * Headers that an answer has only sometimes: with a next page, under a limit, while a key is locked, where a key
 * would help.
 */
const SOMETIMES = ['X-Next-Cursor', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate'];

const sane = /^[A-Za-z0-9._:-]{1,128}$/;

/** Expects the answer to match the OpenAPI document: its status, headers and body. */
function expectDocumented({ responses }: Operation, asked: Case, answer: Answer): void {
  expect(Object.keys(responses)).toContain(String(answer.status));
  // Readiness depends on the machine: on a busy one its look at the database may come too late.
  if (asked.path !== '/readyz') expect(answer.status).toBeLessThan(500);
  const named = responses[answer.status]!;
  const response = named.$ref ? document.components.responses[named.$ref.split('/').at(-1)!]! : named;
  const names = Object.keys(response.headers ?? {}).filter((name) => !SOMETIMES.includes(name));
  const missing = names.filter((name) => !answer.headers.has(name));
  const isDry = asked.query.dryRun === 'true' && answer.status === 200;
  // Where 200 is a first answer too, the header of a repeated one may be missing.
  const isOnlyRepeated = answer.status === 200 && (responses[201] ?? responses[202]) !== undefined;
  const needed = !isOnlyRepeated ? missing.filter((name) => name !== 'Idempotent-Replayed') : missing;
  if (!isDry) expect(needed).toEqual([]);
  const correlationId = asked.headers['x-correlation-id'] ?? '';
  if (sane.test(correlationId)) expect(answer.headers.get('x-correlation-id')).toBe(correlationId);
  else expect(answer.headers.get('x-correlation-id')).toMatch(sane);
  if (response.content === undefined) {
    expect([answer.text, asked.method]).toEqual(['', 'DELETE']);
    return;
  }
  const type = answer.headers.get('content-type')!.split(';')[0]!;
  expect(Object.keys(response.content!)).toContain(type);
  const { $ref, oneOf } = response.content![type]!.schema;
  const ref = oneOf?.find((one) => one.$ref.endsWith('/DryRun') === isDry)?.$ref ?? $ref;
  if (ref !== undefined && type.endsWith('xml')) expectXml(answer.text, schemaNamed(ref));
  if (ref !== undefined && type.endsWith('json')) {
    const validate = ajv.getSchema(`openapi${ref}`)!;
    expect([validate(answer.body), validate.errors]).toEqual([true, null]);
  }
}

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** Counts the rows of the kinds that requests store. */
async function stored(): Promise<Record<'requests' | 'recharges' | 'events' | 'cases', number>> {
  const [row] = await ingress.sql(`select (select count(*) from recharge_request)::int as requests,
    (select count(*) from recharge_transaction)::int as recharges,
    (select count(*) from webhook_event)::int as events,
    (select count(*) from reconciliation_case)::int as cases`);
  return row as never;
}

/** Batches per operation. */
const BATCHES = Number(process.env.FUZZ_BATCHES ?? 25);

/** A valid charge waits up to four seconds, so its cases run in few large batches that wait together. */
const planOf = (path: string) =>
  path === '/api/charge' ? { batches: 2, batchSize: 100 } : { batches: BATCHES, batchSize: 10 };

const FURTHER_BATCHES_MAX = 200;

/** No provider works here, so no recharge succeeds, and only those that succeeded are refunded. */
const isRefund = (path: string): boolean => path.endsWith('/refunds');
/** A case is resolved once, and a provider is asked again once in five seconds. The other requests are refused. */
const isOnce = (path: string): boolean => /\/(refunds|resolutions|recheck)$/.test(path);

function wantedOf({
  method,
  path,
  operation,
}: {
  method: string;
  path: string;
  operation: Operation;
}): string[] {
  if (path.startsWith('/webhooks/')) return [];
  const refused = operation.security.length > 0 ? ['4xx json', '4xx xml'] : [];
  if (operation.responses[204]) return ['2xx nothing', ...refused];
  if (isOnce(path) && method === 'post') return refused;
  const isCsv = operation.responses[200]?.content?.['application/json'] === undefined;
  if (isCsv && operation.responses[200]?.content?.['text/csv']) return ['2xx csv', ...refused];
  const accepted = operation.security.length > 0 ? ['2xx json', '2xx xml'] : ['2xx json'];
  const hasRows = schemaOf(operation)?.properties?.data !== undefined && !isRefund(path);
  return [...accepted, ...refused, ...(hasRows ? ['rows'] : [])];
}

const isNew = ({ path }: Case, { status, headers }: Answer): boolean =>
  (status === 202 && !/\/(replay|recheck|reconciliations)$/.test(path)) ||
  (path === '/api/charge' && status === 200 && !headers.has('idempotent-replayed'));

test.each(operations)(
  `$method $path: every answer is one that the document describes (SEED=${SEED})`,
  async (one) => {
    const { batches, batchSize } = planOf(one.path);
    const logged = ingress.logged.length;
    const sentBefore = sent;
    const seen = new Set<string>();
    const expectBatch = async (batch: readonly Case[]): Promise<void> => {
      const before = await stored();
      const answers = await Promise.all(batch.map(send));
      for (const [nth, answer] of answers.entries()) {
        expectDocumented(one.operation, batch[nth]!, answer);
        const types = answer.headers.get('content-type')?.split(/[;+/]/) ?? [];
        const type = types.find((part) => /^(json|xml|csv)$/.test(part)) ?? 'nothing';
        if (answer.body.data?.length > 0) seen.add('rows');
        seen.add(`${Math.floor(answer.status / 100)}xx ${type}`);
      }
      const made = answers.filter((answer, nth) => isNew(batch[nth]!, answer)).length;
      expect(await stored()).toEqual({
        ...before,
        requests: before.requests + made,
        recharges: before.recharges + made,
      });
    };
    const batch = fc.array(caseOf(one), { minLength: batchSize, maxLength: batchSize });
    await fc.assert(fc.asyncProperty(batch, expectBatch), {
      seed: SEED,
      numRuns: batches,
      endOnFailure: true,
    });
    const sure = surely(one);
    await expectBatch(sure);
    // Answers that must occur: accepted and refused, in JSON and XML. Webhooks are never signed here, and health is
    // never refused. Random cases sometimes need longer.
    const wanted = wantedOf(one);
    let further = 0;
    for (; further < FURTHER_BATCHES_MAX && !wanted.every((each) => seen.has(each)); further++)
      await expectBatch(fc.sample(batch, { seed: SEED + 1 + further, numRuns: 1 })[0]!);
    expect([...seen]).toEqual(expect.arrayContaining(wanted));
    const since = ingress.logged.slice(logged);
    expect(since.filter(({ message }) => message === 'request')).toHaveLength(sent - sentBefore);
    expect(since.filter(({ level }) => level === 'error')).toEqual([]);
  },
  60_000,
);
