import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { bearer, client } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { openStage, patience, revived, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let key: NewKey;
beforeAll(async () => {
  stage = await openStage({
    processes: [
      ...(['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const),
      'automation-worker',
    ],
    env: { ...patience, PROVIDER_TIMEOUT_MS: '20000' },
  });
  key = await client(stage.fleet, { scopes: ['payees:write', 'plans:read', 'plans:write'] });
});
afterAll(() => stage?.close());

let keys = 0;
async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(stage.fleet.ingressUrl + path, {
    method,
    headers: {
      ...{ 'content-type': 'application/json', authorization: bearer(key) },
      'idempotency-key': `canary-${++keys}`,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

/** An account whose payee is new. Returns the payee, whose name is also part of the account's. */
async function newPayee(to: string): Promise<string> {
  await fetch(`${stage.fleet.sandboxUrl}/_control/alibaba/fund-accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: to, currency: 'CNY', cash: 0 }),
  });
  await call('PUT', `/v1/accounts/acct-${to}/payee`, { provider: 'alibaba_cloud', to, currency: 'CNY' });
  return to;
}
async function transfersTo(to: string): Promise<number[]> {
  const response = await fetch(`${stage.fleet.sandboxUrl}/_control/alibaba/transfers?to=${to}`);
  const { transfers } = (await response.json()) as { transfers: { amount: number; at: string }[] };
  return transfers.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)).map(({ amount }) => amount);
}

test('a new payee gets the small line first and each line once, although the worker dies in between', async () => {
  const [small, none] = [await newPayee('fa-canary'), await newPayee('fa-no-canary')];
  const lineOf = (line: number, to: string, amount: number) => ({
    ...{ line, accountId: `acct-${to}`, amount, currency: 'CNY', paymentMethod: 'fund_account' },
  });
  const { planId } = await call<{ planId: string }>('POST', '/v1/plans', {
    ...{ name: 'canaries', canary: 100 },
    lines: [lineOf(1, small, 900), lineOf(2, small, 100), lineOf(3, small, 700), lineOf(4, none, 900)],
  });
  const { starts } = stage.fleet.process('automation-worker');
  stage.fleet.arm('plans.after-create');
  await call('POST', `/v1/plans/${planId}/start`);
  await stage.fleet.crashed('plans.after-create', TEST_LIMIT_MS / 4);
  await revived(stage.fleet, 'automation-worker', starts);
  const plan = await until(
    async () => {
      const found = await call<{ status: string; succeeded: number; failed: number }>(
        'GET',
        `/v1/plans/${planId}`,
      );
      return found.status === 'finished' ? found : undefined;
    },
    { limitMs: TEST_LIMIT_MS },
    'the plan finished',
  );
  expect(plan).toMatchObject({ succeeded: 3, failed: 1 });
  const sent = await transfersTo(small);
  expect([sent[0], sent.slice(1).toSorted()]).toEqual([100, [700, 900]]);
  expect(await transfersTo(none)).toEqual([]);
  const { data } = await call<{ data: { line: number; failure: { code: string } | null }[] }>(
    'GET',
    `/v1/plans/${planId}/lines`,
  );
  expect(data.flatMap(({ line, failure }) => (failure ? [[line, failure.code]] : []))).toEqual([
    [4, 'CANARY_MISSING'],
  ]);
});
