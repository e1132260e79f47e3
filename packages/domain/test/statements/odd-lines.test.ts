import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AMOUNT_MINOR_MAX, type StatementLine } from '../../src/index.js';
import { type Books, newRefund, openBooks, recharged, reportOf, times } from '../support/books.js';
import { ask, refunding } from '../support/cases.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

const HOUR_MS = 3_600_000;
let count = 0;
let provider: string;
// Each test reads the statements of a provider of its own.
beforeEach(() => {
  provider = `provider-${++count}`;
});

const period = (providerAccount: string) => ({
  ...{ provider, providerAccount },
  ...{ from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + HOUR_MS) },
});

const line = (over: Partial<StatementLine> = {}): StatementLine => ({
  ...{ line: '1', at: new Date(), orderId: null, reference: null },
  ...{ direction: 'in', amountMinor: 100n, currency: 'USD', balanceMinor: null },
  ...over,
});

async function read(
  lines: readonly StatementLine[],
  providerAccount = 'main',
  { reconciliations } = books.domain,
) {
  return reconciliations.read(await reconciliations.begin(period(providerAccount), 'tester'), lines);
}

async function succeeded(over: Partial<Parameters<typeof recharged>[1]> = {}): Promise<string> {
  const id = await recharged(books.domain, { amountMinor: 100n, provider, ...over }, 'submit');
  await books.domain.applyNews(reportOf(id, 'settled', { providerOrderId: `order ${id}` }));
  return id;
}

const casesOf = (account = 'main') =>
  books.rows<{ id: string; kind: string }>(
    `select some_case.id, some_case.kind from reconciliation_case some_case
     left join recharge_transaction recharge on recharge.id = some_case.transaction_id
     where closed_at is null and coalesce(recharge.provider, detail ->> 'provider') = $1
       and coalesce(recharge.provider_account, detail ->> 'providerAccount') = $2
     order by kind, some_case.id`,
    [provider, account],
  );

test.each(['JPY', 'KWD', 'USD'])(
  'minor units of %s agree, and the same number of another currency does not',
  async (currency) => {
    const [right, wrong] = [await succeeded({ currency }), await succeeded({ currency })];
    const result = await read([
      line({ reference: right, currency }),
      line({ reference: wrong, currency: 'CNY' }),
    ]);
    expect(result.matched).toBe(2);
    expect(result.different).toMatchObject([
      {
        transactionId: wrong,
        detail: { money: { currency: 'CNY' }, ours: { amountMinor: '100', currency } },
      },
    ]);
    expect([result.oursOnly, result.theirsOnly, result.gaps]).toEqual([[], [], []]);
  },
);

test('a recharge has its line in the statement of its own account at the provider only', async () => {
  const [main, second] = [await succeeded(), await succeeded({ providerAccount: 'second' })];
  const lines = [line({ reference: main }), line({ reference: second })];
  const [ofMain, ofSecond] = [await read(lines), await read(lines, 'second')];
  for (const [result, other] of [
    [ofMain, second],
    [ofSecond, main],
  ] as const)
    expect(result).toMatchObject({
      matched: 1,
      oursOnly: [],
      theirsOnly: [{ detail: { reference: other } }],
    });
});

test('money that a person books from the statement of a second account stays of that account', async () => {
  await read([line({ orderId: 'order of a stranger' })], 'second');
  const [one] = await casesOf('second');
  const accountId = `acct-of-${provider}`;
  const given = { evidence: { accountId } };
  expect(await books.domain.cases.resolve(ask(one!.id, 'adopt', given), refunding)).toMatchObject({
    ok: true,
  });
  expect(
    await books.rows(
      'select provider, provider_account, state from recharge_transaction where account_id = $1',
      [accountId],
    ),
  ).toEqual([{ provider, provider_account: 'second', state: 'SUCCEEDED' }]);
});

test('the largest amount of a recharge is booked from a line, and a larger one is not', async () => {
  await read([
    line({ orderId: 'largest', amountMinor: AMOUNT_MINOR_MAX }),
    line({ orderId: 'larger', amountMinor: AMOUNT_MINOR_MAX + 1n }),
  ]);
  const accountId = `acct-of-${provider}`;
  const answers = [];
  for (const { id } of await casesOf())
    answers.push(await books.domain.cases.resolve(ask(id, 'adopt', { evidence: { accountId } }), refunding));
  expect(answers).toMatchObject([{ ok: true }, { ok: false, problem: 'beyond_balance' }]);
  expect(await books.rows('select available from report.wallets where account_id = $1', [accountId])).toEqual(
    [{ available: String(AMOUNT_MINOR_MAX) }],
  );
  expect(await casesOf()).toHaveLength(1);
});

test('a gap between the largest balances of a file is named', async () => {
  const [most, at] = [2n ** 61n - 1n, new Date()];
  const lines = [
    line({ orderId: 'a', at, balanceMinor: -most }),
    line({
      orderId: 'b',
      at: new Date(at.getTime() + 1),
      direction: 'out',
      amountMinor: most,
      balanceMinor: most,
    }),
  ];
  expect((await read(lines)).gaps).toMatchObject([{ missingMinor: 3n * most }]);
});

test('a line of a refund may stand before the line of its payment', async () => {
  const payment = await succeeded();
  const refund = newRefund(payment, { amountMinor: 30n });
  expect(await books.domain.createRefund(refund)).toMatchObject({ ok: true });
  for (const news of ['submit', 'settled'] as const) await books.domain.applyNews(reportOf(refund.id, news));
  const result = await read([
    line({ reference: refund.id, direction: 'out', amountMinor: 30n }),
    line({ reference: payment }),
  ]);
  expect(result).toMatchObject({ matched: 2, oursOnly: [], theirsOnly: [], different: [] });
});

test('lines of another month are counted, and the run of their month compares them', async () => {
  const before = new Date(Date.now() - 40 * 24 * HOUR_MS);
  const lines = [line({ orderId: 'early', at: before }), line({ orderId: 'now' })];
  const { reconciliations } = books.domain;
  const first = await read(lines);
  expect(first).toMatchObject({
    ...{ linesRead: 2, linesOutside: 1, theirsOnly: [{ detail: { orderId: 'now' } }] },
  });
  // A run is over a moment before it has kept what it found.
  await books.rows('update reconciliation_run set found = null where id = $1', [first.id]);
  expect(await reconciliations.of(first.id)).toEqual(first);
  const month = { ...period('main'), from: before, to: new Date(before.getTime() + HOUR_MS) };
  const itsOwn = await reconciliations.read(await reconciliations.begin(month, 'tester'), []);
  expect(itsOwn).toMatchObject({ linesOutside: 0, theirsOnly: [{ detail: { orderId: 'early' } }] });
});

test.each(['1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z'])(
  'a recharge without a line is told in a period that begins at %s',
  async (begin) => {
    const id = await succeeded();
    const { reconciliations } = books.domain;
    const long = { ...period('main'), from: new Date(begin) };
    expect(await reconciliations.read(await reconciliations.begin(long, 'tester'), [])).toMatchObject({
      oursOnly: [{ transactionId: id }],
    });
  },
);

test('one file that is read by four at once, in both orders, is stored once and opens each case once', async () => {
  const [ids, startMs] = [await Promise.all(times(20, () => succeeded())), Date.now() - HOUR_MS / 2];
  const lines = times(400, (n) =>
    line({
      ...{ line: String(n + 1), at: new Date(startMs + n), balanceMinor: BigInt(n + 1) * 100n },
      ...(n % 20 === 0 ? { reference: ids[n / 20]! } : { orderId: `order ${n}` }),
    }),
  ).toSpliced(210, 1);
  const results = await Promise.all(
    times(4, (n) => read(n % 2 === 0 ? lines : lines.toReversed(), 'main', books.open())),
  );
  for (const result of results)
    expect(result).toMatchObject({
      status: 'finished',
      matched: 20,
      oursOnly: [],
      different: [],
      gaps: [{}],
    });
  const [stored] = await books.rows('select count(*)::int as count from statement_line where provider = $1', [
    provider,
  ]);
  expect(stored).toEqual({ count: 399 });
  const kinds = (await casesOf()).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'statement_gap')).toHaveLength(1);
  expect(kinds.filter((kind) => kind === 'statement_theirs_only')).toHaveLength(379);
  expect(kinds).toHaveLength(380);
});
