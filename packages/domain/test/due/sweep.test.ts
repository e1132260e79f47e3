import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { type Lane, StoreUnavailable } from '../../src/index.js';
import type { Run } from '../../src/store/database/database.js';
import { openSweep } from '../../src/store/due/sweep.js';
import { type Books, openBooks, RECONCILE_AFTER_MS, recharged, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());
// The rows of earlier tests get a due time in the far future.
beforeEach(async () => {
  for (const table of ['recharge_transaction', 'webhook_event'])
    await books.rows(`update ${table} set due_at = now() + interval '1 day' where due_at is not null`);
});

const makeDue = (ids: readonly string[]) =>
  books.rows(`update recharge_transaction set due_at = now() - interval '1 minute' where id = any($1)`, [
    ids,
  ]);
const keepEvent = async () => {
  const id = uuidv7();
  const rawBody = Buffer.from(id);
  await books.domain.inbox.keep({ id, provider: 'sandbox', eventId: id, rawBody, correlationId: 'c' });
  return id;
};

test('without due rows a sweep takes none', async () => {
  await recharged(books.domain, {}, 'submit');
  await recharged(books.domain, {}, 'submit', 'settled');
  await keepEvent();
  expect(await books.domain.takeDue(10)).toEqual([]);
});

test('two sweepers at once take all due rows, and no row twice', async () => {
  const ids = await Promise.all(times(300, () => recharged(books.domain, {})));
  await makeDue(ids);
  // With a short period, the first rows would be due again before a slow machine has taken the last ones.
  const sweepers = times(2, () => books.open({ sweepPeriodMs: 600_000 }));
  const taken = await Promise.all(times(8, (n) => sweepers[n % 2]!.takeDue(60)));
  // A sweeper skips rows that another one has locked. The next sweep takes the rest.
  const all = [...taken.flat(), ...(await sweepers[0]!.takeDue(300))].map(({ id }) => id);
  expect(all.toSorted()).toEqual(ids.toSorted());
  expect(await sweepers[0]!.takeDue(300)).toEqual([]);
});

test('the rows that are due longest come first, and no more than asked for', async () => {
  const ids = await Promise.all(times(5, () => recharged(books.domain, {})));
  for (const [n, id] of ids.entries()) {
    await books.rows("update recharge_transaction set due_at = now() - $2 * interval '1 s' where id = $1", [
      id,
      n + 1,
    ]);
  }
  const taken = await books.domain.takeDue(2);
  expect(taken.map(({ id }) => id).toSorted()).toEqual(ids.slice(3).toSorted());
  expect(taken[0]).toMatchObject({ what: 'recharge', provider: 'sandbox', nextStep: 'submit' });
});

test('the gap doubles with each fruitless sweep up to four times, and news resets it', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  const gapInUnits = async () => {
    const [row] = await books.rows<{ ms: number }>(
      'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
      [id],
    );
    return row!.ms / RECONCILE_AFTER_MS;
  };
  for (const units of [1, 2, 4, 4, 4]) {
    await makeDue([id]);
    expect(await books.domain.takeDue(10)).toEqual([
      { what: 'recharge', id, provider: 'sandbox', nextStep: 'ask' },
    ]);
    const gap = await gapInUnits();
    expect(gap).toBeGreaterThan(units * 0.74);
    expect(gap).toBeLessThanOrEqual(units * 1.25);
  }
  await books.domain.applyNews(reportOf(id, 'accepted'));
  expect(await gapInUnits()).toBeLessThanOrEqual(1.25);
});

test('the gap to the next step counts from when the row’s lock was obtained', async () => {
  const id = await recharged(books.domain, {});
  const holder = new pg.Client(books.url);
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from recharge_transaction where id = $1 for update', [id]);
  const claim = books.domain.applyNews(reportOf(id, 'submit'));
  await holder.query('select pg_sleep(1.2)');
  await holder.query('rollback');
  await holder.end();
  expect((await claim).claim).not.toBeNull();
  const [row] = await books.rows<{ left: number; age: number }>(
    `select extract(epoch from t.due_at - clock_timestamp())::float8 as left,
      extract(epoch from clock_timestamp() - c.started_at)::float8 as age
    from recharge_transaction t join provider_call c on c.transaction_id = t.id where t.id = $1`,
    [id],
  );
  // In these books the time limit of a submit is eight seconds.
  expect(row!.left).toBeGreaterThan(7.2);
  expect(row!.age).toBeLessThan(1);
});

test('a sweep changes only the due time, so a decision that was taken before it still holds', async () => {
  const id = await recharged(books.domain, {});
  await makeDue([id]);
  const [[taken], heard] = await Promise.all([
    books.domain.takeDue(10),
    books.domain.applyNews(reportOf(id, 'submit')),
  ]);
  expect(heard.claim).not.toBeNull();
  expect([id, undefined]).toContain(taken?.id);
  expect(await books.domain.reads.recharge(id)).toMatchObject({ state: 'SUBMITTED' });
});

test('an event is due again and again until it is processed', async () => {
  const [open, filed] = [await keepEvent(), await keepEvent()];
  const transactionId = await recharged(books.domain, {}, 'submit');
  await books.domain.applyNews(reportOf(transactionId, 'settled', { source: 'webhook', eventId: filed }));
  await books.rows(
    `update webhook_event set due_at = now() - interval '1 s' where due_at is not null and id = any($1)`,
    [[open, filed]],
  );
  expect(await books.domain.takeDue(10)).toEqual([{ what: 'event', id: open }]);
  expect(await books.domain.takeDue(10)).toEqual([]);
});

const dueInMs = async (id: string): Promise<number> => {
  const [row] = await books.rows<{ ms: number }>(
    'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
    [id],
  );
  return row!.ms;
};

test('a recharge whose submit job is lost is due again after one or two periods, for any reconcileAfterMs', async () => {
  const domain = books.open({ sweepPeriodMs: 15_000, reconcileAfterMs: 120_000 });
  const id = await recharged(domain, {});
  for (let lost = 0; lost < 5; lost++) {
    await makeDue([id]);
    expect(await domain.takeDue(10)).toEqual([
      { what: 'recharge', id, provider: 'sandbox', nextStep: 'submit' },
    ]);
    const ms = await dueInMs(id);
    expect(ms).toBeGreaterThan(14_500);
    expect(ms).toBeLessThanOrEqual(30_000);
  }
});

test('a recharge that has waited for an hour is due again after minutes', async () => {
  const domain = books.open({ sweepPeriodMs: 15_000, reconcileAfterMs: 120_000 });
  const id = await recharged(domain, {});
  await books.rows(`update recharge_transaction set created_at = now() - interval '1 hour' where id = $1`, [
    id,
  ]);
  await makeDue([id]);
  await domain.takeDue(10);
  const ms = await dueInMs(id);
  expect(ms).toBeGreaterThan(239_000);
  expect(ms).toBeLessThanOrEqual(480_000);
});

test('a recharge is not taken for a second query within the longest time of the first', async () => {
  const domain = books.open({ providerTimeoutMs: 100_000, reconcileAfterMs: 100 });
  const id = await recharged(domain, {}, 'submit', 'unknown');
  await makeDue([id]);
  await domain.takeDue(10);
  expect(await dueInMs(id)).toBeGreaterThan(103_000);
});

test('a sweep of one lane takes no row of another', async () => {
  const [fresh, elsewhere] = [
    await recharged(books.domain, {}),
    await recharged(books.domain, { provider: 'alipay' }),
  ];
  const sent = await recharged(books.domain, {}, 'submit', 'unknown');
  await makeDue([fresh, elsewhere, sent]);
  const event = await keepEvent();
  await books.rows(`update webhook_event set due_at = now() - interval '1 s' where id = $1`, [event]);
  const take = async (lane: Lane) => (await books.domain.takeDue(10, lane)).map(({ id }) => id);
  expect(await take({ what: 'recharge', provider: 'sandbox', nextStep: 'ask' })).toEqual([sent]);
  expect(await take({ what: 'recharge', provider: 'sandbox', nextStep: 'submit' })).toEqual([fresh]);
  expect(await take({ what: 'event' })).toEqual([event]);
  expect(await books.domain.dueElsewhere(['sandbox'])).toEqual([{ provider: 'alipay', count: 1 }]);
  expect(await books.domain.dueElsewhere(['sandbox', 'alipay'])).toEqual([]);
  expect((await books.domain.takeDue(10)).map(({ id }) => id)).toEqual([elsewhere]);
});

test('a lane of recharges has work only while one of its own is due', async () => {
  const [fresh, elsewhere] = [
    await recharged(books.domain, {}),
    await recharged(books.domain, { provider: 'alipay' }),
  ];
  const [ofSandbox, ofAlipay] = (['sandbox', 'alipay'] as const).map((provider) =>
    books.domain.lanes([provider]).filter(({ what }) => what === 'recharge'),
  );
  const lanes = books.domain.lanes(['alipay', 'sandbox']);
  const others = lanes.filter(({ what }) => what !== 'recharge');
  expect(others.length).toBeGreaterThan(3);
  expect(await books.domain.lanesWithWork(lanes)).toEqual(others);
  await makeDue([fresh]);
  expect(await books.domain.lanesWithWork(lanes)).toEqual([ofSandbox![0], ...others]);
  await makeDue([elsewhere]);
  expect(await books.domain.lanesWithWork(lanes)).toEqual([ofAlipay![0], ofSandbox![0], ...others]);
  expect(await books.domain.lanesWithWork(ofSandbox!)).toEqual([ofSandbox![0]]);
  await books.domain.takeDue(10, ofSandbox![0]);
  expect(await books.domain.lanesWithWork([...ofSandbox!, ...ofAlipay!])).toEqual([ofAlipay![0]]);
  expect(await books.domain.lanesWithWork([])).toEqual([]);
});

test('lanes whose work cannot be told count as having some', async () => {
  const run: Run = async () => {
    throw new StoreUnavailable('away');
  };
  const sweep = openSweep(run, { afterMs: 1, queryLimitMs: 1, periodMs: 1 });
  const lanes = sweep.lanes(['sandbox']);
  expect(await sweep.lanesWithWork(lanes)).toEqual(lanes);
});

test('a row that is put back is due again', async () => {
  const id = await recharged(books.domain, {});
  const event = await keepEvent();
  await makeDue([id]);
  await books.rows(`update webhook_event set due_at = now() - interval '1 s' where id = $1`, [event]);
  const taken = await books.domain.takeDue(10);
  expect(taken.map((one) => one.id).toSorted()).toEqual([id, event].toSorted());
  await books.domain.putBack(taken);
  expect((await books.domain.takeDue(10)).map((one) => one.id).toSorted()).toEqual([id, event].toSorted());
});

test('takeWaiting takes one unfinished recharge or all of them, due or not, and no final or unknown one', async () => {
  const waiting = await recharged(books.domain, {}, 'submit', 'unknown');
  const done = await recharged(books.domain, {}, 'submit', 'settled');
  const taken = [{ what: 'recharge', id: waiting, provider: 'sandbox', nextStep: 'ask' }];
  expect(await books.domain.takeWaiting(10, waiting)).toEqual(taken);
  expect(await books.domain.takeWaiting(10, done)).toEqual([]);
  expect(await books.domain.takeWaiting(10, 'no uuid')).toEqual([]);
  expect(await books.domain.takeWaiting(10_000)).toContainEqual(taken[0]);
});

test('all that waits is taken once, although it goes on waiting', async () => {
  const ids = await Promise.all(times(120, () => recharged(books.domain, {})));
  const taken = (await books.domain.takeWaiting(10_000)).map(({ id }) => id);
  expect(taken).toEqual(expect.arrayContaining(ids));
  expect(new Set(taken).size).toBe(taken.length);
});
