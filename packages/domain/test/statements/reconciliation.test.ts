import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import type { StatementLine } from '../../src/index.js';
import { type Books, openBooks, recharged, reportOf } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

let count = 0;
let period: { provider: string; providerAccount: string; from: Date; to: Date };
// Each test reads the statement of a provider of its own.
beforeEach(() => {
  const hourMs = 3_600_000;
  period = {
    provider: `provider-${++count}`,
    providerAccount: 'main',
    from: new Date(Date.now() - hourMs),
    to: new Date(Date.now() + hourMs),
  };
});

async function succeeded(amountMinor = 100n): Promise<string> {
  const { provider } = period;
  const id = await recharged(books.domain, { amountMinor, provider }, 'submit');
  await books.domain.applyNews(reportOf(id, 'settled', { providerOrderId: `order ${id}` }));
  return id;
}

const lineOf = (id: string, over: Partial<StatementLine> = {}): StatementLine => ({
  line: id,
  at: new Date(),
  orderId: `order ${id}`,
  reference: id,
  direction: 'in',
  amountMinor: 100n,
  currency: 'USD',
  balanceMinor: null,
  ...over,
});

async function read(lines: readonly StatementLine[]) {
  const { reconciliations } = books.domain;
  return reconciliations.read(await reconciliations.begin(period, 'tester'), lines);
}

const casesOf = (kind: string) =>
  books.rows<{ subject: string }>(
    `select subject from reconciliation_case where kind = $1 and closed_at is null and (
      detail::text like $2 or transaction_id in (select id from recharge_transaction where provider = $3))`,
    [kind, `%${period.provider}%`, period.provider],
  );

test('lines are matched by reference in any spelling, by order id, or by amount and time', async () => {
  const [a, b, c, d] = [await succeeded(), await succeeded(), await succeeded(), await succeeded(777n)];
  const result = await read([
    lineOf(a, { orderId: null }),
    lineOf(b, { reference: b.replaceAll('-', '').toUpperCase(), orderId: null }),
    lineOf(c, { reference: 'RE 2026', line: '3' }),
    lineOf(d, { reference: null, orderId: null, amountMinor: 777n }),
  ]);
  expect(result).toMatchObject({
    status: 'finished',
    matched: 4,
    oursOnly: [],
    theirsOnly: [],
    different: [],
    gaps: [],
  });
  const by = await books.rows(
    'select transaction_id, by from statement_match where transaction_id = any($1)',
    [[a, b, c, d]],
  );
  expect(new Map(by.map((row) => [row.transaction_id, row.by]))).toEqual(
    new Map([
      [a, 'reference'],
      [b, 'reference'],
      [c, 'order_id'],
      [d, 'amount_and_time'],
    ]),
  );
});

test('each difference is told, opens one case, and is not opened again by the same statement', async () => {
  const [ours, wrong] = [await succeeded(), await succeeded()];
  const { provider } = period;
  const declined = await recharged(books.domain, { provider }, 'submit', 'declined');
  const stranger = lineOf('7', { reference: null, orderId: 'order nobody knows' });
  const lines = [lineOf(wrong, { amountMinor: 99n }), lineOf(declined), stranger];
  const first = await read(lines);
  expect(first.matched).toBe(2);
  expect(first.oursOnly.map(({ transactionId }) => transactionId)).toEqual([ours]);
  expect(first.theirsOnly.map(({ detail }) => detail)).toEqual([
    expect.objectContaining({
      orderId: 'order nobody knows',
      money: { amountMinor: '100', currency: 'USD' },
    }),
  ]);
  expect(first.different.map(({ transactionId }) => transactionId).sort()).toEqual([wrong, declined].sort());
  const cases = async () => (await books.rows('select id from reconciliation_case')).length;
  const opened = await cases();
  await books.rows(
    `update reconciliation_case set closed_at = now(), resolution = 'looked at' where transaction_id = $1`,
    [wrong],
  );
  expect(await read(lines)).toMatchObject({ matched: 2, theirsOnly: [{}], oursOnly: [{}] });
  expect(await cases()).toBe(opened);
});

test('a line of a recharge that was never sent is a difference, and the recharge cannot be withdrawn any more', async () => {
  const unsent = await recharged(books.domain, { provider: period.provider, amountMinor: 100n });
  const sent = await recharged(books.domain, { provider: period.provider, amountMinor: 100n }, 'submit');
  const { different } = await read([lineOf(unsent), lineOf(sent)]);
  expect(different).toMatchObject([{ transactionId: unsent, detail: { ours: { state: 'CREATED' } } }]);
  await books.domain.applyNews(reportOf(unsent, 'withdraw', { source: 'client' }));
  expect((await books.domain.reads.recharge(unsent))?.state).toBe('CREATED');
});

test('a line without ids is matched only if a single recharge fits', async () => {
  const [a, b] = [await succeeded(333n), await succeeded(333n)];
  const unnamed = (id: string) => lineOf(id, { reference: null, orderId: null, amountMinor: 333n });
  expect(await read([unnamed(a), unnamed(b)])).toMatchObject({ matched: 0, theirsOnly: [{}, {}] });
});

test('a recharge that was made before the period counts only if the period before was read', async () => {
  const id = await recharged(books.domain, { provider: period.provider }, 'submit');
  const before = { ...period };
  await until(async () => Date.now() > (await madeAt(id)), { limitMs: 30_000 }, 'a later millisecond');
  period = { ...period, from: new Date() };
  await books.domain.applyNews(reportOf(id, 'settled'));
  expect(await read([])).toMatchObject({ oursOnly: [] });
  const { reconciliations } = books.domain;
  await reconciliations.read(await reconciliations.begin({ ...before, to: period.from }, 'tester'), []);
  expect(await read([])).toMatchObject({ oursOnly: [{ transactionId: id }] });
});

const madeAt = async (id: string): Promise<number> =>
  (await books.domain.reads.recharge(id))!.createdAt.getTime();

test('a line that comes later closes the case that asked for it', async () => {
  const id = await succeeded();
  await read([]);
  expect(await casesOf('statement_ours_only')).toEqual([{ subject: id }]);
  expect(await read([lineOf(id)])).toMatchObject({ matched: 1, oursOnly: [] });
  expect(await casesOf('statement_ours_only')).toEqual([]);
});

test('a second line of one order is money that nobody asked for', async () => {
  const id = await succeeded();
  const result = await read([lineOf(id), lineOf(id, { line: 'again' })]);
  expect(result).toMatchObject({ matched: 1, theirsOnly: [{ detail: { line: 'again' } }] });
});

test('equal lines are two, and a statement that overlaps another adds only what is new', async () => {
  const equal = lineOf('equal', {
    reference: null,
    orderId: null,
    amountMinor: 5n,
    at: new Date(Date.now() - 60_000),
  });
  const early = lineOf('early', { reference: null, at: new Date(Date.now() - 120_000) });
  await read([early, equal, equal]);
  const later = lineOf('later', { reference: null, at: new Date(Date.now() - 30_000) });
  const result = await read([equal, equal, later]);
  expect(result.theirsOnly.map(({ detail }) => (detail as { line: string }).line)).toEqual([
    'early',
    'equal',
    'equal',
    'later',
  ]);
});

test('one line of 1,000 is missing: its gap and its recharge are named, and nothing else', async () => {
  const { provider } = period;
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) {
    const some = await Promise.all(
      Array.from({ length: 250 }, () =>
        recharged(books.domain, { provider, amountMinor: 100n }, 'submit', 'settled'),
      ),
    );
    ids.push(...some);
  }
  const startMs = Date.now() - 1_000_000;
  const whole = ids.map((id, n) =>
    lineOf(id, { line: String(n + 1), at: new Date(startMs + n), balanceMinor: BigInt(n + 1) * 100n }),
  );
  const lines = whole.filter((_, n) => n !== 500);
  const told: number[] = [];
  const { reconciliations } = books.domain;
  const half = await reconciliations.begin(period, 'tester');
  const cutOff = function* () {
    yield* lines.slice(0, 650);
    throw new Error('killed');
  };
  await expect(reconciliations.read(half, cutOff())).rejects.toThrow('killed');
  expect(await reconciliations.of(half.id)).toMatchObject({ status: 'failed', failure: 'killed' });
  const run = await reconciliations.begin(period, 'tester');
  const result = await reconciliations.read(run, lines, (count) => told.push(count));
  expect(result).toMatchObject({
    status: 'finished',
    matched: 999,
    oursOnly: [{ transactionId: ids[500] }],
    theirsOnly: [],
    different: [],
    gaps: [{ afterLine: '500', beforeLine: '502', missingMinor: 100n, currency: 'USD' }],
  });
  expect(told.at(-1)).toBe(999);
  expect(await casesOf('statement_gap')).toHaveLength(1);
});

test('a gap is shown and its case is open until a statement has other lines next to both of its ends', async () => {
  const startMs = Date.now() - 100_000;
  const lines = [1, 2, 3, 4, 5].map((n) =>
    lineOf(`${n}`, { reference: null, at: new Date(startMs + n), balanceMinor: BigInt(n) * 100n }),
  );
  const only = (...numbers: number[]) => read(numbers.map((n) => lines[n - 1]!));
  const gaps = async (...numbers: number[]) =>
    (await only(...numbers)).gaps.map(({ afterLine, beforeLine }) => `${afterLine}-${beforeLine}`);
  expect(await gaps(1, 5)).toEqual(['1-5']);
  expect(await gaps(1, 5)).toEqual(['1-5']);
  expect(await gaps(1, 2)).toEqual(['1-5']);
  expect(await casesOf('statement_gap')).toHaveLength(1);
  expect(await gaps(1, 2, 4, 5)).toEqual(['2-4']);
  expect(await casesOf('statement_gap')).toHaveLength(1);
  expect(await gaps(4, 3)).toEqual(['2-4']);
  expect(await gaps(2, 3)).toEqual([]);
  expect(await casesOf('statement_gap')).toEqual([]);
  expect(await gaps(1, 5)).toEqual([]);
  expect(await casesOf('statement_gap')).toEqual([]);
});

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test.each([
  ['UTC', 0],
  ['China', 8 * HOUR_MS],
  ['a zone behind UTC', -5 * HOUR_MS],
])('the last day that is over for long enough is asked for once: of %s', async (zone, utcOffsetMs) => {
  const account = { provider: `provider of ${zone}`, providerAccount: 'main' };
  for (const afterMs of [2 * HOUR_MS, 10 * HOUR_MS]) {
    const { reconciliations } = books.domain;
    const before = Date.now();
    await reconciliations.askDaily(account, { afterMs, utcOffsetMs });
    expect(await reconciliations.askDaily(account, { afterMs, utcOffsetMs })).toBe(false);
    const over = (ms: number) => Math.floor((ms + utcOffsetMs - afterMs) / DAY_MS) * DAY_MS - utcOffsetMs;
    const runs = await reconciliations.list({ provider: account.provider, limit: 10 });
    const days = runs.map(({ from, to }) => [from.getTime(), to.getTime()]);
    expect([over(before), over(Date.now())]).toContain(days.find(([, to]) => to === over(before))?.[1]);
    expect(days.every(([from, to]) => to! - from! === DAY_MS)).toBe(true);
  }
});
