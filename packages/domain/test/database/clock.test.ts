import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { type Books, CLIENT, openBooks, RECONCILE_AFTER_MS, recharged, reportOf } from '../support/books.js';

const HOUR_MS = 3_600_000;

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());
afterEach(() => {
  jest.useRealTimers();
});

const timers = [
  ...(['nextTick', 'queueMicrotask', 'performance', 'hrtime', 'setImmediate', 'clearImmediate'] as const),
  ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];

/** The milliseconds until the due time of a recharge, by the database's clock. */
async function dueInMs(id: string): Promise<number> {
  const [row] = await books.rows<{ ms: number }>(
    'select (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as ms from recharge_transaction where id = $1',
    [id],
  );
  return row!.ms;
}

// Summer time changes the displayed time but not the epoch, so it never causes a difference of an hour here.
test.each([-HOUR_MS, HOUR_MS])(
  'a worker whose clock is %d ms off sets the due times of the database',
  async (off) => {
    jest.useFakeTimers({ now: Date.now() + off, doNotFake: timers });
    expect(Math.abs(Date.now() - performance.timeOrigin - performance.now())).toBeGreaterThan(HOUR_MS / 2);
    const id = await recharged(books.domain, {});
    expect(await dueInMs(id)).toBeLessThanOrEqual(2_000);
    await books.domain.applyNews(reportOf(id, 'submit'));
    const claimed = await dueInMs(id);
    expect(claimed).toBeGreaterThan(0);
    expect(claimed).toBeLessThanOrEqual(8_000);
    await books.domain.applyNews(reportOf(id, 'accepted'));
    expect(await dueInMs(id)).toBeLessThanOrEqual(1.25 * RECONCILE_AFTER_MS);
    expect(await books.domain.takeDue(10)).toEqual([]);
    await books.rows(`update recharge_transaction set due_at = now() - interval '1 s' where id = $1`, [id]);
    expect((await books.domain.takeDue(10)).map((due) => due.id)).toEqual([id]);
  },
);

const PENDING = 100_000;
const BATCH = 500;
const BATCHES = 12;

test(`behind ${PENDING} due rows a sweeper takes the oldest first, no row twice, and the time of a batch depends on its size only`, async () => {
  await books.rows(
    `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, next_step, due_at)
      select lpad(n::text, 32, '0')::uuid, $1, 'acct-1', 'collect', 'CREATED', 1, 'USD', 'sandbox', 'sandbox', 'submit',
        now() - interval '1 day' + n * interval '1 ms'
      from generate_series(1, $2::int) n`,
    [CLIENT, PENDING],
  );
  const lane = { what: 'recharge', provider: 'sandbox', nextStep: 'submit' } as const;
  const takenIds: string[] = [];
  for (let batch = 0; batch < BATCHES; batch++)
    takenIds.push(...(await books.domain.takeDue(BATCH, lane)).map(({ id }) => id));
  const oldest = Array.from({ length: BATCH * BATCHES }, (_, n) => n + 1);
  expect(takenIds.map((id) => Number(id.replaceAll('-', ''))).sort((a, b) => a - b)).toEqual(oldest);
  const plan = await books.rows<{ 'QUERY PLAN': string }>(
    `explain select id from recharge_transaction
      where provider = 'sandbox' and next_step = 'submit' and due_at <= now() order by due_at limit ${BATCH} for update skip locked`,
  );
  const steps = plan.map((row) => row['QUERY PLAN']).join('\n');
  expect(steps).toContain('recharge_transaction_due_lane');
  expect(steps).not.toMatch(/Sort|Seq Scan/);
}, 120_000);
