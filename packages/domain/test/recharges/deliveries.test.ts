import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, deposit, newRecharge, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.closeDomains();
  books = { ...books, domain: books.open({ lanedProviders: ['alibaba_cloud'] }) };
  await books.domain.payees.set(
    {
      ...{ accountId: 'acct-cloud', provider: 'alibaba_cloud', providerAccount: 'main' },
      ...{ from: null, to: 'fa-7', currency: 'USD' },
    },
    'tester',
  );
});
afterAll(() => books.close());

const payee = { provider: 'alibaba_cloud', providerAccount: 'main', from: null, to: 'fa-7' };
const ofCloud = { accountId: 'acct-cloud', amountMinor: 100n } as const;
const slotsOf = async (id: string) =>
  (
    await books.rows<{ slot: string }>(
      'select slot from ledger_entry e join ledger_journal j on j.id = e.journal_id where j.transaction_id = $1 order by e.id',
      [id],
    )
  ).map(({ slot }) => slot);
const laneOf = async (id: string) =>
  (await books.rows('select lane from recharge_transaction where id = $1', [id]))[0]!.lane;
const create = (over: Parameters<typeof newRecharge>[0]) => books.domain.createRecharge(newRecharge(over));

test('a collect goes to the payee of its account, unless it is to stay in the wallet', async () => {
  expect(await create(ofCloud)).toMatchObject({ recharge: { kind: 'collect', provider: 'sandbox', payee } });
  expect(await create({ ...ofCloud, destination: 'wallet' })).toMatchObject({ recharge: { payee: null } });
  expect(await create({ accountId: 'acct-plain' })).toMatchObject({ recharge: { payee: null } });
});

test('a recharge whose money cannot go to its target is refused, and its key stays free', async () => {
  const ask = newRecharge({ accountId: 'acct-plain', destination: 'cloud' });
  expect(await books.domain.createRecharge(ask)).toEqual({ ok: false, problem: 'no_payee' });
  expect(await create({ ...ofCloud, currency: 'EUR' })).toEqual({ ok: false, problem: 'other_currency' });
  expect(await create({ ...ofCloud, currency: 'EUR', destination: 'wallet' })).toMatchObject({ ok: true });
  expect(await books.domain.createRecharge({ ...ask, destination: null })).toMatchObject({ ok: true });
  const house = { kind: 'deliver', funding: 'house', provider: null, paymentMethod: 'fund_account' } as const;
  expect(await create({ ...house, accountId: 'acct-plain' })).toEqual({ ok: false, problem: 'no_payee' });
  const unpaid = {
    kind: 'deliver',
    provider: null,
    paymentMethod: 'balance',
    accountId: 'acct-plain',
  } as const;
  expect(await create(unpaid)).toEqual({ ok: false, problem: 'no_payee' });
});

test('a delivery goes through the provider of the payee, in a lane', async () => {
  await deposit(books.domain, 'acct-rich', 1_000n);
  await books.domain.payees.set(
    { ...payee, from: 'fa-main', accountId: 'acct-rich', currency: 'USD' },
    'tester',
  );
  const paid = {
    kind: 'deliver',
    accountId: 'acct-rich',
    amountMinor: 5n,
    paymentMethod: 'balance',
  } as const;
  const id = await recharged(books.domain, paid);
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    provider: 'alibaba_cloud',
    funding: 'wallet',
  });
  expect([await laneOf(id), await slotsOf(id)]).toEqual(['alibaba_cloud:fa-main:fa-7', ['hold']]);

  const house = { ...paid, funding: 'house', provider: null, paymentMethod: 'fund_account' } as const;
  const housed = await recharged(books.domain, house);
  expect([await laneOf(housed), await slotsOf(housed)]).toEqual(['alibaba_cloud:fa-main:fa-7', []]);
  await books.domain.applyNews(reportOf(housed, 'submit'));
  await books.domain.applyNews(reportOf(housed, 'settled'));
  expect(await slotsOf(housed)).toEqual(['settle']);
  expect(await books.domain.verify()).toEqual([]);
});

test('a collect that succeeds creates its delivery with its hold, and says so once', async () => {
  const id = await recharged(books.domain, { ...ofCloud, metadata: { team: 'a' } }, 'submit');
  expect(await laneOf(id)).toBeNull();
  const { delivery } = await books.domain.applyNews(reportOf(id, 'settled'));
  expect(delivery).toEqual({ id: expect.any(String), provider: 'alibaba_cloud' });
  expect(await books.domain.applyNews(reportOf(id, 'settled', { source: 'webhook' }))).toMatchObject({
    verdict: 'stale',
    delivery: null,
  });
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    state: 'SUCCEEDED',
    delivery: { id: delivery!.id, state: 'CREATED' },
  });
  expect(await books.domain.reads.recharge(delivery!.id)).toMatchObject({
    ...{ kind: 'deliver', funding: 'wallet', state: 'CREATED', provider: 'alibaba_cloud', payee },
    ...{ accountId: 'acct-cloud', amountMinor: 100n, currency: 'USD', metadata: { team: 'a' } },
    ...{ collectedBy: id, paymentMethod: 'balance' },
  });
  expect(await laneOf(delivery!.id)).toBe('alibaba_cloud:main:fa-7');
  expect([await slotsOf(id), await slotsOf(delivery!.id)]).toEqual([['collect'], ['hold']]);
  expect(await books.domain.verify()).toEqual([]);

  await books.domain.applyNews(reportOf(delivery!.id, 'submit'));
  const [before] = await books.domain.balances.of('acct-cloud');
  await books.domain.applyNews(reportOf(delivery!.id, 'declined'));
  const [after] = await books.domain.balances.of('acct-cloud');
  expect(after!.availableMinor - before!.availableMinor).toBe(100n);
  expect(await books.domain.verify()).toEqual([]);
});

test('reports of one settlement at once, from two processes, create one delivery per collect', async () => {
  const other = books.open({ lanedProviders: ['alibaba_cloud'] });
  const ids: string[] = [];
  for (const _ of times(8, String)) ids.push(await recharged(books.domain, ofCloud, 'submit'));
  const told = await Promise.all(
    ids.flatMap((id) =>
      [books.domain, other, books.domain].map((domain, n) =>
        domain.applyNews(reportOf(id, 'settled', { source: n === 0 ? 'poll' : 'webhook' })),
      ),
    ),
  );
  expect(told.filter(({ delivery }) => delivery !== null)).toHaveLength(8);
  const [made] = await books.rows(
    'select count(*)::int as n from recharge_transaction where collected_by = any($1)',
    [ids],
  );
  expect(made).toEqual({ n: 8 });
  expect(await books.domain.verify()).toEqual([]);
});

test('a collect keeps the payee that it was made with', async () => {
  const account = { ...payee, accountId: 'acct-moving', currency: 'USD' };
  await books.domain.payees.set(account, 'tester');
  const id = await recharged(books.domain, { accountId: 'acct-moving' }, 'submit');
  await books.domain.payees.set({ ...account, to: 'fa-8' }, 'tester');
  const { delivery } = await books.domain.applyNews(reportOf(id, 'settled'));
  expect(await books.domain.reads.recharge(delivery!.id)).toMatchObject({ payee: { to: 'fa-7' } });
});
