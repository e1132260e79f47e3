import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Books, deposit, openBooks } from '../support/books.js';
import { ask, caseSteps, late, orderOf, refunding, USD } from '../support/cases.js';

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

describe('return', () => {
  test('makes a refund that suspense pays, for the order that moved the money', async () => {
    const { id, caseId } = await steps.withCase(
      { accountId: 'back' },
      ['submit', { source: 'submission' }],
      ['settled', { providerOrderId: 'order-1' }],
      ['settled', { providerOrderId: 'order-2' }],
    );
    const answer = await steps.resolve(caseId, 'return', { evidence: null });
    if (!answer.ok || !answer.refund) throw new Error('no refund was made');
    const { claim } = await steps.report(answer.refund.id, 'submit', { source: 'submission' });
    expect(claim).toMatchObject({
      ...USD(100n),
      original: { id, providerOrderId: orderOf(id, 'order-2') },
    });
    expect(await books.domain.verify()).toEqual([]);
    await steps.report(answer.refund.id, 'settled', { providerOrderId: 'refund-1' });
    expect(await steps.balance('back')).toEqual([100n, 0n]);
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'SUCCEEDED',
      refundedMinor: 0n,
      openCases: [],
    });
    expect(await steps.one(caseId)).toMatchObject({ resolution: { verb: 'return' } });
  });

  test('that fails opens the case again, with its money', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'unreturned' }, ...late);
    const answer = await steps.resolve(caseId, 'return');
    if (!answer.ok || !answer.refund) throw new Error('no refund was made');
    await steps.report(answer.refund.id, 'submit', { source: 'submission' });
    await steps.report(answer.refund.id, 'declined');
    const { rows } = await books.domain.cases.list(
      { viewer: null, status: 'open', transactionId: id, limit: 9 },
      refunding,
    );
    expect(rows).toMatchObject([{ kind: 'late_money', ...USD(100n), verbs: ['adopt', 'return'] }]);
    await steps.resolve(rows[0]!.id, 'adopt');
    expect(await steps.balance('unreturned')).toEqual([100n, 0n]);
  });

  /** A refund that returns late money, with an open case of its own. Returns both. */
  async function returning(accountId: string, ...reports: Parameters<typeof steps.withCase>[1][]) {
    await deposit(books.domain, accountId, 100n);
    const { id, caseId } = await steps.withCase({ accountId }, ...late);
    const answer = await steps.resolve(caseId, 'return');
    if (!answer.ok || !answer.refund) throw new Error('no refund was made');
    await steps.report(answer.refund.id, 'submit', { source: 'submission' });
    for (const [news, said] of reports) await steps.report(answer.refund.id, news, said);
    const filter = { viewer: null, status: 'open', transactionId: answer.refund.id, limit: 1 } as const;
    const [own] = (await books.domain.cases.list(filter, refunding)).rows;
    return { id, caseId: own!.id };
  }

  test.each([
    ['fail', [['unknown', { source: 'poll', doubt: 'absent_order' }]]],
    ['adopt', [['settled', { money: USD(98n), providerOrderId: 'refund of another amount' }]]],
  ] as const)(
    'that a person ends as failed by %s opens the case again, with its money',
    async (verb, reports) => {
      const { id, caseId } = await returning(`unreturned-${verb}`, ...reports);
      expect(await steps.resolve(caseId, verb)).toMatchObject({ ok: true });
      const { rows } = await books.domain.cases.list(
        { viewer: null, status: 'open', transactionId: id, limit: 9 },
        refunding,
      );
      expect(rows).toMatchObject([{ kind: 'late_money', ...USD(100n), verbs: ['adopt', 'return'] }]);
      expect(await books.domain.verify()).toEqual([]);
    },
  );

  test('that fails while a person decides about other money of its case is decided by that person, too', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'unreturned-raced' }, ...late);
    const answer = await steps.resolve(caseId, 'return');
    if (!answer.ok || !answer.refund) throw new Error('no refund was made');
    await steps.report(answer.refund.id, 'submit', { source: 'submission' });
    await steps.report(id, 'settled', { providerOrderId: 'order-1', money: USD(98n) });
    const filter = { viewer: null, status: 'open', transactionId: id, limit: 1 } as const;
    const [other] = (await books.domain.cases.list(filter, refunding)).rows;
    const stranger = new pg.Client(books.url);
    await stranger.connect();
    await stranger.query('begin');
    await stranger.query('select from recharge_transaction where id = $1 for no key update', [id]);
    const decision = steps.resolve(other!.id, 'adopt');
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await books.rows(waiting)).length === 0) await sleep(10);
    const failure = steps.report(answer.refund.id, 'declined');
    await Promise.race([failure, sleep(500)]);
    await stranger.query('rollback');
    await stranger.end();
    expect([await decision, await failure]).toMatchObject([{ ok: true }, { verdict: 'moved' }]);
    expect(await books.domain.verify()).toEqual([]);
    for (const left of (await books.domain.cases.list(filter, refunding)).rows)
      await steps.resolve(left.id, 'adopt');
    expect(await steps.balance('unreturned-raced')).toEqual([198n, 0n]);
  });

  test('of a wrong amount ends the recharge as failed', async () => {
    const { id, caseId } = await steps.withCase(
      { accountId: 'wrong-back' },
      ['submit', { source: 'submission' }],
      ['settled', { money: USD(98n), providerOrderId: 'order-1' }],
    );
    expect(await steps.resolve(caseId, 'return')).toMatchObject({
      ok: true,
      refund: { provider: 'sandbox' },
    });
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'FAILED',
      failureCode: 'WRONG_AMOUNT',
    });
  });

  test('is not offered where the provider refunds nothing', async () => {
    const { caseId } = await steps.withCase({ accountId: 'kept' }, ...late);
    const answer = await books.domain.cases.resolve(ask(caseId, 'return'), () => false);
    expect(answer).toEqual({ ok: false, problem: 'verb_not_offered' });
  });
});
