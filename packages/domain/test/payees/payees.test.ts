import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const payee = {
  accountId: 'acct-1',
  provider: 'alibaba_cloud',
  providerAccount: 'main',
  from: null,
  to: 'fa-7',
  currency: 'CNY',
};

test('a payee is set, read, replaced and removed', async () => {
  const { payees } = books.domain;
  expect(await payees.of('acct-1')).toBeNull();
  const first = await payees.set(payee, 'rk_one');
  expect(first).toEqual({ ...payee, updatedAt: expect.any(Date), approvalAbove: {} });
  expect(await payees.of('acct-1')).toEqual(first);

  const moved = await payees.set({ ...payee, to: 'fa-8', from: 'fa-main' }, 'rk_two');
  expect(moved).toMatchObject({ to: 'fa-8', from: 'fa-main' });
  expect(await books.rows('select * from report.payees')).toEqual([
    {
      account_id: 'acct-1',
      provider: 'alibaba_cloud',
      provider_account: 'main',
      from_account: 'fa-main',
      to_account: 'fa-8',
      currency: 'CNY',
      updated_at: moved.updatedAt,
    },
  ]);
  expect([await payees.remove('acct-1'), await payees.remove('acct-1')]).toEqual([true, false]);
  expect(await payees.of('acct-1')).toBeNull();
});

test('a payee that is set again unchanged keeps its time and the one who set it', async () => {
  const { payees } = books.domain;
  const first = await payees.set(payee, 'rk_one');
  expect(await payees.set(payee, 'rk_two')).toEqual(first);
  expect(await books.rows('select set_by from payee')).toEqual([{ set_by: 'rk_one' }]);
  await payees.set({ ...payee, to: 'fa-9' }, 'rk_two');
  expect(await books.rows('select set_by from payee')).toEqual([{ set_by: 'rk_two' }]);
});
