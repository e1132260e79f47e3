import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Books, deposit, openBooks, recharged } from '../support/books.js';
import { caseSteps, evidence, late, USD } from '../support/cases.js';

let books: Books;
let steps: ReturnType<typeof caseSteps>;
beforeAll(async () => {
  books = await openBooks();
  steps = caseSteps(books);
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

describe('adopt', () => {
  test('makes a failed recharge succeed by its late money, out of suspense, and closes the case', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'late' }, ...late);
    expect(await steps.one(caseId)).toMatchObject({
      ...{ kind: 'late_money', transactionId: id, subject: id, ...USD(100n), closedAt: null },
      ...{ verbs: ['adopt', 'return'], resolution: null },
    });
    expect(await steps.resolve(caseId, 'adopt')).toMatchObject({
      ...{ ok: true, replayed: false, refund: null },
      resolved: {
        ...{ verbs: [], evidence: { given: evidence } },
        resolution: { verb: 'adopt', reason: 'as tested', actor: 'tester', at: expect.any(Date) },
      },
    });
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      ...{ state: 'SUCCEEDED', openCases: [], failureCode: null, nextStep: null },
    });
    expect(await steps.balance('late')).toEqual([100n, 0n]);
    expect(await steps.lastTransition(id)).toEqual({
      ...{
        news: 'adopted',
        verdict: 'moved',
        from_state: 'FAILED',
        to_state: 'SUCCEEDED',
        source: 'operator',
      },
      reason: 'adopt by tester: as tested',
    });
    expect(
      await books.rows(
        'select actor, role, verb, subject, reason from report.operator_actions where subject = $1',
        [id],
      ),
    ).toEqual([{ actor: 'tester', role: 'client', verb: 'adopt', subject: id, reason: 'as tested' }]);
    expect(await steps.report(id, 'settled')).toMatchObject({ verdict: 'stale', state: 'SUCCEEDED' });
  });

  test('needs evidence, and leaves everything as it is without it', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'unproven' }, ...late);
    expect(await steps.resolve(caseId, 'adopt', { evidence: null })).toEqual({
      ok: false,
      problem: 'evidence_needed',
    });
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'FAILED',
      openCases: ['late_money'],
    });
  });

  test('of a delivery takes the money from the wallet, which must hold it', async () => {
    await deposit(books.domain, 'paying', 100n);
    const { id, caseId } = await steps.withCase(
      { accountId: 'paying', kind: 'deliver', paymentMethod: 'balance' },
      ...late,
    );
    const spent = await recharged(books.domain, {
      accountId: 'paying',
      kind: 'deliver',
      paymentMethod: 'balance',
      amountMinor: 60n,
    });
    expect(await steps.resolve(caseId, 'adopt')).toEqual({ ok: false, problem: 'insufficient_balance' });
    expect(await steps.one(caseId)).toMatchObject({ closedAt: null });
    await steps.report(spent, 'withdraw', { source: 'client' });
    expect(await steps.resolve(caseId, 'adopt')).toMatchObject({ ok: true });
    expect(await steps.balance('paying')).toEqual([0n, 0n]);
    expect(await steps.slots(id)).toEqual(['adopt', 'hold', 'reverse', 'suspense']);
  });

  test('of a wrong amount credits what came and ends the recharge as failed', async () => {
    const { id, caseId } = await steps.withCase(
      { accountId: 'wrong' },
      ['submit', { source: 'submission' }],
      ['settled', { money: USD(98n), providerOrderId: 'order-1' }],
      ['settled', { money: USD(97n), providerOrderId: 'order-1', source: 'poll' }],
    );
    expect(await steps.one(caseId)).toMatchObject({
      kind: 'wrong_amount',
      ...USD(195n),
      verbs: ['adopt', 'return'],
    });
    await steps.resolve(caseId, 'adopt');
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'FAILED',
      failureCode: 'WRONG_AMOUNT',
    });
    expect(await steps.balance('wrong')).toEqual([195n, 0n]);
    expect(await steps.report(id, 'settled', { money: USD(98n), providerOrderId: 'order-1' })).toMatchObject({
      verdict: 'stale',
    });
    expect(await books.domain.reads.recharge(id)).toMatchObject({ openCases: [] });
  });

  test('of another order leaves the recharge as it is', async () => {
    const { id, caseId } = await steps.withCase(
      { accountId: 'several' },
      ['submit', { source: 'submission' }],
      ['accepted', { providerOrderId: 'order-1' }],
      ['settled', { providerOrderId: 'order-2' }],
    );
    await steps.resolve(caseId, 'adopt');
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'PENDING_CONFIRMATION',
      nextStep: 'ask',
    });
    await steps.report(id, 'settled', { providerOrderId: 'order-1' });
    expect(await steps.balance('several')).toEqual([200n, 0n]);
  });

  test('of a collect with a payee makes no delivery', async () => {
    const payee = { provider: 'sandbox', providerAccount: 'main', from: null, to: 'fa-1', currency: 'USD' };
    await books.domain.payees.set({ accountId: 'cloud', ...payee }, 'tester');
    const { id, caseId } = await steps.withCase({ accountId: 'cloud', destination: 'cloud' }, ...late);
    await steps.resolve(caseId, 'adopt');
    expect(await books.domain.reads.recharge(id)).toMatchObject({ state: 'SUCCEEDED', delivery: null });
    expect(await steps.balance('cloud')).toEqual([100n, 0n]);
  });

  test('of money that the wallet cannot hold changes nothing', async () => {
    const { caseId } = await steps.withCase({ accountId: 'full' }, ...late);
    await books.rows(`
      insert into ledger_account (name, currency, balance_minor) values ('wallet:full:available', 'USD', 9223372036854775800)`);
    expect(await steps.resolve(caseId, 'adopt')).toEqual({ ok: false, problem: 'beyond_balance' });
    expect(await steps.one(caseId)).toMatchObject({ closedAt: null });
    await books
      .rows(`delete from ledger_account where name = 'wallet:full:available'`)
      .catch(() => undefined);
    await books.rows(`update ledger_account set balance_minor = 0 where name = 'wallet:full:available'`);
  });
});
