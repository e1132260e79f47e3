import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import type { Domain } from '../../src/index.js';
import {
  type Books,
  CLIENT,
  deposit,
  newRecharge,
  openBooks,
  recharged,
  reportOf,
  times,
} from '../support/books.js';

let books: Books;
let doors: Domain[];
beforeAll(async () => {
  books = await openBooks();
  doors = [books.domain, books.open()];
});
afterAll(() => books.close());

const accounts = times(5, (n) => `acct-${n}`);

/** The entries whose balance is not the previous balance of the wallet plus their own amount. */
const brokenChains = () =>
  books.rows(`
    select * from (
      select account, currency, id, balance, delta,
        lag(balance, 1, 0::bigint) over (partition by account, currency order by id) as before
      from (
        select id, credit_account as account, currency, amount_minor as delta, credit_balance_minor as balance
        from ledger_entry
        union all
        select id, debit_account, currency, -amount_minor, debit_balance_minor from ledger_entry) side
      where account like 'wallet:%') entry
    where balance is distinct from before + delta`);

const waiting = (sessions: number) =>
  until(
    async () => {
      const waits = await books.rows(`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`);
      return waits.length === sessions;
    },
    { limitMs: 10_000 },
    `${sessions} sessions wait for a lock`,
  );

/**
 * The number of deadlocks so far. A retry hides each deadlock from the caller, but only after the second that the
 * server takes to find it.
 */
const deadlocks = async () => {
  const server = new pg.Client(process.env.TEST_POSTGRES_URL);
  await server.connect();
  const name = new URL(books.url).pathname.slice(1);
  const { rows } = await server.query('select deadlocks::int from pg_stat_database where datname = $1', [
    name,
  ]);
  await server.end();
  return rows[0]?.deadlocks;
};

test('200 settlements at once over 5 wallets and two processes: each balance follows from the previous one', async () => {
  await Promise.all(accounts.map((account) => deposit(books.domain, account, 100_000n)));
  const ids = await Promise.all(
    times(200, (n) =>
      recharged(
        doors[n % 2]!,
        { accountId: accounts[n % 5]!, kind: n % 4 < 2 ? 'deliver' : 'collect', amountMinor: BigInt(n + 1) },
        'submit',
      ),
    ),
  );
  // Both processes report the end of each recharge. Meanwhile new deliveries take money from the same wallets.
  await Promise.all([
    ...ids.flatMap((id, n) =>
      doors.map((door) => door.applyNews(reportOf(id, n % 3 ? 'settled' : 'declined'))),
    ),
    ...times(100, (n) =>
      doors[n % 2]!.createRecharge(
        newRecharge({ kind: 'deliver', accountId: accounts[n % 5]!, amountMinor: 7n }),
      ),
    ),
  ]);
  expect(await brokenChains()).toEqual([]);
  expect(await books.domain.verify()).toEqual([]);
  const [{ ends }] = (await books.rows(
    `select count(*)::int as ends from ledger_journal where slot in ('collect', 'settle', 'reverse')`,
  )) as [{ ends: number }];
  // 5 deposits count too. The 33 collections among the 67 declined recharges move no money.
  const posted = times(200, (n) => n % 3 !== 0 || n % 4 < 2).filter(Boolean).length;
  expect(ends).toBe(5 + posted);
});

test('balances and entries of one answer agree while other processes write', async () => {
  await deposit(books.domain, 'watched', 1_000_000n);
  const reader = books.open();
  const work = Promise.all(
    times(8, async () => {
      for (let n = 0; n < 25; n++)
        await recharged(
          books.domain,
          { kind: 'deliver', accountId: 'watched', amountMinor: 7n },
          'submit',
          'declined',
        );
    }),
  );
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  let answers = 0;
  do {
    const { balances, entries, asOf } = await reader.balances.statement({ accountId: 'watched', limit: 20 });
    const last = entries.reduce((a, b) => (a.id > b.id ? a : b));
    expect(balances.map(({ availableMinor }) => availableMinor)).toEqual([last.balanceMinor]);
    for (const { at } of entries) expect(at.getTime()).toBeLessThanOrEqual(asOf.getTime());
    answers++;
  } while (!isDone);
  await work;
  expect(answers).toBeGreaterThan(5);
  expect(await reader.balances.statement({ accountId: 'nobody', limit: 20 })).toEqual({
    balances: [],
    entries: [],
    asOf: expect.any(Date),
  });
});

test('a wallet has balances per currency, and the entries that led to them', async () => {
  await deposit(books.domain, 'told', 1_000n);
  const paid = await recharged(
    books.domain,
    { kind: 'deliver', accountId: 'told', amountMinor: 400n },
    'submit',
    'settled',
  );
  await recharged(books.domain, { kind: 'deliver', accountId: 'told', amountMinor: 50n });
  await recharged(books.domain, { accountId: 'told', amountMinor: 9n, currency: 'EUR' }, 'submit', 'settled');

  expect(await books.domain.balances.of('told')).toEqual([
    { currency: 'EUR', availableMinor: 9n, frozenMinor: 0n },
    { currency: 'USD', availableMinor: 550n, frozenMinor: 50n },
  ]);
  expect(await books.domain.balances.of('told', 'EUR')).toHaveLength(1);
  expect(await books.domain.balances.of('nobody')).toEqual([]);

  const entries = (over: object = {}) =>
    books.domain.balances.entries({ accountId: 'told', limit: 10, ...over });
  const usd = await entries({ currency: 'USD' });
  expect(usd.map(({ slot, amountMinor, balanceMinor }) => [slot, amountMinor, balanceMinor])).toEqual([
    ['hold', -50n, 550n],
    ['hold', -400n, 600n],
    ['collect', 1_000n, 1_000n],
  ]);
  expect(usd[1]).toMatchObject({ transactionId: paid, counterparty: 'wallet:told:frozen' });
  expect(await entries({ limit: 2, beforeId: usd[0]!.id, currency: 'USD' })).toEqual(usd.slice(1));
  expect(await entries({ from: new Date(Date.now() + 60_000) })).toEqual([]);
  expect(await entries({ to: new Date(Date.now() + 60_000) })).toHaveLength(4);
});

/** Locks the rows of `sql` until each of `work` waits for them, one started after the other. */
async function heldUp(
  sql: string,
  values: unknown[],
  ...work: (() => Promise<unknown>[])[]
): Promise<unknown[]> {
  const holder = new pg.Client(books.url);
  await holder.connect();
  await holder.query('begin');
  await holder.query(sql, values);
  const underWay: Promise<unknown>[] = [];
  for (const [n, start] of work.entries()) {
    underWay.push(...start());
    await waiting(n + 1);
  }
  await holder.query('rollback');
  await holder.end();
  return Promise.all(underWay);
}

describe('batches that cross wait for each other and do not deadlock', () => {
  let one: Domain;
  let other: Domain;
  beforeEach(() => {
    [one, other] = [books.open(), books.open()];
  });
  const delivery = (accountId: string) => ({ kind: 'deliver', accountId, amountMinor: 5n }) as const;

  test('over the same recharges', async () => {
    const ids = await Promise.all(times(3, () => recharged(one, {}, 'submit')));
    const [a, b, c] = ids.toSorted() as [string, string, string];
    const accept = (domain: Domain, some: string[]) =>
      some.map((id) => domain.applyNews(reportOf(id, 'accepted')));
    await heldUp(
      'select from recharge_transaction where id = $1 for update',
      [b],
      () => accept(one, [a, b, c]),
      () => accept(other, [c, a]),
    );
    await books.closeDomains();
    expect(await deadlocks()).toBe(0);
  });

  test('over the same keys', async () => {
    const create = (domain: Domain, keys: string[]) =>
      keys.map((idempotencyKey) => domain.createRecharge(newRecharge({ idempotencyKey })));
    await heldUp(
      `insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id)
       values (gen_random_uuid(), $1, 'b', '', '{}', '')`,
      [CLIENT],
      () => create(one, ['a', 'b', 'c']),
      () => create(other, ['c', 'a']),
    );
    await books.closeDomains();
    expect(await deadlocks()).toBe(0);
  });

  test('over the same wallets, creating and settling', async () => {
    const names = ['a', 'b'];
    await Promise.all(names.map((name) => deposit(one, name, 1_000n)));
    const [settled, declined] = await Promise.all(
      names.map((name) => recharged(one, delivery(name), 'submit')),
    );
    const answers = await heldUp(
      'select from ledger_account where name = $1 for update',
      ['wallet:b:available'],
      () => names.toReversed().map((name) => one.createRecharge(newRecharge(delivery(name)))),
      () => [
        other.applyNews(reportOf(settled!, 'settled')),
        other.applyNews(reportOf(declined!, 'declined')),
      ],
    );
    expect(answers).toMatchObject([{ ok: true }, { ok: true }, { verdict: 'moved' }, { verdict: 'moved' }]);
    await books.closeDomains();
    expect(await deadlocks()).toBe(0);
  });
});
