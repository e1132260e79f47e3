import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

const MASTER_KEYS = `test:${randomBytes(32).toString('base64')}`;

let books: CommandBooks;
let clientId: string;
beforeAll(async () => {
  books = await openCommandBooks({ MASTER_KEYS });
  const scopes = ['recharges:write'] as const;
  const client = { name: 'shop', env: 'test', scopes, accounts: ['*'] } as const;
  ({ clientId } = await books.domain.clients.create(client));
});
afterAll(() => books.close());

async function underWay(amountMinor: bigint, accountId: string): Promise<string> {
  const ask = newRecharge({ id: uuidv7(), clientId, amountMinor, accountId });
  await books.domain.createRecharge(ask);
  for (const news of ['submit', 'accepted'] as const)
    await books.domain.applyNews({ transactionId: ask.id, news, source: 'submission', reason: 'as tested' });
  return ask.id;
}

const json = async (...args: string[]) => JSON.parse((await books.run('bulk', ...args, '--json')).text);

/** Carries out what is started, as the reconciliation worker does. */
async function carryOut(): Promise<void> {
  const { bulks } = books.domain;
  for (let bulk = await bulks.take(); bulk; bulk = await bulks.take())
    for (let item = await bulks.next(bulk.id); item !== 'over'; item = await bulks.next(bulk.id))
      await bulks.file({ bulk, ...item, outcome: 'done', filesAct: false });
}

test('a list is frozen with its count and sums, started by who may, followed, and shown with its results', async () => {
  const ids = [await underWay(100n, 'acct-bulk'), await underWay(250n, 'acct-bulk')];
  await underWay(7n, 'acct-other');
  const draft = await json('recheck', '--reason', 'no news since noon', '--account', 'acct-bulk');
  expect(draft).toMatchObject({
    ...{ verb: 'recheck', status: 'draft', items: 2, done: 0, isCut: false },
    ...{ list: '/recharges?account=acct-bulk', reason: 'no news since noon' },
    sums: [{ currency: 'USD', items: 2, amount: 350 }],
  });
  const start = ['start', draft.bulkId, '--reason', 'looked at them', '--actor', 'ada'];
  const refused = await books.run('bulk', ...start);
  expect([refused.exitCode, refused.text]).toEqual([1, expect.stringContaining('no user ada may decide')]);
  expect(await json('show', draft.bulkId)).toMatchObject({ status: 'draft' });
  expect((await books.run('user', 'create', '--name', 'ada', '--role', 'operator')).exitCode).toBe(0);
  const following = json(...start);
  let ended = false;
  void following.finally(() => {
    ended = true;
  });
  while (!ended) {
    await carryOut();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await following).toMatchObject({ status: 'finished', items: 2, done: 2, actor: 'ada' });
  const { results } = await json('show', draft.bulkId, '--items');
  expect(results.map((one: { subject: string }) => one.subject).sort()).toEqual(ids.sort());
  expect(results[0]).toMatchObject({ outcome: 'done', currency: 'USD' });
  expect((await books.run('bulk', ...start)).text).toContain('no draft any more');
  const acts = await books.domain.console.actions(null, 10);
  expect(acts).toContainEqual(
    expect.objectContaining({ verb: 'bulk_start', actor: 'ada', reason: 'looked at them' }),
  );
});

test('a bulk verb is stopped once, and an empty list is none', async () => {
  const empty = await books.run('bulk', 'dismiss', '--reason', 'old', '--kind', 'unknown_order');
  expect([empty.exitCode, empty.text]).toEqual([1, expect.stringContaining('nothing of this list')]);
  await underWay(5n, 'acct-stopped');
  const { bulkId } = await json('recheck', '--reason', 'r', '--account', 'acct-stopped', '--waiting', 'any');
  const stop = ['bulk', 'stop', bulkId, '--reason', 'not these'];
  expect((await books.run(...stop)).text).toMatch(/status +stopped[\s\S]*sum +5 USD in 1 items\n/);
  expect((await books.run(...stop)).text).toContain('it has ended already');
  expect((await books.run('bulk', 'list')).text).toMatch(new RegExp(`${bulkId} +recheck +stopped +0/1`));
  expect((await books.run('bulk', 'show', uuidv7())).text).toContain('no such bulk verb');
  expect((await books.run('bulk', 'recheck')).exitCode).toBe(2);
  expect((await books.run('bulk', 'adopt', '--reason', 'r')).exitCode).toBe(2);
});

test('open cases that can be closed without a change are frozen', async () => {
  const ask = newRecharge({ id: uuidv7(), amountMinor: 100n });
  await books.domain.createRecharge(ask);
  for (const news of ['submit', 'settled', 'declined'] as const)
    await books.domain.applyNews({
      ...{ transactionId: ask.id, news, source: 'webhook', reason: 'as tested' },
      ...(news !== 'submit' && { providerOrderId: `order of ${ask.id}` }),
    });
  const draft = await json('dismiss', '--reason', 'old test orders', '--desk', 'unassigned');
  expect(draft).toMatchObject({
    ...{ verb: 'dismiss', items: 1, list: '/cases?status=open&desk=unassigned' },
  });
  expect((await json('show', draft.bulkId, '--items')).results).toMatchObject([{ outcome: null }]);
});
