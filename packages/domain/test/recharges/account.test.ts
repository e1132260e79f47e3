import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { type Books, CLIENT, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

/** Creates a recharge that one of two accounts at a provider collects. */
async function created(providerAccount: string): Promise<string> {
  const ask = newRecharge({ clientId: CLIENT, provider: 'stripe', providerAccount });
  const result = await books.domain.createRecharge(ask);
  if (!result.ok) throw new Error(result.problem);
  expect(result.recharge).toMatchObject({ provider: 'stripe', providerAccount });
  return result.recharge.id;
}

const claim = (transactionId: string, providerAccount: string) =>
  books.domain.applyNews({
    ...{ transactionId, news: 'submit', source: 'submission', reason: 'as tested' },
    ...{ provider: 'stripe', providerAccount },
  });

test('a claim is granted only to the account that the recharge is stored with', async () => {
  const id = await created('market');
  expect(await claim(id, 'shop')).toMatchObject({ verdict: 'unknown_transaction', claim: null });
  expect(await claim(id, 'market')).toMatchObject({ verdict: 'moved', claim: { providerAccount: 'market' } });
});

test('the event of another account does not settle a recharge', async () => {
  const id = await created('shop');
  await claim(id, 'shop');
  const event = { transactionId: id, news: 'settled', source: 'webhook', reason: 'as tested' } as const;
  const of = { provider: 'stripe', providerAccount: 'market' };
  expect((await books.domain.applyNews({ ...event, ...of })).verdict).toBe('unknown_transaction');
  expect(await books.domain.reads.recharge(id)).toMatchObject({ state: 'SUBMITTED' });
  const own = { ...of, providerAccount: 'shop' };
  expect((await books.domain.applyNews({ ...event, ...own })).verdict).toBe('moved');
});

test('an account that answers again pulls only its own recharges forward', async () => {
  const ids = [await created('shop'), await created('market')];
  for (const [n, id] of ids.entries()) await claim(id, n === 0 ? 'shop' : 'market');
  await books.rows(
    `update recharge_transaction set due_at = now() + interval '1 hour', asks = 1 where id = any($1)`,
    [ids],
  );
  expect(await books.domain.pullForward({ provider: 'stripe', providerAccount: 'market' })).toBe(1);
  const due = await books.rows<{ id: string }>(
    'select id from recharge_transaction where due_at <= now() and id = any($1)',
    [ids],
  );
  expect(due.map(({ id }) => id)).toEqual([ids[1]]);
});

test('a run over a statement is taken up only by a worker with its account', async () => {
  const { reconciliations } = books.domain;
  const period = { from: new Date('2026-11-01T00:00:00Z'), to: new Date('2026-11-02T00:00:00Z') };
  const asked = await reconciliations.ask({
    ...{ period: { provider: 'stripe', providerAccount: 'market', ...period }, source: 'provider' },
    ...{ askedBy: 'as tested', file: null, key: null },
  });
  if (!asked.ok) throw new Error('not asked');
  expect(await reconciliations.takeUp([{ provider: 'stripe', providerAccount: 'shop' }])).toBeNull();
  const taken = await reconciliations.takeUp([
    { provider: 'stripe', providerAccount: 'shop' },
    { provider: 'stripe', providerAccount: 'market' },
  ]);
  expect(taken).toMatchObject({ id: asked.run.id, providerAccount: 'market' });
});
