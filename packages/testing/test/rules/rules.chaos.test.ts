import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { bearer, client } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { killAndRevive, openStage, patience, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

// The queues are on Postgres, and also on Redis where there is one.
const redis = process.env.REDIS_URL;
const queues = [['Postgres', null] as const, ...(redis ? [['Redis', redis] as const] : [])];

const scopes = [
  ...['recharges:write', 'recharges:read', 'balances:read', 'payees:write'],
  ...['rules:read', 'rules:write', 'rules:admin'],
];
const processes = [
  ...['sandbox', 'ingress', 'submission-worker', 'webhook-worker'],
  ...['reconciliation-worker', 'automation-worker'],
] as Stage['fleet']['process'] extends (name: infer Name, ...rest: never[]) => unknown ? Name[] : never;

type RuleShown = Readonly<{ ruleId: string; status: string; pausedBecause: string | null }>;
type DecisionShown = Readonly<{
  decided: string;
  because: string;
  amount: number;
  transactionId: string | null;
}>;

describe.each(queues)('with the queues on %s', (_name, redisUrl) => {
  let stage: Stage;
  let key: NewKey;
  beforeAll(async () => {
    // The rules look rarely, so a recharge that comes sooner was caused by the watch on the wallets.
    const env = { ...patience, RULE_LOOK_MS: '60000', RULE_BACKOFF_MS: '300' };
    stage = await openStage({ redisUrl, processes, env });
    key = await client(stage.fleet, { scopes });
  });
  afterAll(() => stage?.close());

  async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(stage.fleet.ingressUrl + path, {
      method,
      headers: {
        'content-type': 'application/json',
        authorization: bearer(key),
        'idempotency-key': `k-${Math.random()}`,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }
  const rule = (accountId: string, over: object = {}) =>
    call<RuleShown>('POST', '/v1/rules', {
      ...{ accountId, currency: 'USD', watch: 'wallet', below: 1_000, recharge: { upTo: 5_000 } },
      ...{ caps: { perRecharge: 5_000, perDay: 50_000, perMonth: 100_000 }, ...over },
    });
  const decisions = async (ruleId: string) =>
    (await call<{ data: DecisionShown[] }>('GET', `/v1/rules/${ruleId}/decisions?limit=100`)).data;
  const available = async (accountId: string) => {
    const { rows } = await stage.db.query<{ available: string }>(
      'select available from report.wallets where account_id = $1',
      [accountId],
    );
    return Number(rows[0]?.available ?? 0);
  };
  const fills = (accountId: string, amount: number) =>
    until(
      async () => (await available(accountId)) === amount,
      { limitMs: 20_000, everyMs: 50 },
      `${amount} in ${accountId}`,
    );
  const madeFor = async (accountId: string) => {
    const { rows } = await stage.db.query<{ state: string; amount: string }>(
      `select state, amount from report.recharges where account_id = $1 and kind = 'collect' order by created_at`,
      [accountId],
    );
    return rows;
  };

  test('a rule saved while the balance is low fills the wallet, and fills it again once it was used up', async () => {
    const { ruleId } = await rule('acct-low');
    await fills('acct-low', 5_000);
    const spend = { accountId: 'acct-low', amount: 4_500, currency: 'USD', paymentMethod: 'balance' };
    await call('POST', '/v1/recharges', spend);
    await until(
      async () => (await madeFor('acct-low')).length === 2,
      { limitMs: 20_000, everyMs: 20 },
      'a second recharge',
    );
    const { rows } = await stage.db.query<{ tookMs: string }>(
      `select 1000 * extract(epoch from max(decision.at) - max(posting.at)) as "tookMs"
         from report.rule_decisions decision, report.postings posting
         where decision.rule_id = $1 and decision.decided = 'recharge'
           and posting.slot = 'hold' and posting.debit_account = 'wallet:acct-low:available'`,
      [ruleId],
    );
    expect(Number(rows[0]!.tookMs)).toBeLessThan(2_000);
    await fills('acct-low', 5_000);
    expect((await decisions(ruleId)).filter(({ decided }) => decided === 'recharge')).toMatchObject([
      { because: 'BELOW_THRESHOLD', amount: 4_500 },
      { because: 'BELOW_THRESHOLD', amount: 5_000 },
    ]);
  });

  test('declines are repeated after pauses, and then pause the rule', async () => {
    const { ruleId } = await rule('acct-declined', { metadata: { scenario: 'declined' } });
    const paused = () => call<RuleShown>('GET', `/v1/rules/${ruleId}`);
    await until(
      async () => (await paused()).status === 'paused',
      { limitMs: 30_000, everyMs: 100 },
      'a pause',
    );
    expect(await paused()).toMatchObject({ pausedBecause: 'DECLINED_REPEATEDLY' });
    expect(await madeFor('acct-declined')).toMatchObject(Array(3).fill({ state: 'FAILED' }));
  });

  test('after a stop no rule makes a recharge', async () => {
    await call('POST', '/v1/rules/stop');
    const { ruleId } = await rule('acct-stopped');
    await until(async () => (await decisions(ruleId)).length > 0, { limitMs: 20_000 }, 'a decision');
    expect(await decisions(ruleId)).toMatchObject([{ decided: 'held_back', because: 'STOPPED' }]);
    await call('POST', '/v1/rules/start');
    await call('POST', `/v1/rules/${ruleId}/pause`);
    await call('POST', `/v1/rules/${ruleId}/resume`);
    await fills('acct-stopped', 5_000);
  });

  test('a worker that dies between the look and the decision, or after it, makes one recharge', async () => {
    for (const point of ['automation.before-decision', 'automation.after-decision']) {
      stage.fleet.arm(point);
      const accountId = `acct-${point}`;
      await rule(accountId);
      await stage.fleet.crashed(point, 30_000);
      await fills(accountId, 5_000);
      expect(await madeFor(accountId)).toHaveLength(1);
    }
    await killAndRevive(stage.fleet, 'automation-worker');
    await rule('acct-after-kill');
    await fills('acct-after-kill', 5_000);
  });

  test('a payee at the cloud is filled from the source account', async () => {
    const to = `fa-rules-${redisUrl ? 'redis' : 'postgres'}`;
    const control = (body: object) =>
      fetch(`${stage.fleet.sandboxUrl}/_control/alibaba/fund-accounts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await control({ id: to, currency: 'CNY', cash: 300 });
    await call('PUT', `/v1/accounts/acct-${to}/payee`, { provider: 'alibaba_cloud', to, currency: 'CNY' });
    const { ruleId } = await rule(`acct-${to}`, {
      currency: 'CNY',
      watch: 'cloud',
      paymentMethod: 'fund_account',
    });
    const transfers = async () => {
      const response = await fetch(`${stage.fleet.sandboxUrl}/_control/alibaba/transfers?to=${to}`);
      return ((await response.json()) as { transfers: object[] }).transfers;
    };
    // A reading that fails holds the rule back until its next look.
    await until(async () => (await transfers()).length > 0, { limitMs: 150_000, everyMs: 100 }, 'a transfer');
    expect(await transfers()).toMatchObject([{ amount: 4_700, currency: 'CNY' }]);
    expect(await decisions(ruleId)).toContainEqual(
      expect.objectContaining({ decided: 'recharge', amount: 4_700, balance: 300 }),
    );
  }, 180_000);
});
