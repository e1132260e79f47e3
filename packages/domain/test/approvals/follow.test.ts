import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import { type Books, newRecharge, openBooks } from '../support/books.js';

let books: Books;
let rival: pg.Client;
beforeAll(async () => {
  books = await openBooks();
  rival = new pg.Client(books.url);
  await rival.connect();
});
afterAll(async () => {
  await rival.end();
  await books.close();
});

const waitsForLock = async () =>
  (
    await books.rows(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
  ).length > 0;

test('a look at a recharge that waits does not put off the decision of the same moment', async () => {
  const created = await books.domain.createRecharge(
    newRecharge({ amountMinor: 11n, approvalAboveMinor: 10n }),
  );
  if (!created.ok) throw new Error(created.problem);
  const { id } = created.recharge;
  await rival.query('begin');
  await rival.query(
    `update approval set status = 'approved', decided_by = 'eve', decided_at = now() where subject = $1`,
    [id],
  );
  await rival.query(
    `update recharge_transaction set due_at = clock_timestamp() - interval '1 s' where id = $1`,
    [id],
  );
  const looked = books.domain.approvals.follow(id);
  await until(waitsForLock, { limitMs: 30_000 }, 'a look that waits for the decision');
  await rival.query('commit');
  expect(await looked).toBeNull();
  const lane = { what: 'recharge', provider: 'sandbox', nextStep: 'approve' } as const;
  expect(await books.domain.takeDue(10, lane)).toEqual([{ ...lane, id }]);
  expect(await books.domain.approvals.follow(id)).toMatchObject({ state: 'CREATED' });
});
