import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { News } from '../../src/core/recharge.js';
import type { RechargeReport, RuleView } from '../../src/index.js';
import { type Books, newRefund, openBooks, recharged as paidOut, reportOf } from '../support/books.js';
import { KEY, KEY_ROW, newRule, VIEWER } from '../support/rules.js';

let books: Books;
let domain: Books['domain'];
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
  domain = books.open({
    ruleBackoffMs: 1,
    lastingDeclines: {
      no_such_account: 'payee_gone',
      must_confirm: 'payer_needed',
      lost_card: 'source_gone',
    },
  });
});
afterAll(() => books.close());

const look = (id: string) => domain.rules.look(id, () => ({ provider: 'sandbox', providerAccount: 'main' }));

/** Makes a rule, lets it recharge, and reports what becomes of the recharge. Returns the rule's id. */
async function recharged(...heard: readonly [News, Partial<RechargeReport>?][]): Promise<string> {
  const made = await domain.rules.create(newRule({ accountId: `acct-${uuidv7()}` }));
  if (!made.ok) throw new Error(made.problem);
  await heardOf(made.rule.id, ...heard);
  return made.rule.id;
}

async function heardOf(ruleId: string, ...heard: readonly [News, Partial<RechargeReport>?][]) {
  const looked = await look(ruleId);
  expect(looked!.decision.decided).toBe('recharge');
  for (const [news, over] of [['submit'], ...heard] as const)
    await domain.applyNews(reportOf(looked!.decision.transactionId!, news, over));
}

const declined = (message: string): [News, Partial<RechargeReport>] => [
  'declined',
  { failure: { code: 'PAYMENT_FAILED', message } },
];

test.each([
  ['PAYEE_GONE', 'no_such_account: the account was closed'],
  ['AUTHENTICATION_REQUIRED', 'must_confirm'],
  ['SOURCE_REFUSED', 'lost_card: do not ask again'],
])('a first decline that lasts pauses a rule at once: %s', async (reason, message) => {
  const id = await recharged(declined(message));
  expect(await look(id)).toMatchObject({ pause: reason });
  expect(await domain.rules.one(id, VIEWER)).toMatchObject({ status: 'paused', pausedBecause: reason });
  await domain.rules.resume(id, VIEWER, { keyId: KEY, actor: 'books' });
  expect(await look(id)).toMatchObject({ decision: { decided: 'recharge' } });
});

test('any other decline is followed by a pause that ends by itself', async () => {
  const id = await recharged(declined('insufficient_funds: no_such_account'));
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await look(id)).toMatchObject({ decision: { decided: 'recharge' } });
});

test('a recharge that nobody paid pauses its rule, so that no second one asks the payer', async () => {
  const payableUntil = new Date('2026-01-01T00:00:00Z');
  const id = await recharged(['accepted', { payableUntil }], ['canceled']);
  expect(await look(id)).toMatchObject({ pause: 'AUTHENTICATION_REQUIRED' });
});

test('an unknown outcome is no decline: the rule waits for it', async () => {
  const id = await recharged(['unknown']);
  expect(await look(id)).toMatchObject({
    decision: { because: 'UNDER_WAY', numbers: { declines: 0 } },
  });
});

test('a recharge that a person ended as failed is no decline', async () => {
  const id = await recharged(['unknown'], ['declined', { source: 'operator' }]);
  expect(await look(id)).toMatchObject({ decision: { decided: 'recharge', numbers: { declines: 0 } } });
});

describe('after newer recharges', () => {
  let rule: RuleView;
  let first: string;
  beforeEach(async () => {
    const made = await domain.rules.create(newRule({ accountId: `acct-${uuidv7()}` }));
    if (!made.ok) throw new Error(made.problem);
    ({ rule } = made);
    first = await filled();
    await filled();
  });

  /** Lets the rule fill its wallet, and uses the money up. Returns the recharge. */
  async function filled(): Promise<string> {
    const looked = await look(rule.id);
    const { transactionId, amountMinor } = looked!.decision;
    for (const news of ['submit', 'settled'] as const) await domain.applyNews(reportOf(transactionId!, news));
    const use = { kind: 'deliver', paymentMethod: 'balance', amountMinor: amountMinor! - 10n } as const;
    await paidOut(domain, { accountId: rule.accountId, ...use });
    return transactionId!;
  }
  async function payBack(of: string): Promise<string> {
    const refund = newRefund(of, { amountMinor: 1n });
    expect(await domain.createRefund(refund)).toMatchObject({ ok: true });
    return refund.id;
  }
  const resume = () => domain.rules.resume(rule.id, VIEWER, { keyId: KEY, actor: 'books' });

  test('money that is paid back of an older one pauses the rule', async () => {
    await payBack(first);
    expect(await look(rule.id)).toMatchObject({ pause: 'PAID_BACK' });
    await resume();
    expect(await look(rule.id)).toMatchObject({ decision: { decided: 'recharge' } });
  });

  test('money that is paid back after a person has resumed the rule pauses it again', async () => {
    await domain.rules.pause(rule.id, VIEWER);
    await resume();
    await payBack(first);
    expect(await look(rule.id)).toMatchObject({ pause: 'PAID_BACK' });
  });

  test('money that was not paid back after all pauses nothing', async () => {
    await domain.applyNews(reportOf(await payBack(first), 'withdraw', { source: 'client' }));
    expect(await look(rule.id)).toMatchObject({ decision: { decided: 'recharge' } });
  });

  test('a question about an older one holds the rule back until it is answered', async () => {
    await domain.applyNews(reportOf(first, 'declined', { source: 'webhook' }));
    expect((await domain.reads.recharge(first))!.openCases).toHaveLength(1);
    expect(await look(rule.id)).toMatchObject({ pause: null, decision: { because: 'CASE_OPEN' } });
  });
});
