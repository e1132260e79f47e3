import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { News, ReportSource } from '../../src/index.js';
import { type Books, deposit, openBooks, RECONCILE_AFTER_MS, recharged, reportOf } from '../support/books.js';

let books: Books;
const refused: string[] = [];
beforeAll(async () => {
  books = await openBooks();
  await books.closeDomains();
});
afterEach(async () => {
  await books.rows('drop function if exists refuse_one cascade');
  expect(await open().verify()).toEqual([]);
  await books.closeDomains();
});
afterAll(() => books.close());

const open = () =>
  books.open({ random: () => 0.5, onRefused: (id, error) => refused.push(`${id} ${error.message}`) });

/** Makes the database refuse each transition of one recharge with this news. A retry meets the same error. */
const refuse = (id: string, news: News, sqlState = 'P0001') =>
  books.rows(`
    create or replace function refuse_one() returns trigger language plpgsql as $$
    begin raise exception 'not this one' using errcode = '${sqlState}'; end $$;
    create trigger refuse_one before insert on transition for each row
      when (new.transaction_id = '${id}' and new.news = '${news}') execute function refuse_one()`);

const cases = (id: string) =>
  books.rows(
    `select kind, subject, detail, closed_at is not null as closed, resolution from reconciliation_case
    where transaction_id = $1 order by opened_at`,
    [id],
  );
/** The gap until the recharge is due again, as a multiple of the shortest gap. */
const gap = async (id: string) => {
  const [row] = await books.rows<{ gap: number | null }>(
    `select round(extract(epoch from due_at - now()) * 1000 / ${RECONCILE_AFTER_MS})::int as gap
    from recharge_transaction where id = $1`,
    [id],
  );
  return row!.gap;
};

test.each([
  ['submission', 'accepted', 'SUBMITTED', ['submit']],
  ['poll', 'settled', 'PENDING_CONFIRMATION', ['submit', 'accepted']],
  ['webhook', 'declined', 'PENDING_CONFIRMATION', ['submit', 'accepted']],
  ['submission', 'submit', 'CREATED', []],
] satisfies [ReportSource, News, string, News[]][])(
  'the third refusal of a %s with %s opens a case, and the gaps grow',
  async (source, news, state, before) => {
    const domain = open();
    const id = await recharged(domain, {}, ...before);
    await refuse(id, news);
    const gaps: unknown[] = [];
    for (let n = 0; n < 4; n++) {
      expect(await cases(id)).toHaveLength(n < 3 ? 0 : 1);
      const heard = await domain.applyNews(reportOf(id, news, { source }));
      expect(heard).toMatchObject({ verdict: 'refused', state, claim: null });
      gaps.push(await gap(id));
    }
    expect(gaps).toEqual([1, 2, 4, 8]);
    expect(refused.filter((line) => line === `${id} not this one`)).toHaveLength(4);
    expect(await cases(id)).toMatchObject([
      { kind: 'unprocessable', subject: id, closed: false, detail: { source, news, error: 'not this one' } },
    ]);
  },
);

test('the next report that moves the recharge closes the case of refusals', async () => {
  const domain = open();
  const id = await recharged(domain, {}, 'submit', 'accepted');
  await refuse(id, 'settled');
  for (let n = 0; n < 3; n++) await domain.applyNews(reportOf(id, 'settled', { source: 'poll' }));
  // This report is recorded and moves nothing, so it does not close the case.
  await domain.applyNews(reportOf(id, 'unknown', { source: 'poll', doubt: 'absent_order' }));
  expect((await cases(id)).map(({ kind, closed }) => `${kind} ${closed}`).toSorted()).toEqual([
    'absent_order false',
    'unprocessable false',
  ]);
  await books.rows('drop function refuse_one cascade');
  expect(await domain.applyNews(reportOf(id, 'settled'))).toMatchObject({
    verdict: 'moved',
    state: 'SUCCEEDED',
  });
  expect((await cases(id)).find(({ kind }) => kind === 'unprocessable')).toMatchObject({
    closed: true,
    resolution: 'a later report was recorded',
  });
  expect(await books.rows('select refusals from recharge_transaction where id = $1', [id])).toEqual([
    { refusals: 0 },
  ]);
});

test('a refused event is linked to its recharge, stays due, and waits longer each time', async () => {
  const domain = open();
  const id = await recharged(domain, {}, 'submit', 'accepted');
  const event = { id, provider: 'sandbox', eventId: `evt-${id}`, rawBody: Buffer.from('{}') };
  await domain.inbox.keep({ ...event, correlationId: 'c-1' });
  await refuse(id, 'settled');
  for (let n = 0; n < 3; n++)
    await domain.applyNews(reportOf(id, 'settled', { source: 'webhook', eventId: event.id }));
  const rows = await books.rows(
    `select transaction_id, processed_at, round(extract(epoch from due_at - now()) * 1000 / ${RECONCILE_AFTER_MS})::int
      as gap
    from webhook_event where id = $1`,
    [event.id],
  );
  expect(rows).toEqual([{ transaction_id: id, processed_at: null, gap: 4 }]);
  expect(await cases(id)).toMatchObject([{ kind: 'unprocessable' }]);
});

test('a refused event of a final recharge opens a case, and the recharge stays final', async () => {
  const domain = open();
  const id = await recharged(domain, {}, 'submit', 'declined');
  await refuse(id, 'settled');
  for (let n = 0; n < 3; n++) await domain.applyNews(reportOf(id, 'settled', { source: 'webhook' }));
  expect(await cases(id)).toMatchObject([{ kind: 'unprocessable' }]);
  expect(await gap(id)).toBeNull();
});

test('a full wallet refuses a settlement, and the other report of the batch is recorded', async () => {
  const domain = open();
  const accountId = 'acct-full';
  const id = await recharged(domain, { accountId, amountMinor: 9n }, 'submit', 'accepted');
  const [tooMuch, other] = await Promise.all([
    recharged(domain, { accountId, amountMinor: 3n }, 'submit', 'accepted'),
    recharged(domain, {}, 'submit', 'accepted'),
  ]);
  // These recharges are accepted while the wallet is empty.
  await deposit(domain, accountId, 2n ** 63n - 10n);
  await domain.applyNews(reportOf(id, 'settled'));
  const answers = await Promise.all([
    domain.applyNews(reportOf(tooMuch, 'settled', { source: 'poll' })),
    domain.applyNews(reportOf(other, 'settled', { source: 'poll' })),
  ]);
  expect(answers.map(({ verdict }) => verdict)).toEqual(['refused', 'moved']);
});

describe('an error that is no refusal of one recharge', () => {
  test.each(['42601', 'XX000'])('is thrown and not counted (%s)', async (sqlState) => {
    const domain = open();
    const id = await recharged(domain, {}, 'submit');
    await refuse(id, 'settled', sqlState);
    for (let n = 0; n < 3; n++)
      await expect(domain.applyNews(reportOf(id, 'settled'))).rejects.toThrow('not this one');
    expect(await cases(id)).toEqual([]);
  });

  test('is thrown to a client', async () => {
    const domain = open();
    const id = await recharged(domain, {});
    await refuse(id, 'withdraw');
    for (let n = 0; n < 3; n++)
      await expect(domain.applyNews(reportOf(id, 'withdraw', { source: 'client' }))).rejects.toThrow(
        'not this one',
      );
    expect(await cases(id)).toEqual([]);
  });

  test('is thrown for a text that is no id', async () => {
    await expect(open().applyNews(reportOf('no uuid', 'settled', { source: 'poll' }))).rejects.toThrow(
      'uuid',
    );
  });
});
