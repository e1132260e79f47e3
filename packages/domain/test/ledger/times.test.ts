import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import type { Domain } from '../../src/index.js';
import { type Books, deposit, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
let other: Domain;
beforeAll(async () => {
  books = await openBooks();
  other = books.open();
});
afterEach(async () => {
  expect(await outOfOrder()).toEqual([]);
  expect(await books.domain.verify()).toEqual([]);
});
afterAll(() => books.close());

/**
 * The entries that are earlier than their wallet's previous entry, and the journals with another time than their
 * entries.
 */
const outOfOrder = () =>
  books.rows(`
    select account || ' #' || id as broken from (
      select account, id, at, lag(at) over (partition by account, currency order by id) as before
      from (
        select id, at, currency, credit_account as account from ledger_entry
        union all
        select id, at, currency, debit_account from ledger_entry) side
      where account like 'wallet:%') entry
    where at < before
    union all
    select j.id::text from ledger_journal j join ledger_entry e on e.journal_id = j.id where e.at <> j.at`);

const waitsForLock = () =>
  until(
    async () => {
      const waits = await books.rows(`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`);
      return waits.length > 0;
    },
    { limitMs: 10_000 },
    'a session that waits for a lock',
  );

/** Runs `work` while another session locks a wallet. */
async function whileHeld(wallet: string, work: () => Promise<void>): Promise<void> {
  const holder = new pg.Client({ connectionString: books.url });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select from ledger_account where name = $1 for update', [wallet]);
    await work();
    await holder.query('commit');
  } finally {
    await holder.end();
  }
}

const entriesOf = (accountId: string) =>
  books.rows<{ at: Date; amount: string; balance: string }>(
    `select at, amount_minor as amount, credit_balance_minor as balance from ledger_entry
    where credit_account = $1 order by id`,
    [`wallet:${accountId}:available`],
  );

test('entries that cross on two wallets have times in the order of their balances, so adjacent statements agree', async () => {
  const [first, second] = ['acct-a', 'acct-b'];
  for (const accountId of [first, second]) await deposit(books.domain, accountId, 100n);
  const pending = (accountId: string, amountMinor: bigint) =>
    recharged(books.domain, { accountId, amountMinor }, 'submit', 'accepted');
  const [a, b, c] = [await pending(first, 1n), await pending(second, 10n), await pending(second, 1_000n)];
  let crossed: Promise<unknown> = Promise.resolve();
  await whileHeld(`wallet:${first}:available`, async () => {
    // One statement settles in both wallets. It begins now, and waits for the first wallet. It locks the second wallet
    // only after the other process has posted to it.
    crossed = Promise.all([a, b].map((id) => books.domain.applyNews(reportOf(id, 'settled'))));
    await waitsForLock();
    await other.applyNews(reportOf(c, 'settled'));
  });
  await crossed;
  const entries = await entriesOf(second);
  expect(entries.map(({ balance }) => balance)).toEqual(['100', '1100', '1110']);
  for (const { at: cut } of entries) {
    const [before, after] = [entries.filter(({ at }) => at < cut), entries.filter(({ at }) => at >= cut)];
    const opening = BigInt(before.at(-1)?.balance ?? 0);
    const closing = after.reduce((sum, { amount }) => sum + BigInt(amount), opening);
    expect(closing).toBe(1_110n);
  }
});

test('a hold that waits for its wallet has the time of the lock', async () => {
  await deposit(books.domain, 'acct-hold', 100n);
  const c = await recharged(books.domain, { accountId: 'acct-y', amountMinor: 7n }, 'submit', 'accepted');
  const paid = { kind: 'deliver', paymentMethod: 'balance', amountMinor: 5n } as const;
  await deposit(books.domain, 'acct-y', 100n);
  let held: Promise<unknown> = Promise.resolve();
  await whileHeld('wallet:acct-hold:available', async () => {
    held = Promise.all(
      ['acct-hold', 'acct-y'].map((accountId) => recharged(books.domain, { ...paid, accountId })),
    );
    await waitsForLock();
    await other.applyNews(reportOf(c, 'settled'));
  });
  await held;
  expect(await entriesOf('acct-y')).toHaveLength(2);
});

test('the entries that one statement posts to an account have one time, whatever lock it waits for in between', async () => {
  const accountId = 'acct-pair';
  await deposit(books.domain, accountId, 100n);
  const paid = { kind: 'deliver', paymentMethod: 'balance', amountMinor: 5n } as const;
  const reversed = await recharged(books.domain, { ...paid, accountId }, 'submit', 'accepted');
  const collected = await recharged(books.domain, { accountId, amountMinor: 7n }, 'submit', 'accepted');
  let work: Promise<unknown> = Promise.resolve();
  await whileHeld(`wallet:${accountId}:frozen`, async () => {
    work = Promise.all([
      books.domain.applyNews(reportOf(reversed, 'declined')),
      books.domain.applyNews(reportOf(collected, 'settled')),
    ]);
    await waitsForLock();
  });
  await work;
  const [back, collect] = (await entriesOf(accountId)).slice(-2);
  expect([back!.amount, collect!.amount]).toEqual(['5', '7']);
  expect(collect!.at).toEqual(back!.at);
});

describe('when the clock is set back', () => {
  /** A wallet whose newest entry is an hour in the future. */
  const ahead = async (accountId: string) => {
    await deposit(books.domain, accountId, 100n);
    const [row] = await books.rows<{ at: Date }>(
      `update ledger_account set last_entry_at = now() + interval '1 hour' where name = $1 returning last_entry_at as at`,
      [`wallet:${accountId}:available`],
    );
    return row!.at;
  };

  test('an entry is not earlier than the previous one', async () => {
    const at = await ahead('acct-ahead');
    await deposit(books.domain, 'acct-ahead', 1n);
    await deposit(other, 'acct-ahead', 1n);
    expect((await entriesOf('acct-ahead')).slice(1).map((entry) => entry.at)).toEqual([at, at]);
  });

  test.each(['settled', 'declined'] as const)(
    'both wallets of an entry keep their order: a delivery that is %s',
    async (news) => {
      const accountId = `acct-${news}`;
      const at = await ahead(accountId);
      const paid = { accountId, kind: 'deliver', paymentMethod: 'balance', amountMinor: 30n } as const;
      const id = await recharged(books.domain, paid, 'submit', news);
      expect(
        await books.rows('select distinct at from ledger_entry where transaction_id = $1', [id]),
      ).toEqual([{ at }]);
    },
  );
});

test('200 settlements and holds at once over two processes keep the order', async () => {
  const accounts = times(3, (n) => `acct-many-${n}`);
  await Promise.all(accounts.map((account) => deposit(books.domain, account, 100_000n)));
  await Promise.all(
    times(200, async (n) => {
      const domain = n % 2 ? other : books.domain;
      const paid = { kind: 'deliver', paymentMethod: 'balance' } as const;
      const accountId = accounts[n % 3]!;
      await recharged(
        domain,
        { accountId, amountMinor: BigInt(n + 1), ...(n % 4 < 2 && paid) },
        'submit',
        n % 5 ? 'settled' : 'declined',
      );
    }),
  );
  expect(await outOfOrder()).toEqual([]);
});

test('an entry of suspense has the present time', async () => {
  const id = await recharged(books.domain, {}, 'submit', 'declined');
  const money = { amountMinor: 4_999n, currency: 'USD' };
  await books.domain.applyNews(reportOf(id, 'settled', { money }));
  const rows = await books.rows(
    `select at between now() - interval '10 s' and clock_timestamp() as recent from ledger_entry where transaction_id = $1`,
    [id],
  );
  expect(rows).toEqual([{ recent: true }]);
});
