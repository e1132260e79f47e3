import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { News } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { asker } from '../src/asker.js';
import { answering, found } from './support/answering-provider.js';

let books: WorkerBooks;
beforeAll(async () => {
  books = await openWorkerBooks();
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

const inTheStates = [
  ['without an answer', []],
  ['of an unknown outcome', ['unknown']],
  ['acknowledged', ['accepted']],
] satisfies [string, News[]][];

test.each(inTheStates)(
  'an order on another account, for a recharge %s, opens a case and credits no wallet',
  async (_what, news) => {
    const accountId = newId();
    const id = await books.recharged({ accountId }, 'submit', ...news);
    await books.rows(
      `update provider_call set started_at = started_at - interval '1 hour' where transaction_id = $1`,
      [id],
    );
    const { provider } = answering(found('settled', { accountId: 'acct-theirs' }));
    const deps = {
      domain: books.domain,
      queues: { hint: async () => true },
      accounts: [provider],
      log: books.log,
    };
    await asker({ ...deps, metrics: { onReported: () => {} } })(id);
    expect(await books.recharge(id)).toMatchObject({ nextStep: 'ask', orderId: null });
    expect(await books.cases(id)).toEqual(['other_account']);
    expect(await books.domain.balances.of(accountId)).toEqual([]);
  },
);

test('a settled order with an extra charge settles the recharge and opens a case', async () => {
  const id = await books.recharged({}, 'submit', 'accepted');
  await books.rows(
    `update provider_call set started_at = started_at - interval '1 hour' where transaction_id = $1`,
    [id],
  );
  const { provider } = answering(found('settled', { isPartlyRead: true }));
  const deps = {
    domain: books.domain,
    queues: { hint: async () => true },
    accounts: [provider],
    log: books.log,
  };
  await asker({ ...deps, metrics: { onReported: () => {} } })(id);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await books.cases(id)).toEqual(['unread_event']);
});
