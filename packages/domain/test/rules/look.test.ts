import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { NewRule } from '../../src/index.js';
import { type Books, deposit, openBooks, recharged, reportOf, times } from '../support/books.js';
import { KEY, KEY_ROW, newRule, terms, VIEWER } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());

const route = () => ({ provider: 'sandbox', providerAccount: 'main' });
let accounts = 0;
/** Makes a rule on the wallet of a new account that holds an amount. */
async function ruled(holds: bigint, over: Partial<NewRule> = {}) {
  const accountId = `acct-rule-${++accounts}`;
  if (holds > 0n) await deposit(books.domain, accountId, holds);
  const created = await books.domain.rules.create(newRule({ accountId, ...over }));
  if (!created.ok) throw new Error(created.problem);
  return created.rule;
}
const look = (id: string) => books.domain.rules.look(id, route);
const decisionOf = async (id: string) => {
  const looked = await look(id);
  return looked && [looked.decision.decided, looked.decision.because, looked.decision.amountMinor];
};
const shown = (id: string) => books.domain.rules.one(id, VIEWER);

test('a balance below the threshold is recharged up to the amount, once, and the decision names the recharge', async () => {
  const rule = await ruled(400n);
  const looked = await look(rule.id);
  expect(looked?.decision).toMatchObject({
    decided: 'recharge',
    because: 'BELOW_THRESHOLD',
    amountMinor: 4_600n,
  });
  const recharge = await books.domain.reads.recharge(looked!.decision.transactionId!);
  expect(recharge).toMatchObject({ accountId: rule.accountId, amountMinor: 4_600n, state: 'CREATED' });
  expect(await decisionOf(rule.id)).toEqual(['held_back', 'UNDER_WAY', null]);
  await books.domain.applyNews(reportOf(recharge!.id, 'submit'));
  await books.domain.applyNews(reportOf(recharge!.id, 'settled'));
  expect(await decisionOf(rule.id)).toEqual(['nothing', 'ENOUGH', null]);
  const [key] = await books.rows('select idempotency_key from recharge_request where transaction_id = $1', [
    recharge!.id,
  ]);
  expect(key).toEqual({ idempotency_key: `rule ${rule.id} 1` });
});

test('a proposal is a recharge that waits for an approval, and the rule waits for it', async () => {
  const rule = await ruled(400n, { terms: terms({ mode: 'propose' }) });
  const looked = await look(rule.id);
  expect(looked?.decision).toMatchObject({ decided: 'recharge', because: 'BELOW_THRESHOLD' });
  const recharge = await books.domain.reads.recharge(looked!.decision.transactionId!);
  expect(recharge).toMatchObject({ state: 'CREATED', nextStep: 'approve', waiting: { reason: 'APPROVAL' } });
  expect(await decisionOf(rule.id)).toEqual(['held_back', 'UNDER_WAY', null]);
});

test('a recharge of a rule above the limit of its key waits for an approval, too', async () => {
  const rule = await ruled(400n);
  await books.rows(`update api_key set approval_above = '{"USD": "4000"}' where id = $1`, [KEY]);
  const looked = await look(rule.id);
  await books.rows(`update api_key set approval_above = '{}' where id = $1`, [KEY]);
  const recharge = await books.domain.reads.recharge(looked!.decision.transactionId!);
  expect(recharge).toMatchObject({ amountMinor: 4_600n, nextStep: 'approve' });
});

test.each([
  ['of one request', { requestMinor: '4599' }, ['KEY_CEILING', 'KEY_CEILING']],
  [
    'of a day, for all rules of its client together',
    { dayMinor: '9199' },
    ['BELOW_THRESHOLD', 'KEY_CEILING'],
  ],
  ['of a day that leaves just enough', { dayMinor: '9200' }, ['BELOW_THRESHOLD', 'BELOW_THRESHOLD']],
])('a rule is held by the ceiling of its key %s', async (_, ceiling, reasons) => {
  const rules = [await ruled(400n), await ruled(400n)];
  await books.rows('delete from day_counter');
  await books.rows('update api_key set ceilings = $2 where id = $1', [KEY, { USD: ceiling }]);
  const heard = [];
  for (const { id } of rules) heard.push((await look(id))!.decision.because);
  await books.rows(`update api_key set ceilings = '{}' where id = $1`, [KEY]);
  expect(heard).toEqual(reasons);
});

test('a recharge that is too small to be enough is the only one under way', async () => {
  const rule = await ruled(0n, { terms: terms({ caps: { ...terms().caps, perRechargeMinor: 300n } }) });
  expect(await decisionOf(rule.id)).toEqual(['recharge', 'BELOW_THRESHOLD', 300n]);
  expect(await decisionOf(rule.id)).toEqual(['held_back', 'UNDER_WAY', 300n]);
});

test('a balance at the threshold is enough, and every look is stored', async () => {
  const rule = await ruled(1_000n);
  for (const _ of times(3, () => 0)) expect(await decisionOf(rule.id)).toEqual(['nothing', 'ENOUGH', null]);
  const { rows } = await books.domain.rules.decisions(rule.id, { beforeSeq: null, limit: 10 });
  expect(rows.map(({ seq, balanceMinor }) => [seq, balanceMinor])).toEqual([
    [3, 1_000n],
    [2, 1_000n],
    [1, 1_000n],
  ]);
});

test('of many looks at one moment one decides, and one recharge is made', async () => {
  const rule = await ruled(0n);
  const domains = times(4, () => books.open());
  const looked = await Promise.all(
    domains.flatMap((domain) => times(5, () => domain.rules.look(rule.id, route))),
  );
  const made = looked.flatMap((one) => one?.decision.transactionId ?? []);
  expect(made).toHaveLength(1);
  const [row] = await books.rows(
    'select count(*)::int as count from recharge_transaction where account_id = $1',
    [rule.accountId],
  );
  expect(row).toEqual({ count: 1 });
});

test('money under way that others sent counts as there', async () => {
  const rule = await ruled(400n);
  await recharged(books.domain, { accountId: rule.accountId, amountMinor: 600n }, 'submit');
  expect(await decisionOf(rule.id)).toEqual(['held_back', 'UNDER_WAY', 4_000n]);
});

test('money under way in another currency does not', async () => {
  const rule = await ruled(400n);
  const other = { accountId: rule.accountId, amountMinor: 600n, currency: 'CNY' };
  await recharged(books.domain, other, 'submit');
  expect(await decisionOf(rule.id)).toEqual(['recharge', 'BELOW_THRESHOLD', 4_600n]);
});

describe('what stops a rule', () => {
  test('a stop of all rules holds each back, and a start lets it act', async () => {
    const rule = await ruled(0n);
    await books.domain.rules.setStopped(true, 'tester');
    expect(await decisionOf(rule.id)).toEqual(['held_back', 'STOPPED', null]);
    expect((await shown(rule.id))?.isStopped).toBe(true);
    await books.domain.rules.setStopped(false, 'tester');
    expect(await decisionOf(rule.id)).toEqual(['recharge', 'BELOW_THRESHOLD', 5_000n]);
  });

  test('three declines in a row pause it, and resuming forgives them', async () => {
    const rule = await ruled(0n);
    const domain = books.open({ ruleBackoffMs: 1 });
    for (const _ of times(3, () => 0)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const looked = await domain.rules.look(rule.id, route);
      expect(looked?.decision.decided).toBe('recharge');
      await domain.applyNews(reportOf(looked!.decision.transactionId!, 'submit'));
      await domain.applyNews(reportOf(looked!.decision.transactionId!, 'declined'));
    }
    expect(await domain.rules.look(rule.id, route)).toMatchObject({ pause: 'DECLINED_REPEATEDLY' });
    expect(await shown(rule.id)).toMatchObject({ status: 'paused', pausedBecause: 'DECLINED_REPEATEDLY' });
    expect(await domain.rules.look(rule.id, route)).toBeNull();
    await domain.rules.resume(rule.id, VIEWER, { keyId: KEY, actor: 'books' });
    expect(await domain.rules.look(rule.id, route)).toMatchObject({ decision: { decided: 'recharge' } });
  });

  test('a decline is followed by a pause that ends by itself', async () => {
    const rule = await ruled(0n);
    const looked = await look(rule.id);
    await books.domain.applyNews(reportOf(looked!.decision.transactionId!, 'submit'));
    await books.domain.applyNews(reportOf(looked!.decision.transactionId!, 'declined'));
    expect(await decisionOf(rule.id)).toEqual(['held_back', 'BACK_OFF', 5_000n]);
  });

  test('a recharge that was paid back pauses it', async () => {
    const rule = await ruled(0n);
    const looked = await look(rule.id);
    const id = looked!.decision.transactionId!;
    await books.domain.applyNews(reportOf(id, 'submit'));
    await books.domain.applyNews(reportOf(id, 'settled'));
    const refund = { id: uuidv7(), clientId: rule.clientId, idempotencyKey: `back-${id}`, of: id };
    await books.domain.createRefund({ ...refund, amountMinor: null, reason: 'r', correlationId: 'c' });
    expect(await look(rule.id)).toMatchObject({ pause: 'PAID_BACK' });
  });

  test('its key is gone', async () => {
    const rule = await ruled(0n, { keyId: 'rk_test_gone' });
    expect(await look(rule.id)).toMatchObject({ pause: 'KEY_GONE' });
  });

  test('a wallet that does not cover a delivery holds it back', async () => {
    const recharge = {
      ...newRule().recharge,
      kind: 'deliver',
      paymentMethod: 'balance',
      destination: 'cloud',
    } as const;
    await books.domain.payees.set(
      {
        accountId: 'acct-poor',
        provider: 'alibaba_cloud',
        providerAccount: 'main',
        to: 'fa-1',
        from: null,
        currency: 'USD',
      },
      'books',
    );
    const created = await books.domain.rules.create(
      newRule({ accountId: 'acct-poor', watch: 'cloud', recharge }),
    );
    if (!created.ok) throw new Error(created.problem);
    const account = await books.domain.rules.watched.claim(created.rule.id);
    expect(account).toMatchObject({ account: 'fa-1', currency: 'USD' });
    await books.domain.rules.watched.record(account!, { minor: 10n, cashMinor: null }, 5);
    expect(await decisionOf(created.rule.id)).toEqual(['held_back', 'INSUFFICIENT_BALANCE', 4_990n]);
  });
});

test('what was created counts towards the caps, also when it was canceled', async () => {
  const small = { ...terms().caps, perDayMinor: 4_000n };
  const rule = await ruled(0n, { terms: terms({ caps: small }) });
  expect(await decisionOf(rule.id)).toEqual(['recharge', 'BELOW_THRESHOLD', 4_000n]);
  const [made] = (await books.domain.rules.decisions(rule.id, { beforeSeq: null, limit: 1 })).rows;
  await books.domain.applyNews(reportOf(made!.transactionId!, 'withdraw', { source: 'client' }));
  expect(await decisionOf(rule.id)).toEqual(['held_back', 'CAP_REACHED', 5_000n]);
});

test('a wallet that falls below the threshold makes its rule due at once', async () => {
  const rule = await ruled(2_000n);
  await look(rule.id);
  expect(await books.domain.rules.pullForward(10)).not.toContain(rule.id);
  const paid = {
    accountId: rule.accountId,
    kind: 'deliver',
    paymentMethod: 'balance',
    amountMinor: 1_500n,
  } as const;
  await recharged(books.domain, paid);
  expect(await books.domain.rules.pullForward(10)).toContain(rule.id);
  expect(await decisionOf(rule.id)).toEqual(['recharge', 'BELOW_THRESHOLD', 4_500n]);
  expect(await books.domain.rules.pullForward(10)).not.toContain(rule.id);
});

test('due rules are swept like other due rows', async () => {
  const rule = await ruled(0n);
  await books.rows(`update recharge_rule set due_at = now() - interval '1 s' where id = $1`, [rule.id]);
  const due = await books.domain.takeDue(10, { what: 'rule' });
  expect(due).toContainEqual({ what: 'rule', id: rule.id });
  await books.domain.putBack(due);
  expect(await books.domain.takeDue(10, { what: 'rule' })).toContainEqual({ what: 'rule', id: rule.id });
});

test('a repeated key is the same rule, and another body is refused', async () => {
  const rule = newRule({ accountId: 'acct-key', idempotencyKey: 'k-1' });
  expect(await books.domain.rules.create(rule)).toMatchObject({ ok: true, replayed: false });
  expect(await books.domain.rules.create({ ...rule, id: uuidv7() })).toMatchObject({
    ok: true,
    replayed: true,
    rule: { id: rule.id },
  });
  const other = { ...rule, id: uuidv7(), terms: terms({ cooldownSeconds: 9 }) };
  expect(await books.domain.rules.create(other)).toEqual({ ok: false, problem: 'key_used_with_other_body' });
});
