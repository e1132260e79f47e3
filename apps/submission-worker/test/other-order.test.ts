import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { SubmitOutcome } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { type ClaimCounter, openClaimCounter, submitter } from '../src/submitter.js';
import { answering } from './support/answering-provider.js';

const registry = openRegistry('submission-worker');
const publicUrl = 'https://us.test';
let books: WorkerBooks;
let claims: ClaimCounter;
beforeAll(async () => {
  books = await openWorkerBooks();
  claims = openClaimCounter(registry);
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

const order = { providerOrderId: 'sbx_9', accountId: null, amountMinor: 4_999n, currency: 'USD' };

test.each([
  ['settled on another account', { kind: 'settled', ...order, accountId: 'acct-theirs' }, 'other_account'],
  ['accepted on another account', { kind: 'accepted', ...order, accountId: 'acct-theirs' }, 'other_account'],
  ['accepted for another amount', { kind: 'accepted', ...order, amountMinor: 1n }, 'wrong_amount'],
  ['accepted in another currency', { kind: 'accepted', ...order, currency: 'EUR' }, 'wrong_amount'],
] satisfies [string, SubmitOutcome, string][])(
  'an answer that says %s opens a case, and the provider is asked about the order',
  async (_what, outcome, kind) => {
    const accountId = newId();
    const id = await books.recharged({ accountId });
    const { provider } = answering({ ...outcome, providerOrderId: `sbx_${id}` });
    const metrics = { onReported: () => {} };
    await submitter({ domain: books.domain, provider, publicUrl, log: books.log, claims, metrics })(id);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUBMITTED', nextStep: 'ask', attempt: 1 });
    expect(await books.cases(id)).toEqual([kind]);
    expect(await books.domain.balances.of(accountId)).toEqual([]);
  },
);
