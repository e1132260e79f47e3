import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import type { NewRecharge, RechargeReport } from '../../src/index.js';
import { type Books, openBooks, recharged, reportOf } from '../support/books.js';
import { caseSteps, orderOf, refunding, USD } from '../support/cases.js';

let books: Books;
let steps: ReturnType<typeof caseSteps>;
beforeAll(async () => {
  books = await openBooks();
  steps = caseSteps(books);
});
afterAll(() => books.close());

const asked = (accountId: string, over: Partial<NewRecharge> = {}) =>
  recharged(books.domain, { accountId, amountMinor: 100n, ...over }, 'submit');
const says = (id: string, news: RechargeReport['news'], providerOrderId: string, money = USD(100n)) =>
  books.domain.applyNews(reportOf(id, news, { source: 'webhook', providerOrderId, money }));
const openCases = async (transactionId: string) =>
  (await books.domain.cases.list({ viewer: null, status: 'open', transactionId, limit: 9 }, refunding)).rows;
const kindsOf = async (id: string) => (await openCases(id)).map(({ kind }) => kind);

test('the order of one recharge is not booked for another one, which a person ends', async () => {
  const first = await asked('own-first');
  const second = await asked('own-second');
  expect(await says(first, 'settled', 'shared')).toMatchObject({ verdict: 'moved', state: 'SUCCEEDED' });
  for (const state of [1, 2].map(() => 'PENDING_CONFIRMATION'))
    expect(await says(second, 'settled', 'shared')).toMatchObject({ state });
  const [one, ...others] = await openCases(second);
  expect(one).toMatchObject({
    ...{ kind: 'booked_elsewhere', verbs: ['fail', 'dismiss'] },
    evidence: {
      evidence: {
        error: expect.stringContaining('recharge_transaction_provider_order'),
        reported: { news: 'settled', providerOrderId: 'shared' },
      },
    },
  });
  expect(others).toEqual([]);
  expect(await books.domain.reads.recharge(second)).toMatchObject({
    ...{ providerOrderId: null, openCases: ['booked_elsewhere'] },
  });
  expect(await steps.resolve(one!.id, 'fail')).toMatchObject({ ok: true });
  expect(await books.domain.reads.recharge(second)).toMatchObject({ state: 'FAILED' });
  expect([await steps.balance('own-first'), await steps.balance('own-second')]).toEqual([
    [100n, 0n],
    [0n, 0n],
  ]);
  expect(await kindsOf(second)).toEqual([]);
});

test('a recharge whose reports named the order of another one goes on with its own, and its case is closed', async () => {
  const first = await asked('goes-on-first');
  const second = await asked('goes-on-second');
  await says(first, 'accepted', 'mixed up');
  await says(second, 'accepted', 'mixed up');
  expect(await kindsOf(second)).toEqual(['booked_elsewhere']);
  expect(await says(second, 'settled', 'its own')).toMatchObject({ verdict: 'moved', state: 'SUCCEEDED' });
  expect(await kindsOf(second)).toEqual([]);
});

test.each(['accepted', 'declined', 'canceled'] as const)(
  'what is said of the order of another recharge, that it is %s, decides nothing',
  async (news) => {
    const first = await asked(`said-first-${news}`);
    const second = await asked(`said-second-${news}`);
    await says(first, 'settled', `said ${news}`);
    const action = { type: 'qr_code', value: 'https://qr.example/1', expiresAt: new Date() } as const;
    const report = reportOf(second, news, { source: 'webhook', providerOrderId: `said ${news}` });
    await books.domain.applyNews({ ...report, action, externalReference: 'of the first' });
    expect(await books.domain.reads.recharge(second)).toMatchObject({
      ...{ state: 'PENDING_CONFIRMATION', confirmation: 'acknowledged', nextStep: 'ask' },
      ...{ action: null, externalReference: null, openCases: ['booked_elsewhere'] },
    });
  },
);

test('an order with money in suspense for one recharge is not the order of another', async () => {
  const first = await asked('held-first');
  await says(first, 'settled', 'own of held');
  expect(await says(first, 'settled', 'second of held')).toMatchObject({ verdict: 'conflict' });
  const second = await asked('held-second');
  expect(await says(second, 'settled', 'second of held')).toMatchObject({ state: 'PENDING_CONFIRMATION' });
  expect(await openCases(second)).toMatchObject([
    { kind: 'booked_elsewhere', evidence: { evidence: { error: expect.stringContaining(first) } } },
  ]);
  const [held] = await openCases(first);
  expect(await steps.resolve(held!.id, 'adopt')).toMatchObject({ ok: true });
  expect(await says(second, 'settled', 'second of held')).toMatchObject({ state: 'PENDING_CONFIRMATION' });
  expect(await steps.balance('held-second')).toEqual([0n, 0n]);
});

test('the order of another recharge brings no money to suspense', async () => {
  const first = await asked('of-other-first');
  await says(first, 'settled', 'own of first');
  const second = await asked('of-other-second');
  await says(second, 'settled', 'own of second');
  expect(await says(second, 'settled', 'own of first')).toMatchObject({ verdict: 'stale' });
  expect(await openCases(second)).toMatchObject([{ kind: 'booked_elsewhere', verbs: ['dismiss'] }]);
  expect(await steps.slots(second)).toEqual(['collect']);
});

test('a recharge that was never sent has a case about the order, and can be sent', async () => {
  const first = await asked('unsent-first');
  await says(first, 'settled', 'known already');
  const second = await recharged(books.domain, { accountId: 'unsent-second', amountMinor: 100n });
  expect(await says(second, 'settled', 'known already')).toMatchObject({ state: 'CREATED' });
  expect(await kindsOf(second)).toEqual(['unsent_order']);
  expect(await books.domain.applyNews(reportOf(second, 'submit'))).toMatchObject({ state: 'SUBMITTED' });
});

test('orders of two accounts of ours at a provider may have one id', async () => {
  const first = await asked('accounts');
  const second = await asked('accounts', { providerAccount: 'second' });
  for (const id of [first, second])
    expect(await says(id, 'settled', 'of both')).toMatchObject({ state: 'SUCCEEDED' });
});

const HELD = JSON.stringify([
  { ...{ amountMinor: '100', currency: 'USD' }, providerOrderId: 'reported at once' },
]);

/** Each writes of one recharge that it has the order, and of the other that it says so meanwhile. */
test.each([
  [
    'its own',
    'in suspense',
    `update recharge_transaction set provider_order_id = 'reported at once' where id = $1`,
  ],
  [
    'in suspense',
    'its own',
    `update reconciliation_case set suspended = suspended || '${HELD}' where transaction_id = $1 and closed_at is null`,
  ],
])(
  'an order that is being written as %s is not booked %s for another recharge meanwhile',
  async (...names) => {
    const [, , sql] = names;
    const fresh = await openBooks();
    const told = (id: string, providerOrderId: string) =>
      fresh.domain.applyNews(reportOf(id, 'settled', { source: 'webhook', providerOrderId }));
    const [own, held] = [
      await recharged(fresh.domain, {}, 'submit'),
      await recharged(fresh.domain, {}, 'submit'),
    ];
    for (const order of ['first of the held', 'second of the held']) await told(held, order);
    const [writing, saying] = names[0] === 'its own' ? [own, held] : [held, own];
    const rival = new pg.Client(fresh.url);
    await rival.connect();
    await rival.query('begin');
    await rival.query(sql, [writing]);
    let isOver = false;
    const report = told(saying, 'reported at once').finally(() => {
      isOver = true;
    });
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    const isSettled = async () => isOver || (await fresh.rows(waits)).length > 0;
    await until(isSettled, { limitMs: 30_000 }, 'the report to wait or to be over');
    await rival.query('commit');
    await rival.end();
    await report;
    const filter = { viewer: null, status: 'open', transactionId: saying, limit: 9 } as const;
    const { rows } = await fresh.domain.cases.list(filter, refunding);
    expect(rows.map(({ kind }) => kind)).toContain('booked_elsewhere');
    await fresh.close();
  },
);

test('a session that named an order while the tables were empty reads no more of them once they are full', async () => {
  const fresh = await openBooks();
  await fresh.rows('alter table recharge_transaction set (autovacuum_enabled = false)');
  const [first, last] = [await recharged(fresh.domain, {}), await recharged(fresh.domain, {})];
  const session = new pg.Client(fresh.url);
  await session.connect();
  const name = (id: string) =>
    session.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, format json)
       update recharge_transaction set provider_order_id = 'order of ${id}' where id = '${id}'`,
    );
  await name(first);
  await fresh.rows(`
    set session_replication_role = replica;
    insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, provider_order_id)
      select gen_random_uuid(), gen_random_uuid(), 'acct', 'collect', 'SUCCEEDED', 1, 'USD', 'p', 'sandbox', 'full ' || n
      from generate_series(1, 20000) n;
    reset session_replication_role`);
  const { Plan: plan } = (await name(last)).rows[0]!['QUERY PLAN'][0];
  expect(plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!).toBeLessThan(150);
  await session.end();
  await fresh.close();
});

test('the end of a refund whose order another recharge has from before is a question to a person', async () => {
  const old = await openBooks();
  const own = caseSteps(old);
  const held = { providerOrderId: 'held' };
  const { id, caseId } = await own.withCase(
    {},
    ['submit'],
    ['settled', { providerOrderId: 'own' }],
    ['settled', held],
  );
  const returned = await own.resolve(caseId, 'return');
  if (!returned.ok) throw new Error(returned.problem);
  const other = await recharged(old.domain, {}, 'submit');
  // Books from before a second recharge of an order was refused.
  await old.rows(`do $$ begin
    set local session_replication_role = replica;
    update recharge_transaction set provider_order_id = '${orderOf(id, 'held')}' where id = '${other}';
    end $$`);
  const refund = returned.refund!.id;
  await old.domain.applyNews(reportOf(refund, 'submit'));
  const declined = reportOf(refund, 'declined', { source: 'poll' });
  expect(await old.domain.applyNews(declined)).toMatchObject({ state: 'PENDING_CONFIRMATION' });
  expect(await old.domain.reads.recharge(refund)).toMatchObject({ openCases: ['booked_elsewhere'] });
  await old.close();
});
