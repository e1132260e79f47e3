import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
let key: Awaited<ReturnType<Ingress['client']>>;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({});
});
afterAll(() => ingress.close());

const body = (over: object = {}) => ({
  ...{ accountId: 'acct-1001', currency: 'USD', watch: 'wallet', below: 1_000, recharge: { upTo: 5_000 } },
  caps: { perRecharge: 5_000, perDay: 20_000, perMonth: 100_000 },
  ...over,
});
const send = (method: string, path: string, given?: object, more: object = {}) =>
  ingress.call(method, path, { key, ...(given && { body: JSON.stringify(given) }), ...more });
const create = (over: object = {}, headers: Record<string, string> = {}) =>
  send('POST', '/v1/rules', body(over), { headers: { 'content-type': 'application/json', ...headers } });
const made = async (over: object = {}): Promise<string> => {
  const answer = await create(over);
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.ruleId as string;
};

test('a rule is stored with what was left out, and says what it will do next', async () => {
  const answer = await create();
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toBe(`/v1/rules/${answer.body.ruleId}`);
  expect(answer.body).toMatchObject({
    ...body(),
    caps: { perRecharge: 5_000, perDay: 20_000, perMonth: 100_000, timesPerDay: null, timesPerMonth: null },
    ...{ paymentMethod: 'sandbox', destination: 'wallet', mode: 'execute', cooldownSeconds: 0 },
    ...{
      balance: 'available',
      quietHours: null,
      timeZone: 'UTC',
      expiresAt: null,
      status: 'active',
      pausedBecause: null,
    },
    ...{ lastDecision: null, next: 'recharge', metadata: {}, isStopped: false },
    forecast: {
      balance: 0,
      burnPerDay: null,
      runsOutAt: null,
      note: expect.stringContaining('not enough history'),
    },
    consent: { actor: expect.stringContaining(key.keyId), termsVersion: 1 },
  });
});

test.each([
  [{ recharge: { upTo: 1_000 } }, 'recharge.upTo'],
  [{ recharge: { amount: 999 } }, 'recharge.amount'],
  [{ recharge: {} }, 'recharge'],
  [{ recharge: { amount: 2_000, upTo: 2_000 } }, 'recharge'],
  [{ recharge: { amount: 6_000 } }, 'caps.perRecharge'],
  [{ caps: { perRecharge: 5_000, perDay: 20_000 } }, 'caps.perMonth'],
  [{ caps: undefined }, 'caps'],
  [{ below: 0 }, 'below'],
  [{ below: 10.5 }, 'below'],
  [{ below: '1000' }, 'below'],
  [{ watch: 'bank' }, 'watch'],
  [{ mode: 'maybe' }, 'mode'],
  [{ destination: 'cloud' }, 'destination'],
  [{ paymentMethod: 'balance' }, 'destination'],
  [{ watch: 'cloud', paymentMethod: 'fund_account' }, 'watch'],
  [{ timeZone: 'Nowhere' }, 'timeZone'],
  [
    { timeZone: 'UTC', quietHours: { from: '22:00', to: '06:00', timeZone: 'Asia/Shanghai' } },
    'quietHours.timeZone',
  ],
  [{ quietHours: { from: '25:00', to: '06:00' } }, 'quietHours.from'],
  [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
  [{ cooldownSeconds: -1 }, 'cooldownSeconds'],
  [{ runwayDays: 0 }, 'runwayDays'],
  [{ balance: 'cash' }, 'balance'],
  [{ balance: 'credit' }, 'balance'],
  [{ speed: 1 }, 'speed'],
])('%j is refused, and %s is named', async (over, path) => {
  const answer = await create(over);
  expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_ARGUMENT']);
  expect(answer.body.errors).toContainEqual({ path, message: expect.any(String) });
});

test('the same key and body are the same rule', async () => {
  const first = await create({}, { 'idempotency-key': 'rule-1' });
  const again = await create({}, { 'idempotency-key': 'rule-1' });
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  expect(again.body.ruleId).toBe(first.body.ruleId);
  const other = await create({ below: 900 }, { 'idempotency-key': 'rule-1' });
  expect([other.status, other.body.code]).toEqual([422, 'DUPLICATE_REQUEST']);
});

test('XML has the same fields', async () => {
  const xml = `<rule><accountId>acct-1001</accountId><currency>USD</currency><watch>wallet</watch><below>1000</below>
    <recharge><upTo>5000</upTo></recharge>
    <caps><perRecharge>5000</perRecharge><perDay>20000</perDay><perMonth>100000</perMonth></caps></rule>`;
  const answer = await ingress.call('POST', '/v1/rules', {
    ...{ key, body: xml, headers: { 'content-type': 'application/xml', accept: 'application/xml' } },
  });
  expect([answer.status, answer.text]).toEqual([201, expect.stringMatching(/^<\?xml.*\n<rule><ruleId>/)]);
  expect(answer.text).toContain('<recharge><upTo>5000</upTo></recharge>');
});

describe('one rule', () => {
  test('is changed by its fields, as a new consent', async () => {
    const id = await made({ cooldownSeconds: 60 });
    const change = { below: 2_000, caps: { perDay: 9_000 } };
    const headers = { 'content-type': 'application/json' };
    const answer = await send('PATCH', `/v1/rules/${id}`, change, { headers });
    expect(answer.body).toMatchObject({
      ...{
        below: 2_000,
        cooldownSeconds: 60,
        caps: { perRecharge: 5_000, perDay: 9_000, perMonth: 100_000 },
      },
      consent: { termsVersion: 2 },
    });
    const wrong = await send('PATCH', `/v1/rules/${id}`, { below: 5_000 }, { headers });
    expect([wrong.status, wrong.body.errors]).toEqual([
      400,
      [{ path: 'recharge.upTo', message: expect.any(String) }],
    ]);
    expect((await send('PATCH', `/v1/rules/${id}`, { accountId: 'acct-2' }, { headers })).status).toBe(400);
  });

  test('is paused whatever the request holds, and resumed', async () => {
    const id = await made();
    const paused = await ingress.call('POST', `/v1/rules/${id}/pause`, { key, body: '{"what":' });
    expect(paused.body).toMatchObject({ status: 'paused', pausedBecause: 'BY_REQUEST' });
    expect(paused.headers.get('idempotent-replayed')).toBeNull();
    expect((await send('POST', `/v1/rules/${id}/pause`)).headers.get('idempotent-replayed')).toBe('true');
    const resumed = await send('POST', `/v1/rules/${id}/resume`);
    expect(resumed.body).toMatchObject({ status: 'active', pausedBecause: null });
    expect(resumed.headers.get('idempotent-replayed')).toBeNull();
    expect((await send('POST', `/v1/rules/${id}/resume`)).headers.get('idempotent-replayed')).toBe('true');
  });

  test('is gone after DELETE, and its account may have another', async () => {
    const id = await made();
    expect((await send('DELETE', `/v1/rules/${id}`)).status).toBe(204);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['GET', '/decisions'],
    ] as const)
      expect([path, (await send(method, `/v1/rules/${id}${path}`)).status]).toEqual([path, 404]);
  });

  test('shows its decisions newest first, page by page', async () => {
    const id = await made();
    const looks = ['recharge', 'held_back', 'held_back'];
    for (const decided of looks) {
      const looked = await ingress.domain.rules.look(id, () => ({
        provider: 'sandbox',
        providerAccount: 'main',
      }));
      expect(looked?.decision.decided).toBe(decided);
    }
    const first = await send('GET', `/v1/rules/${id}/decisions?limit=2`);
    expect(first.body.data).toMatchObject([
      { seq: 3, decided: 'held_back', because: 'UNDER_WAY', transactionId: null },
      { seq: 2, decided: 'held_back' },
    ]);
    const second = await send('GET', `/v1/rules/${id}/decisions?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({
      data: [{ seq: 1, balance: 0, decided: 'recharge', because: 'BELOW_THRESHOLD', amount: 5_000 }],
      nextCursor: null,
    });
    const { lastDecision } = (await send('GET', `/v1/rules/${id}`)).body as unknown as {
      lastDecision: object;
    };
    expect(lastDecision).toMatchObject({
      seq: 3,
      numbers: { below: 1_000, spentInDay: 5_000, timesInDay: 1 },
    });
  });
});

test('a key sees the rules of its client on its accounts only', async () => {
  const id = await made({ accountId: 'acct-9001' });
  const narrow = await ingress.client({ accounts: ['acct-1*'] });
  for (const stranger of [narrow, await ingress.client({})])
    expect((await ingress.call('GET', `/v1/rules/${id}`, { key: stranger })).status).toBe(404);
  const foreign = await ingress.call('POST', '/v1/rules', {
    key: narrow,
    body: JSON.stringify(body({ accountId: 'acct-9' })),
  });
  expect(foreign.status).toBe(403);
  const listed = await send('GET', '/v1/rules?accountId=acct-9001');
  expect(listed.body).toMatchObject({ data: [{ ruleId: id }], nextCursor: null });
});

test('all rules are stopped and started by one call each, and each rule shows it', async () => {
  const id = await made();
  const stopped = await ingress.call('POST', '/v1/rules/stop', { key, body: 'anything' });
  expect([stopped.status, stopped.body]).toEqual([200, { isStopped: true }]);
  expect((await send('GET', `/v1/rules/${id}`)).body).toMatchObject({ isStopped: true });
  expect(
    (await ingress.domain.rules.look(id, () => ({ provider: 'sandbox', providerAccount: 'main' })))?.decision
      .because,
  ).toBe('STOPPED');
  expect((await send('POST', '/v1/rules/start')).body).toEqual({ isStopped: false });
  const isReplayed = async (verb: 'start' | 'stop') =>
    (await send('POST', `/v1/rules/${verb}`)).headers.get('idempotent-replayed');
  const verbs = ['start', 'stop', 'stop', 'start', 'start'] as const;
  const replayed = [];
  for (const verb of verbs) replayed.push(await isReplayed(verb));
  expect([stopped.headers.get('idempotent-replayed'), ...replayed]).toEqual([
    ...[null, 'true', null, 'true', null],
    'true',
  ]);
});

test('a dry run stores nothing, and tells what the rule would have done', async () => {
  const before = (await send('GET', '/v1/rules?limit=100')).body.data as object[];
  const headers = { 'content-type': 'application/json' };
  const answer = await send('POST', '/v1/rules?dryRun=true', body({ accountId: 'acct-dry' }), { headers });
  expect([answer.status, answer.body]).toMatchObject([
    200,
    {
      ...{ wouldBe: 'accepted', next: 'recharge', because: 'BELOW_THRESHOLD', amount: 5_000, balance: 0 },
      backTest: { balances: 0, recharges: [], total: 0, note: expect.stringContaining('not enough history') },
    },
  ]);
  const cloud = body({ watch: 'cloud', paymentMethod: 'fund_account' });
  const refused = await send('POST', '/v1/rules?dryRun=true', cloud, { headers });
  expect(refused.body).toMatchObject({ wouldBe: 'refused', checks: [{ name: 'payee', ok: false }, {}] });
  expect((await send('GET', '/v1/rules?limit=100')).body.data).toHaveLength(before.length);
});

describe('a rule on the cash of a cloud account', () => {
  const asked = (accountId: string) =>
    body({ accountId, currency: 'CNY', watch: 'cloud', paymentMethod: 'fund_account', balance: 'cash' });
  const headers = { 'content-type': 'application/json' };
  const paid = async (at: Ingress, accountId: string) => {
    const payee = { accountId, provider: 'alibaba_cloud', providerAccount: 'main', to: 'fa-1', from: null };
    await at.domain.payees.set({ ...payee, currency: 'CNY' }, key.keyId);
  };

  test('is stored where the provider tells the cash', async () => {
    const telling = await openIngress({
      providerSettings: {
        ...{ ALIBABA_CLOUD_ENDPOINT: 'http://127.0.0.1:9', ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main' },
        ALIBABA_CLOUD_RAIL: 'fund_account',
      },
    });
    const own = await telling.client({});
    await paid(telling, 'acct-cash');
    const sent = { key: own, body: JSON.stringify(asked('acct-cash')), headers };
    const answer = await telling.call('POST', '/v1/rules', sent);
    expect([answer.status, answer.body]).toMatchObject([201, { balance: 'cash', watch: 'cloud' }]);
    const path = `/v1/rules/${answer.body.ruleId}`;
    const xml = await telling.call('GET', path, { key: own, headers: { accept: 'application/xml' } });
    expect(xml.text).toContain('<balance>cash</balance>');
    const change = { key: own, body: '{"balance":"available"}', headers };
    expect((await telling.call('PATCH', path, change)).body).toMatchObject({
      ...{ balance: 'available', consent: { termsVersion: 2 } },
    });
    await telling.close();
  });

  test('is refused where the provider does not tell it, also as a change and as a trial', async () => {
    await paid(ingress, 'acct-one-figure');
    const refused = {
      path: 'balance',
      message: expect.stringContaining('alibaba_cloud does not tell the cash'),
    };
    const answer = await create(asked('acct-one-figure'));
    expect([answer.status, answer.body.errors]).toEqual([400, [refused]]);
    const id = await made({ ...asked('acct-one-figure'), balance: 'available' });
    const changed = await send('PATCH', `/v1/rules/${id}`, { balance: 'cash' }, { headers });
    expect([changed.status, changed.body.errors]).toEqual([400, [refused]]);
    const trial = await send('POST', '/v1/rules?dryRun=true', asked('acct-one-figure'), { headers });
    expect(trial.body).toMatchObject({
      wouldBe: 'refused',
      checks: [
        { name: 'payee', ok: true },
        { name: 'balance', ok: false },
      ],
    });
  });
});
