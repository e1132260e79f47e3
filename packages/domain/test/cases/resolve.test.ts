import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, CLIENT, deposit, OTHER_CLIENT, openBooks, times } from '../support/books.js';
import { absent, ask, caseSteps, late, refunding, viewer } from '../support/cases.js';

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

describe('an absent order', () => {
  test('can be failed, with the hold given back', async () => {
    await deposit(books.domain, 'failing', 100n);
    const { id, caseId } = await steps.withCase(
      { accountId: 'failing', kind: 'deliver', paymentMethod: 'balance' },
      ...absent,
    );
    await steps.resolve(caseId, 'fail', { reason: 'the provider says that it never came' });
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      ...{
        state: 'FAILED',
        failureCode: 'PAYMENT_FAILED',
        failureMessage: 'the provider says that it never came',
      },
    });
    expect(await steps.balance('failing')).toEqual([100n, 0n]);
  });

  test('can be sent again, and then has a new order', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'again' }, ...absent);
    await steps.resolve(caseId, 'resubmit');
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      nextStep: 'submit',
      providerOrderId: null,
      openCases: [],
    });
    const { claim } = await steps.report(id, 'submit', { source: 'submission' });
    expect(claim).toMatchObject({ attempt: 2 });
    await steps.report(id, 'accepted', { attempt: 2, seen: claim!.seen, providerOrderId: 'order-9' });
    expect(await steps.report(id, 'settled', { providerOrderId: 'order-9' })).toMatchObject({
      state: 'SUCCEEDED',
    });
  });

  test('can be dismissed, and goes on', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'dismissed' }, ...absent);
    await steps.resolve(caseId, 'dismiss', { evidence: null });
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'PENDING_CONFIRMATION',
      nextStep: 'ask',
      openCases: [],
    });
    expect(await steps.lastTransition(id)).toMatchObject({ news: 'resolved', verdict: 'stale' });
  });

  test('that turns up closes its case with that reason', async () => {
    const { caseId, id } = await steps.withCase({ accountId: 'found' }, ...absent);
    await steps.report(id, 'settled', { providerOrderId: 'order-1', source: 'poll' });
    expect(await steps.one(caseId)).toMatchObject({
      resolution: { verb: null, actor: null, reason: 'the provider has the order' },
    });
  });
});

test('an order that came before its submit is no question once the submit has the same order', async () => {
  const { id, caseId } = await steps.withCase({ accountId: 'early' }, [
    'accepted',
    { providerOrderId: 'order-1' },
  ]);
  const { claim } = await steps.report(id, 'submit', { source: 'submission' });
  await steps.report(id, 'accepted', { attempt: 1, seen: claim!.seen, providerOrderId: 'order-1' });
  expect(await steps.one(caseId)).toMatchObject({ kind: 'unsent_order', resolution: { verb: null } });
});

test('a case about an event that names no recharge is dismissed, and nothing else changes', async () => {
  const rows = await unknownOrders('evt-1');
  expect(rows).toMatchObject([
    { transactionId: null, subject: 'sandbox:evt-1', amountMinor: null, verbs: ['dismiss'] },
  ]);
  expect(await steps.resolve(rows[0]!.id, 'adopt')).toEqual({ ok: false, problem: 'verb_not_offered' });
  const same = ask(rows[0]!.id, 'dismiss');
  const answers = await Promise.all(times(3, () => books.domain.cases.resolve(same, refunding)));
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(await steps.resolve(rows[0]!.id, 'dismiss')).toEqual({ ok: false, problem: 'case_closed' });
});

async function unknownOrders(eventId: string) {
  const event = {
    id: uuidv7(),
    provider: 'sandbox',
    eventId,
    rawBody: Buffer.from('{}'),
    correlationId: 'c',
  };
  await books.domain.inbox.keep(event);
  await books.domain.inbox.fileUnmatched(event, { note: 'unknown' });
  const filter = { viewer, status: 'open', kind: 'unknown_order', limit: 9 } as const;
  return (await books.domain.cases.list(filter, refunding)).rows;
}

describe('a verb', () => {
  test('used by several people at once on a case about an event happens once', async () => {
    const [one] = await unknownOrders('evt-crowd');
    const others = times(3, () => books.open());
    const answers = await Promise.all(
      times(12, (n) => steps.resolve(one!.id, 'dismiss', { reason: `of ${n}` }, others[n % 3])),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await books.rows('select 1 from operator_action where case_id = $1', [one!.id])).toHaveLength(1);
  });

  test('used by several people at once happens once', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'crowd' }, ...late);
    const others = times(3, () => books.open());
    const answers = await Promise.all(
      times(12, (n) => steps.resolve(caseId, n % 2 === 0 ? 'adopt' : 'return', {}, others[n % 3])),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    for (const answer of answers) if (!answer.ok) expect(answer.problem).toBe('case_closed');
    expect(await books.rows('select 1 from operator_action where transaction_id = $1', [id])).toHaveLength(1);
  });

  test('with the same key is the same answer, and with another body a refusal', async () => {
    const { id, caseId } = await steps.withCase({ accountId: 'twice' }, ...late);
    const same = ask(caseId, 'adopt', { evidence: { a: 1, b: 2 } });
    const answers = await Promise.all(times(4, () => books.domain.cases.resolve(same, refunding)));
    expect(answers.map((answer) => answer.ok && answer.replayed).sort()).toEqual([false, true, true, true]);
    const reordered = { ...same, evidence: { b: 2, a: 1 } };
    expect(await books.domain.cases.resolve(reordered, refunding)).toMatchObject({
      ok: true,
      replayed: true,
    });
    expect(await books.domain.cases.resolve({ ...same, reason: 'another' }, refunding)).toEqual({
      ...{ ok: false, problem: 'key_used_with_other_body' },
    });
    expect(await steps.resolve(caseId, 'adopt')).toEqual({ ok: false, problem: 'case_closed' });
    expect(await steps.balance('twice')).toEqual([100n, 0n]);
    expect(await steps.slots(id)).toHaveLength(2);
  });

  test('is not for callers who may not see the case', async () => {
    const { caseId } = await steps.withCase({ accountId: 'mine' }, ...late);
    for (const other of [
      { clientId: OTHER_CLIENT, accountPatterns: ['%'] },
      { clientId: CLIENT, accountPatterns: ['other-%'] },
    ]) {
      expect(await steps.resolve(caseId, 'adopt', { viewer: other })).toEqual({
        ok: false,
        problem: 'unknown_case',
      });
      expect(await books.domain.cases.one(caseId, other, refunding)).toBeNull();
    }
    expect(await steps.resolve('not an id', 'adopt')).toEqual({ ok: false, problem: 'unknown_case' });
  });
});

test('the database refuses a success out of FAILED that no person has shown evidence for', async () => {
  const { id } = await steps.withCase({ accountId: 'guarded' }, ...late);
  const forced = books.rows(`update recharge_transaction set state = 'SUCCEEDED' where id = $1`, [id]);
  await expect(forced).rejects.toThrow(/cannot succeed without evidence/);
});
