import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { openClaimCounter, submitter } from '../src/submitter.js';
import { answering } from './support/answering-provider.js';

let books: WorkerBooks;
beforeAll(async () => {
  books = await openWorkerBooks();
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

/** Submits a new recharge with a worker that pauses for `pauseMs` between its claim and its call. */
async function submitAfter(pauseMs: number) {
  const { sent, provider } = answering({ kind: 'accepted', providerOrderId: 'sbx_1' });
  const claims = openClaimCounter(openRegistry('submission-worker'));
  const clock = [0, pauseMs];
  const submit = submitter({
    ...{ domain: books.domain, provider, publicUrl: 'https://us.test', log: books.log, claims },
    metrics: { onReported: () => {} },
    elapsedMs: () => clock.shift()!,
  });
  const id = await books.recharged({});
  await submit(id);
  return { id, sent };
}

test('an attempt is sent up to three seconds after its claim', async () => {
  const { id, sent } = await submitAfter(3_000);
  expect(sent).toHaveLength(1);
  expect(await books.recharge(id)).toMatchObject({ confirmation: 'acknowledged', nextStep: 'ask' });
});

test('an attempt is not sent later than that: another worker may have submitted the order meanwhile', async () => {
  const { id, sent } = await submitAfter(3_001);
  expect(sent).toEqual([]);
  expect(await books.recharge(id)).toMatchObject({ attempt: 1, confirmation: 'unknown', nextStep: 'submit' });
  expect(await books.calls(id)).toEqual([
    { operation: 'submit', attempt: 1, outcome: 'not_executed', code: null, status: null, ended: true },
  ]);
});
