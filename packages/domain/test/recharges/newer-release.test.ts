import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Books, openBooks, recharged, reportOf } from '../support/books.js';

// While a newer release is rolled out, its migration has run, and its rows are in the same tables.
let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(`
    alter table recharge_transaction
      drop constraint recharge_transaction_kind,
      drop constraint recharge_transaction_state,
      drop constraint recharge_transaction_next_step;
    create or replace function is_legal_move(from_state text, to_state text) returns boolean
      language sql immutable return true;
    drop trigger recharge_transaction_same_terms on recharge_transaction`);
});
afterAll(() => books.close());

/** A recharge with one value that this release does not know. */
async function unknownTo(
  column: 'kind' | 'state' | 'next_step',
  word: string,
  ...news: ('submit' | 'accepted')[]
) {
  const id = await recharged(books.domain, {}, ...news);
  await books.rows(`update recharge_transaction set ${column} = $2, version = version + 1 where id = $1`, [
    id,
    word,
  ]);
  return id;
}

const traces = async (id: string) => {
  const [row] = await books.rows(
    `select t.state, t.next_step, t.attempt, t.seq, t.version,
       (select count(*)::int from provider_call c where c.transaction_id = t.id) as calls,
       (select count(*)::int from ledger_journal j where j.transaction_id = t.id) as journals,
       (select count(*)::int from reconciliation_case c where c.transaction_id = t.id) as cases
     from recharge_transaction t where id = $1`,
    [id],
  );
  return row;
};

describe.each([
  { column: 'kind', word: 'donate' },
  { column: 'state', word: 'REFUNDED' },
  { column: 'next_step', word: 'await' },
] as const)('a recharge whose $column is $word', ({ column, word }) => {
  test('is not claimed', async () => {
    const id = await unknownTo(column, word);
    const before = await traces(id);
    expect(await books.domain.applyNews(reportOf(id, 'submit'))).toMatchObject({ claim: null });
    expect(await traces(id)).toEqual(before);
  });

  test.each(['settled', 'declined', 'accepted', 'canceled'] as const)(
    'ignores a report of %s',
    async (news) => {
      const id = await unknownTo(column, word, 'submit', 'accepted');
      const before = await traces(id);
      const heard = await books.domain.applyNews(reportOf(id, news, { source: 'webhook' }));
      expect(heard).toMatchObject({ verdict: 'not_understood', claim: null });
      expect(await traces(id)).toEqual(before);
    },
  );
});

test('a recharge of an unknown kind is not asked about', async () => {
  const id = await unknownTo('kind', 'donate', 'submit', 'accepted');
  expect(await books.domain.reads.outstanding(id)).toBeNull();
});

test('a recharge of an unknown kind is not claimed even if its version is 0', async () => {
  const id = await recharged(books.domain, {});
  await books.rows(`update recharge_transaction set kind = 'donate' where id = $1`, [id]);
  expect(await books.domain.applyNews(reportOf(id, 'submit'))).toMatchObject({
    verdict: 'not_understood',
    claim: null,
  });
  expect(await traces(id)).toMatchObject({ attempt: 0, calls: 0, version: 0 });
});

test.each([
  ['kind', 'donate'],
  ['next_step', 'await'],
] as const)('a due recharge whose %s is %s is left to the newer release’s sweep', async (column, word) => {
  const [unknown, known] = [await unknownTo(column, word), await recharged(books.domain, {})];
  await books.rows(
    `update recharge_transaction set due_at = now() - interval '1 hour', version = version + 1 where id = any($1)`,
    [[unknown, known]],
  );
  const dueTime = () => books.rows('select due_at from recharge_transaction where id = $1', [unknown]);
  const before = await dueTime();
  const taken = (await books.domain.takeDue(1_000)).map(({ id }) => id);
  expect(taken).toContain(known);
  expect(taken).not.toContain(unknown);
  expect(await dueTime()).toEqual(before);
});
