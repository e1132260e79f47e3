import { describe, expect, test } from '@jest/globals';
import { isWholeFinal, rechargeBody } from '@replenish/assembly';
import { type RechargeView, states } from '@replenish/domain';

const payee = { provider: 'alibaba_cloud', providerAccount: 'main', from: 'fa-main', to: 'fa-1001' };
const now = new Date('2026-11-28T00:00:00Z');

const view = (over: Partial<RechargeView>): RechargeView => ({
  id: '01a2122d-35de-70af-9927-1ae329a0e10b',
  clientId: 'c-1',
  accountId: 'acct-1001',
  kind: 'collect',
  funding: 'wallet',
  state: 'SUCCEEDED',
  confirmation: 'acknowledged',
  openCases: [],
  caseId: null,
  amountMinor: 4_999n,
  currency: 'CNY',
  paymentMethod: 'alipay',
  provider: 'alipay',
  providerAccount: 'main',
  payee,
  providerOrderId: null,
  externalReference: null,
  action: null,
  payableUntil: null,
  nextStep: null,
  dueAt: null,
  waiting: null,
  providerDown: null,
  collectedBy: null,
  refundOf: null,
  refundedMinor: 0n,
  delivery: null,
  failureCode: null,
  failureMessage: null,
  orderReference: null,
  metadata: {},
  createdAt: now,
  updatedAt: now,
  submittedAt: null,
  succeededAt: null,
  failedAt: null,
  canceledAt: null,
  ...over,
});

const delivery = (state: RechargeView['state']): NonNullable<RechargeView['delivery']> => ({
  id: '01a2122d-35de-70af-9927-1ae329a0e10c',
  state,
  confirmation: null,
  nextStep: null,
  waiting: null,
  providerDown: null,
  openCases: [],
  caseId: null,
  dueAt: null,
  updatedAt: now.toISOString(),
  failureCode: state === 'FAILED' ? 'PROVIDER_ERROR' : null,
  failureMessage: state === 'FAILED' ? 'no such account' : null,
});

const providers = { raw: (_provider: string, account: string) => ({ source: `own-of-${account}` }) };
const bodyOf = (recharge: RechargeView) => rechargeBody(recharge, providers);

describe('a collect whose money goes to a cloud', () => {
  test.each([
    ['CREATED', 'in_progress'],
    ['SUBMITTED', 'in_progress'],
    ['PENDING_CONFIRMATION', 'in_progress'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
    ['CANCELED', 'failed'],
  ] as const)('with a delivery in %s is %s', (state, status) => {
    const collect = view({ delivery: delivery(state) });
    expect(bodyOf(collect)).toMatchObject({ state: 'SUCCEEDED', status, destination: 'cloud' });
    expect(isWholeFinal(collect)).toBe(status !== 'in_progress');
  });

  test('has its own status without a delivery, because a person adopted its money', () => {
    expect(bodyOf(view({})).status).toBe('succeeded');
  });

  test('says that the money is in the wallet when the delivery failed', () => {
    expect(bodyOf(view({ delivery: delivery('FAILED') })).failure).toEqual({
      code: 'PROVIDER_ERROR',
      message: 'The money was collected and is in the wallet; its delivery failed. no such account',
    });
    expect(bodyOf(view({ delivery: delivery('CANCELED') })).failure?.message).toMatch(/in the wallet/);
    expect(bodyOf(view({ delivery: delivery('SUCCEEDED') })).failure).toBeNull();
  });
});

test('without a destination at a cloud, the status is that of the state', () => {
  const statuses = states.map((state) => bodyOf(view({ state, payee: null })).status);
  expect(statuses).toEqual(['accepted', 'in_progress', 'in_progress', 'succeeded', 'failed', 'canceled']);
});

test('a delivery names the accounts at the provider, and a collect does not', () => {
  expect(bodyOf(view({ kind: 'deliver' }))).toMatchObject({
    status: 'succeeded',
    source: 'fa-main',
    target: 'fa-1001',
  });
  const own = { ...payee, from: null };
  expect(bodyOf(view({ kind: 'deliver', payee: own })).source).toBe('own-of-main');
  const unknown = { raw: () => undefined };
  expect(rechargeBody(view({ kind: 'deliver', payee: own }), unknown).source).toBeNull();
  expect(bodyOf(view({ kind: 'deliver', payee: null })).source).toBeNull();
  expect(bodyOf(view({}))).toMatchObject({ source: null, target: null });
});

test('a recall is shown as a refund', () => {
  expect(bodyOf(view({ kind: 'recall', payee: null })).kind).toBe('refund');
});

test.each([
  [
    'a case that stops it',
    { openCases: ['wrong_amount'], caseId: 'c-9' },
    { reason: 'PERSON', caseId: 'c-9' },
  ],
  [
    'its payer',
    { action: { type: 'qr_code', value: 'https://qr', expiresAt: '2026-11-28T01:00:00.000Z' } },
    { reason: 'PAYER', until: '2026-11-28T01:00:00.000Z' },
  ],
  ['an answer', { confirmation: 'unknown', dueAt: now }, { reason: 'ANSWER', until: now.toISOString() }],
  [
    'its provider to answer again',
    {
      confirmation: 'unknown',
      providerDown: { since: '2026-11-28T00:01:00.000Z', until: '2026-11-28T00:01:05.000Z' },
    },
    { reason: 'PROVIDER_DOWN', since: '2026-11-28T00:01:00.000Z', until: '2026-11-28T00:01:05.000Z' },
  ],
  [
    'a proof',
    {
      waiting: {
        ...{ reason: 'PROOF', done: 1, needed: 3, since: '2026-11-27T23:00:00Z' },
        notBefore: '2026-11-28T00:10:00.000Z',
      },
    },
    {
      ...{ reason: 'PROOF', since: '2026-11-27T23:00:00.000Z', until: '2026-11-28T00:10:00.000Z' },
      detail: expect.stringContaining('1 of 3'),
    },
  ],
] as [string, Partial<RechargeView>, object][])('an unfinished recharge waits for %s', (_, over, waiting) => {
  const recharge = view({ state: 'PENDING_CONFIRMATION', payee: null, nextStep: 'ask', ...over });
  expect(bodyOf(recharge).waiting).toMatchObject(waiting);
});

test('a collect waits for what its delivery waits for, and names it', () => {
  const { id } = delivery('CREATED');
  expect(bodyOf(view({ delivery: delivery('CREATED') })).waiting).toMatchObject({
    reason: 'DELIVERY',
    transactionId: id,
  });
  const waiting = { reason: 'SOURCE_FUNDS', since: '2026-11-27T23:00:00Z' } as const;
  expect(bodyOf(view({ delivery: { ...delivery('CREATED'), waiting } })).waiting).toMatchObject({
    reason: 'SOURCE_FUNDS',
    transactionId: id,
  });
  expect(bodyOf(view({ delivery: delivery('SUCCEEDED') })).waiting).toBeNull();
});

test('the message of a wrong amount never says that nothing was credited, with a case open or not', () => {
  const failed = { state: 'FAILED', failureCode: 'WRONG_AMOUNT', failureMessage: 'in the wallet' } as const;
  const messageOf = (openCases: RechargeView['openCases']) => bodyOf(view({ ...failed, openCases })).message;
  expect(messageOf([])).toMatch(/^The recharge failed, because another amount was paid\./);
  expect(messageOf(['statement_different'])).toMatch(
    /^The recharge failed, because another amount was paid\..*A person/,
  );
});
