import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { create, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ accounts: ['*'] });
});
afterAll(() => ingress.close());

const PATH = '/v1/ledger/proof';

async function settled(): Promise<void> {
  const { body } = await create(ingress, key);
  const report = { transactionId: body.transactionId, source: 'submission', reason: 'as tested' } as const;
  await ingress.domain.applyNews({ ...report, news: 'submit' });
  await ingress.domain.applyNews({ ...report, news: 'settled' });
}

test('the proof sums to zero, names every invariant, and tells the head of the chain', async () => {
  await settled();
  await ingress.domain.chain.seal();
  const { status, body } = await ingress.call('GET', PATH, { key });
  expect(status).toBe(200);
  const head = await ingress.domain.chain.head();
  expect(body).toEqual({
    at: expect.any(String),
    currencies: [{ currency: 'USD', sum: '0', entries: 1 }],
    invariants: expect.arrayContaining([{ name: 'books_close', ok: true }]),
    chain: { sealedTo: Number(head.seq), head: head.hash, unsealed: 0 },
  });
  const xml = await ingress.call('GET', PATH, { key, headers: { accept: 'application/xml' } });
  expect(xml.text).toMatch(/<proof>.*<sum>0<\/sum>.*<\/proof>/s);
});

test('a key for some accounts, or without the scope, may not read it', async () => {
  const narrow = await ingress.client({ accounts: ['acct-*'] });
  expectProblem(await ingress.call('GET', PATH, { key: narrow }), 403, 'UNAUTHORIZED');
  const unscoped = await ingress.client({ accounts: ['*'], scopes: ['balances:read'] });
  expectProblem(await ingress.call('GET', PATH, { key: unscoped }), 403, 'UNAUTHORIZED');
});

test('callers that ask at the same time share one proof', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => ingress.call('GET', PATH, { key })));
  expect(new Set(answers.map(({ body }) => body.at)).size).toBeLessThan(8);
});
