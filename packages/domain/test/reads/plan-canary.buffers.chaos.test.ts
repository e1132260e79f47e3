import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, CLIENT, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf, buffersOfWrites, type Touched } from '../support/buffers.js';

const LINES = 10_000;
const [FRESH, HELD] = ['0189a5b0-0000-7000-8000-000000000003', '0189a5b0-0000-7000-8000-000000000004'];

// Two plans of 10,000 lines. Each of their 5,000 accounts has a new payee, a large line and a small one. No line of the
// first plan has had its turn, and all large ones of the second are held.
let books: Books;
beforeAll(async () => {
  books = await openBooks();
  const lines = (plan: string) => `
    insert into recharge_plan (id, client_id, name, fingerprint, status, currency, lines, total_minor, canary_minor,
        correlation_id, created_by, started_by, due_at, next_place)
      values ('${plan}', '${CLIENT}', '${plan}', 'f', 'running', 'USD', ${LINES}, 10000000, 100, 'c', 'operator',
        'operator', now(), case when '${plan}' = '${HELD}' then ${LINES + 1} else 1 end);
    insert into recharge_plan_line (plan_id, place, line, account_id, amount_minor, payment_method)
      select '${plan}', n, n, 'acct-' || n % ${LINES / 2}, case when n > ${LINES / 2} then 100 else 900 end, 'fund_account'
      from generate_series(1, ${LINES}) n`;
  await books.rows(`
    set session_replication_role = replica;
    ${lines(FRESH)};
    ${lines(HELD)};
    insert into payee (account_id, provider, provider_account, to_account, currency, set_by)
      select 'acct-' || n, 'alibaba_cloud', 'main', 'fa-' || n, 'USD', 'books'
      from generate_series(0, ${LINES / 2 - 1}) n;
    insert into recharge_plan_held (plan_id, place)
      select '${HELD}', n from generate_series(1, ${LINES / 2}) n;
    reset session_replication_role`);
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

const expectFew = (touched: readonly Touched[]): void => {
  expect(touched.length).toBeGreaterThan(0);
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
};

test('the next lines of a plan with a canary cost no more than a bounded number of buffers', async () => {
  const touched = await buffersOf(books.url, async () => {
    const lines = await books.domain.plans.work.next(FRESH, 64);
    expect(new Set(lines.map(({ canary }) => canary))).toEqual(new Set(['under_way']));
  });
  expectFew(touched);
});

test('a look at held lines costs no more than a bounded number of buffers', async () => {
  const touched = await buffersOfWrites(books.url, async () => {
    expect(await books.domain.plans.work.nextHeld(HELD, 64)).toEqual({ lines: [], isMore: true });
  });
  expectFew(touched);
});

test('the accounts of a plan whose payee is new cost a bounded number of buffers per account', async () => {
  const accounts = Array.from({ length: 100 }, (_, n) => `acct-${n}`);
  const touched = await buffersOf(books.url, async () => {
    expect((await books.domain.plans.newPayees(accounts, 'USD')).size).toBe(100);
  });
  expectFew(touched);
});
