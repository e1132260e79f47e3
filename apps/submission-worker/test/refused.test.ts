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

function openWorker() {
  const { sent, provider } = answering({ kind: 'accepted', providerOrderId: 'sbx_1' });
  const claims = openClaimCounter(openRegistry('submission-worker'));
  const deps = { domain: books.domain, provider, publicUrl: 'https://us.test', log: books.log, claims };
  return { sent, submit: submitter({ ...deps, metrics: { onReported: () => {} } }) };
}

test('a claim that the database refuses sends nothing, opens a case at the third time, and is sent once it is accepted', async () => {
  const { sent, submit } = openWorker();
  const id = await books.recharged({});
  await books.refuse(id, 'submit');
  for (let n = 0; n < 3; n++) {
    expect(await books.cases(id)).toEqual([]);
    await submit(id);
  }
  expect(sent).toEqual([]);
  expect(await books.cases(id)).toEqual(['unprocessable']);
  await books.heal();
  await submit(id);
  expect(sent).toHaveLength(1);
  expect(await books.domain.reads.recharge(id)).toMatchObject({ openCases: [] });
});

test('an answer that the database refuses leaves the claim, and the provider is asked about the order', async () => {
  const { sent, submit } = openWorker();
  const id = await books.recharged({});
  await books.refuse(id, 'accepted');
  for (let n = 0; n < 2; n++) await submit(id);
  await books.heal();
  expect(sent).toHaveLength(1);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUBMITTED', nextStep: 'ask', attempt: 1 });
});
