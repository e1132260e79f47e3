import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { openapiDocument } from '../../src/openapi/document.js';
import { RULE } from '../support/fuzz-valid.js';
import { type Answer, aRecharge, created, end, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

type Described = Readonly<{
  operationId: string;
  security: readonly unknown[];
  parameters?: readonly Readonly<{ name: string; in: string; description: string }>[];
  responses: Readonly<Record<string, unknown>>;
}>;
const { paths } = openapiDocument('https://pay.example') as {
  paths: Record<string, Record<string, Described>>;
};

/** All routes with a key that change something, from the OpenAPI document, so that a new one is tested, too. */
const changes = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([method, { security }]) => method !== 'get' && security.length > 0)
    .map(([method, described]) => ({ method: method.toUpperCase(), path, described })),
);
type Change = (typeof changes)[number];

const keyOf = ({ described }: Change): string =>
  described.parameters?.find(({ name }) => name === 'Idempotency-Key')?.description ?? '';
/** Verbs, whose answer is kept. The others keep their key in what they create. */
const verbs = changes.filter((one) => keyOf(one).includes('first answer'));
const isVerb = (one: Change): boolean => verbs.includes(one);

/** A request that can be carried out, about something of its own. */
type Way = Readonly<{ params?: Readonly<Record<string, string>>; body?: unknown }>;

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const post = async (path: string, body?: unknown, by = key): Promise<Answer['body']> => {
  const headers = { 'idempotency-key': randomUUID() };
  const answer = await ingress.call('POST', path, { key: by, headers, ...(body !== undefined && { body }) });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
  return answer.body;
};

const report = { source: 'webhook', reason: 'told' } as const;
async function reported(
  ...news: readonly ('submit' | 'accepted' | 'declined' | 'canceled')[]
): Promise<string> {
  const { id: transactionId } = await created(ingress, key);
  for (const one of news) await ingress.domain.applyNews({ ...report, transactionId, news: one });
  return transactionId;
}

async function settled(): Promise<string> {
  const recharge = await created(ingress, key);
  await end(ingress, recharge, 'settled');
  return recharge.id;
}

async function openCase(): Promise<string> {
  const transactionId = await reported('submit', 'declined', 'canceled');
  const { rows } = await ingress.domain.cases.list({ viewer: null, transactionId, limit: 1 }, () => true);
  return rows[0]!.id;
}

async function delivery(): Promise<string> {
  const { id: transactionId } = await created(ingress, key, { callbackUrl: 'https://93.184.216.34/hook' });
  const asked = { clientId: key.clientId, accountPatterns: ['%'], transactionId, limit: 1 };
  return (await ingress.domain.callbacks.deliveries(asked)).rows[0]!.id;
}

let made = 0;
const account = (): string => `acct-repeats-${made++}`;
const endpoint = async () =>
  String((await post('/v1/callback-endpoints', { url: `https://93.184.216.34/${made++}` })).endpointId);
const aRule = () => ({ ...RULE, accountId: account() });
const rule = async (...verbsBefore: readonly string[]) => {
  const ruleId = String((await post('/v1/rules', aRule())).ruleId);
  for (const verb of verbsBefore) await post(`/v1/rules/${ruleId}/${verb}`);
  return { params: { ruleId } };
};
const aPlan = () => ({
  name: `plan ${made++}`,
  lines: [{ line: 1, accountId: 'acct-1001', amount: 1, currency: 'USD' }],
});
const plan = async (...verbsBefore: readonly string[]) => {
  const planId = String((await post('/v1/plans', aPlan())).planId);
  for (const verb of verbsBefore) await post(`/v1/plans/${planId}/${verb}`);
  return { params: { planId } };
};
const payee = { provider: 'alibaba_cloud', to: '77', currency: 'CNY' };
async function accountWithPayee(): Promise<string> {
  const accountId = account();
  await ingress.call('PUT', `/v1/accounts/${accountId}/payee`, { key, body: payee });
  return accountId;
}

const ways: Readonly<Record<string, () => Way | Promise<Way>>> = {
  createRecharge: () => ({ body: aRecharge({ orderReference: `repeats-${made++}` }) }),
  charge: () => ({
    body: { account_id: account(), amount: 1, currency: 'USD', payment_method: 'sandbox' },
  }),
  cancelRecharge: async () => ({ params: { id: await reported() } }),
  recheckRecharge: async () => ({ params: { id: await reported('submit', 'accepted') } }),
  createRefund: async () => ({ params: { id: await settled() }, body: { reason: `no need ${made++}` } }),
  setPayee: () => ({ params: { accountId: account() }, body: payee }),
  removePayee: async () => ({ params: { accountId: await accountWithPayee() } }),
  resolveCase: async () => ({
    params: { caseId: await openCase() },
    body: { verb: 'dismiss', reason: 'nothing to do' },
  }),
  createReconciliation: () => ({
    body: { provider: 'sandbox', from: `2026-10-01T00:00:${10 + made++}Z`, to: '2026-10-02T00:00:00Z' },
  }),
  createCallbackEndpoint: () => ({ body: { url: `https://93.184.216.34/${made++}` } }),
  removeCallbackEndpoint: async () => ({ params: { endpointId: await endpoint() } }),
  rotateCallbackEndpoint: async () => ({ params: { endpointId: await endpoint() } }),
  replayCallbackEndpoint: async () => ({
    params: { endpointId: await endpoint() },
    body: { since: '2026-11-21T22:00:00Z' },
  }),
  rotateCallbackSecret: () => ({}),
  replayCallbackDelivery: async () => ({ params: { deliveryId: await delivery() } }),
  createRule: () => ({ body: aRule() }),
  changeRule: async () => ({ ...(await rule()), body: { below: 900 } }),
  removeRule: () => rule(),
  pauseRule: () => rule(),
  resumeRule: () => rule('pause'),
  stopRules: () => ({}),
  startRules: () => ({}),
  createPlan: () => ({ body: aPlan() }),
  startPlan: () => plan(),
  pausePlan: () => plan('start'),
  resumePlan: () => plan('start', 'pause'),
  cancelPlan: () => plan('start'),
};

const wayOf = async ({ described }: Change): Promise<Way> => {
  const way = ways[described.operationId.replace(/Alias$/, '')];
  if (!way) throw new Error(`${described.operationId} has no request here that can be carried out`);
  return way();
};

const send = (
  { method, path }: Pick<Change, 'method' | 'path'>,
  { params = {}, body }: Way,
  idempotencyKey: string,
  by = key,
) =>
  ingress.call(
    method,
    path.replace(/\{(\w+)\}/, (_, name: string) => params[name]!),
    {
      key: by,
      headers: { 'idempotency-key': idempotencyKey },
      ...(body !== undefined && { body }),
    },
  );

const isRepeated = ({ headers }: Answer): boolean => headers.get('idempotent-replayed') === 'true';
const statusAgain = (status: number): number => (status === 204 ? 204 : 200);

/** What an answer is about. What creates something answers with its present state, which may have other times. */
const subjectOf = ({ headers, body }: Answer): unknown =>
  headers.get('location') ?? body.transaction_id ?? body.caseId;

test('each route that changes something remembers its key, in what it creates or with its answer', () => {
  expect(changes.filter((one) => keyOf(one) === '')).toEqual([]);
  expect(verbs.length).toBeGreaterThanOrEqual(18);
  expect(changes.length).toBeGreaterThan(verbs.length + 7);
});

describe.each(changes)('$method $path', (change) => {
  test('gives its first answer to the same request with the same key', async () => {
    const [way, idempotencyKey] = [await wayOf(change), randomUUID()];
    const first = await send(change, way, idempotencyKey);
    expect([200, 201, 202, 204]).toContain(first.status);
    const second = await send(change, way, idempotencyKey);
    expect([second.status, isRepeated(second)]).toEqual([statusAgain(first.status), true]);
    if (isVerb(change)) expect(second.text).toBe(first.text);
    else expect([subjectOf(second), subjectOf(first)]).toEqual([subjectOf(first), expect.anything()]);
  });

  test('refuses another request with the same key', async () => {
    const idempotencyKey = randomUUID();
    expect((await send(change, await wayOf(change), idempotencyKey)).status).toBeLessThan(300);
    const isAlone = Object.keys(await wayOf(change)).length === 0;
    const other = isAlone
      ? { method: 'POST', path: `/v1/rules/${await rule().then((one) => one.params.ruleId)}/pause` }
      : change;
    const answer = await send(other, isAlone ? {} : await wayOf(change), idempotencyKey);
    expectProblem(answer, 422, 'DUPLICATE_REQUEST');
  });

  test('knows no key of another client', async () => {
    const [way, idempotencyKey] = [await wayOf(change), randomUUID()];
    const first = await send(change, way, idempotencyKey);
    const theirs = await send(change, way, idempotencyKey, await ingress.client());
    expect([200, 201, 202, 204, 404, 409]).toContain(theirs.status);
    if (!isVerb(change) && theirs.status < 300) expect(subjectOf(theirs)).not.toEqual(subjectOf(first));
    if (isVerb(change) && theirs.status < 300) expect(await kept(idempotencyKey)).toHaveLength(2);
  });
});

const kept = (idempotencyKey: string) =>
  ingress.sql('select status, body from answered_key where idempotency_key = $1', [idempotencyKey]);

describe.each(verbs)('$method $path', (verb) => {
  test('a process that dies between the effect and the answer leaves no error to the repeat', async () => {
    const [way, idempotencyKey] = [await wayOf(verb), randomUUID()];
    const first = await send(verb, way, idempotencyKey);
    await ingress.sql(
      'update answered_key set status = null, root = null, body = null where idempotency_key = $1',
      [idempotencyKey],
    );
    const second = await send(verb, way, idempotencyKey);
    expect([second.status, isRepeated(second)]).toEqual([statusAgain(first.status), true]);
    const third = await send(verb, way, idempotencyKey);
    expect([third.status, third.text]).toEqual([second.status, second.text]);
  });

  test('a refused request uses up no key', async () => {
    const [way, idempotencyKey] = [await wayOf(verb), randomUUID()];
    const names = Object.keys(way.params ?? {}).filter((name) => name !== 'accountId');
    const unknown = { ...way, params: Object.fromEntries(names.map((name) => [name, randomUUID()])) };
    if (names.length > 0) expectProblem(await send(verb, unknown, idempotencyKey), 404, 'NOT_FOUND');
    expect(await kept(idempotencyKey)).toEqual([]);
    const first = await send(verb, way, idempotencyKey);
    expect(first.status).toBeLessThan(300);
  });
});

test('requests that come at once with one key have one answer', async () => {
  const [id, idempotencyKey] = [await reported('submit', 'accepted'), randomUUID()];
  const recheck = { method: 'POST', path: '/v1/recharges/{id}/recheck' };
  const answers = await Promise.all([1, 2, 3].map(() => send(recheck, { params: { id } }, idempotencyKey)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 202]);
  expect(answers.filter(isRepeated)).toHaveLength(2);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
});

test('no secret is kept with a key', async () => {
  const idempotencyKey = randomUUID();
  const rotate = { method: 'POST', path: '/v1/callback-secret/rotate' };
  const first = await send(rotate, {}, idempotencyKey);
  const later = await send(rotate, {}, randomUUID());
  expect(later.body.secret).not.toBe(first.body.secret);
  expect(await kept(idempotencyKey)).toEqual([{ status: 200, body: null }]);
  // The repeat of an earlier rotation makes no third secret.
  expect((await send(rotate, {}, idempotencyKey)).body.secret).toBe(later.body.secret);
});

test('a repeat in XML is the same answer in XML', async () => {
  const [{ params }, headers] = [
    await rule(),
    { 'idempotency-key': randomUUID(), accept: 'application/xml' },
  ];
  const path = `/v1/rules/${params.ruleId}/pause`;
  const first = await ingress.call('POST', path, { key, headers });
  const second = await ingress.call('POST', path, { key, headers });
  expect([first.status, second.status, second.text]).toEqual([200, 200, first.text]);
  expect(first.text).toContain('<status>paused</status>');
});
