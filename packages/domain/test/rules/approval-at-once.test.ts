import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, openBooks } from '../support/books.js';
import { capped, LIMIT, rulesOn } from '../support/rule-approvals.js';
import { KEY_ROW, paysTo, toCloud, VIEWER } from '../support/rules.js';

let books: Books;
const { limited, one, ruled, acting, changed, look, decide, statusOf, monthOf } = rulesOn(() => books);
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());
beforeEach(() => limited(LIMIT));

describe('another payee', () => {
  /** A rule whose payee has changed after its approval. */
  async function moved() {
    const accountId = `acct-${uuidv7()}`;
    await paysTo(books, accountId, 'fa-old');
    const rule = await ruled({ accountId, watch: 'cloud', recharge: toCloud });
    await decide(rule.waiting!.approvalId);
    await paysTo(books, accountId, 'fa-new');
    expect(await look(rule.id)).toMatchObject({ pause: 'PAYEE_CHANGED' });
    return rule;
  }
  const resume = (id: string, actor = 'olga') => books.domain.rules.resume(id, null, { keyId: null, actor });

  test('is agreed to by two people: who resumes the rule cannot approve it', async () => {
    const { id } = await moved();
    const waits = await resume(id);
    expect(waits).toMatchObject({ status: 'paused', pausedBecause: 'APPROVAL' });
    expect(waits!.waiting!.widens).toEqual([
      { field: 'payee', before: 'alibaba_cloud:main:fa-old', after: 'alibaba_cloud:main:fa-new' },
    ]);
    const { approvalId } = waits!.waiting!;
    expect(await decide(approvalId, 'approve', 'olga')).toMatchObject({ problem: 'own_request' });
    await decide(approvalId);
    expect(await one(id)).toMatchObject({
      status: 'active',
      consent: { target: 'alibaba_cloud:main:fa-new' },
    });
  });

  test('since it was asked for voids the approval', async () => {
    const { id, accountId } = await moved();
    const { approvalId } = (await resume(id))!.waiting!;
    await paysTo(books, accountId, 'fa-third');
    expect(await decide(approvalId)).toMatchObject({ ok: false, problem: 'void' });
    expect(await one(id)).toMatchObject({ status: 'paused', pausedBecause: 'NOT_APPROVED', waiting: null });
  });

  test('is no other payee: a rule that was paused for something else is resumed by one person', async () => {
    const { id } = await acting();
    await books.domain.rules.pause(id, VIEWER);
    await limited(10n);
    expect(await resume(id)).toMatchObject({ status: 'active', waiting: null });
  });
});

describe('at once', () => {
  const ROUNDS = 8;

  test('two versions leave one of them waiting, whole, and its approval is the only pending one', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await acting();
      await Promise.all([changed(id, capped(90_000n)), changed(id, capped(95_000n))]);
      const { rows } = await books.domain.approvals.list({ status: 'pending', limit: 100 });
      const pending = rows.filter(({ subject }) => subject === id);
      expect(pending.map(({ approvalId }) => approvalId)).toEqual([(await one(id)).waiting!.approvalId]);
      await decide(pending[0]!.approvalId);
      expect(String(await monthOf(id))).toBe(pending[0]!.rule!.perMonthMinor);
    }
  });

  test('an approval and a change: the approval wins and the change comes after it, or the change voids it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await acting();
      const { approvalId } = (await changed(id, capped(90_000n))).waiting!;
      const narrower = capped(40_000n, { belowMinor: 500n });
      const [decided, after] = await Promise.all([decide(approvalId), changed(id, narrower)]);
      expect(await one(id)).toMatchObject({ terms: narrower, status: 'active', waiting: null });
      expect(await statusOf(approvalId)).toBe(decided.ok ? 'approved' : 'refused');
      expect(after.consent.termsVersion).toBe(decided.ok ? 3 : 2);
    }
  });

  test('an approval and a pause leave the rule paused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const rule = await ruled();
      await Promise.all([decide(rule.waiting!.approvalId), books.domain.rules.pause(rule.id, VIEWER)]);
      expect(await one(rule.id)).toMatchObject({ status: 'paused', pausedBecause: 'BY_REQUEST' });
    }
  });

  test('looks and an approval: each look decides on one version, and the rule makes one recharge', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await acting();
      const { approvalId } = (await changed(id, capped(90_000n, { recharge: { upToMinor: 4_999n } })))
        .waiting!;
      await Promise.all([look(id), decide(approvalId), look(id)]);
      await look(id);
      const { rows } = await books.domain.rules.decisions(id, { beforeSeq: null, limit: 100 });
      const made = rows.filter(({ decided }) => decided === 'recharge');
      expect(made).toHaveLength(1);
      const { amountMinor, numbers } = made[0]!;
      expect([5_000n, 4_999n].indexOf(amountMinor!)).toBe(Number(numbers.termsVersion) - 1);
    }
  });
});
