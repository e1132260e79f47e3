import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Domain, NewRecharge } from '../../src/index.js';
import { type Books, deposit, newRecharge, openBooks, reportOf, times } from '../support/books.js';

let books: Books;
let processes: Domain[];
beforeAll(async () => {
  books = await openBooks();
  processes = [books.domain, ...times(3, () => books.open({ poolMax: 2 }))];
});
afterAll(() => books.close());
afterEach(() => {
  jest.useRealTimers();
});

const ceiling = { requestMinor: null, dayMinor: 10_000n };
const ask = (domain: Domain, over: Partial<NewRecharge>) =>
  domain.createRecharge({ ...newRecharge(over), ceiling });

/** The sums of the counter, and the sums of the recharges that it counts. */
async function counted(clientId: string): Promise<{ counter: number; recharges: number }> {
  const [row] = await books.rows<{ counter: number; recharges: number }>(
    `select (select day_sum(amounts, day_step(now()))::int from day_counter where client_id = $1) as counter,
      (select coalesce(sum(amount_minor), 0)::int from recharge_transaction
        where client_id = $1 and day_step is not null and state not in ('FAILED', 'CANCELED')) as recharges`,
    [clientId],
  );
  return row!;
}

test.each(['collect', 'deliver'] as const)(
  'processes at once fill a day exactly up to its ceiling: %s',
  async (kind) => {
    const clientId = uuidv7();
    const accountId = `wallet-${kind}`;
    await deposit(books.domain, accountId, 1_000_000n);
    const created = await Promise.all(
      times(80, (n) => ask(processes[n % 4]!, { kind, clientId, accountId, amountMinor: 900n })),
    );
    expect(created.filter(({ ok }) => ok)).toHaveLength(11);
    expect(created.filter((one) => !one.ok && one.problem === 'above_ceiling')).toHaveLength(69);
    expect(await counted(clientId)).toEqual({ counter: 9_900, recharges: 9_900 });
    expect(await ask(processes[1]!, { kind, clientId, accountId, amountMinor: 100n })).toMatchObject({
      ok: true,
    });
    expect(await ask(processes[2]!, { kind, clientId, accountId, amountMinor: 1n })).toMatchObject({
      ok: false,
    });
  },
);

test('a failed or canceled recharge frees its room once, while others are created', async () => {
  const clientId = uuidv7();
  const accountId = 'back-and-forth';
  await deposit(books.domain, accountId, 1_000_000n);
  const end = async (domain: Domain, id: string, n: number) => {
    if (n % 3 === 0) return domain.applyNews(reportOf(id, 'withdraw'));
    await domain.applyNews(reportOf(id, 'submit'));
    const news = n % 3 === 1 ? 'declined' : 'settled';
    return Promise.all([domain.applyNews(reportOf(id, news)), domain.applyNews(reportOf(id, news))]);
  };
  await Promise.all(
    times(120, async (n) => {
      const domain = processes[n % 4]!;
      const kind = n % 2 ? ('collect' as const) : ('deliver' as const);
      const created = await ask(domain, { kind, clientId, accountId, amountMinor: 500n });
      if (created.ok) await end(processes[(n + 1) % 4]!, created.recharge.id, n);
    }),
  );
  const { counter, recharges } = await counted(clientId);
  expect(counter).toBe(recharges);
  expect(counter).toBeGreaterThan(0);
  expect(counter).toBeLessThanOrEqual(10_000);
  const findings = await books.domain.verify();
  // Most clients of this file have no row in the table of clients.
  expect(findings.filter(({ invariant }) => invariant !== 'known_client')).toEqual([]);
});

test('a repeated or uncovered request adds nothing to the counter', async () => {
  const clientId = uuidv7();
  const first = { clientId, idempotencyKey: 'once', amountMinor: 6_000n };
  expect(await ask(books.domain, first)).toMatchObject({ ok: true, replayed: false });
  expect(await ask(books.domain, first)).toMatchObject({ ok: true, replayed: true });
  expect(await ask(books.domain, { clientId, amountMinor: 5_000n })).toEqual({
    ok: false,
    problem: 'above_ceiling',
  });
  expect(
    await ask(books.domain, { clientId, kind: 'deliver', accountId: 'poor', amountMinor: 4_000n }),
  ).toEqual({
    ok: false,
    problem: 'insufficient_balance',
  });
  expect(await counted(clientId)).toEqual({ counter: 6_000, recharges: 6_000 });
});

test('the database’s clock gives the day: a process whose clock is 26 h ahead gets no extra room', async () => {
  const clientId = uuidv7();
  await ask(books.domain, { clientId, amountMinor: 10_000n });
  jest.useFakeTimers({
    now: Date.now() + 26 * 3_600_000,
    doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'],
  });
  expect(await ask(books.domain, { clientId, amountMinor: 1n })).toEqual({
    ok: false,
    problem: 'above_ceiling',
  });
});
