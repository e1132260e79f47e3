import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { keyOfPlanLine } from '../../src/core/plan.js';
import type { News } from '../../src/core/recharge.js';
import type { Domain, NewRecharge } from '../../src/index.js';
import { type Books, CLIENT, newRecharge, openBooks, reportOf, times } from '../support/books.js';
import { caseSteps } from '../support/cases.js';

const AMOUNT_MINOR = 7n;

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  const payee = { provider: 'alibaba_cloud', providerAccount: 'main', from: null, to: 'fa-7' };
  await books.domain.payees.set({ ...payee, accountId: 'acct-cloud', currency: 'USD' }, 'tester');
});
afterAll(() => books.close());

/** A plan that runs. Returns its id. */
async function running(lines: number, accountId = 'acct-1'): Promise<string> {
  const id = uuidv7();
  await books.domain.plans.create({
    ...{
      id,
      clientId: CLIENT,
      idempotencyKey: null,
      name: id,
      currency: 'USD',
      budgetMinor: null,
      canaryMinor: null,
    },
    ...{ totalMinor: AMOUNT_MINOR * BigInt(lines), createdBy: 'operator', correlationId: 'c' },
    lines: times(lines, (n) => ({
      ...{ line: n + 1, accountId, amountMinor: AMOUNT_MINOR, paymentMethod: 'sandbox' },
      ...{ providerAccount: null, destination: null, orderReference: null },
    })),
  });
  await books.domain.plans.move({ planId: id, verb: 'start', by: 'operator' });
  return id;
}

/** Creates the recharge of a line. Returns its id. */
async function started(
  planId: string,
  line: number,
  { domain = books.domain, ...over }: Partial<NewRecharge> & { domain?: Domain } = {},
): Promise<string> {
  const ask = newRecharge({
    ...{
      id: uuidv7(),
      clientId: CLIENT,
      idempotencyKey: keyOfPlanLine(planId, line),
      amountMinor: AMOUNT_MINOR,
    },
    ...over,
  });
  const created = await domain.createRecharge(ask);
  if (!created.ok) throw new Error(created.problem);
  return created.recharge.id;
}

/** The lines of a plan by status, as the counts say. The counts of all plans add up. */
async function counted(planId: string): Promise<Record<string, number>> {
  expect(await books.domain.verify()).toEqual([]);
  const { sums } = (await books.domain.plans.one(planId, null))!;
  for (const { lines, amountMinor } of sums) expect(amountMinor).toBe(AMOUNT_MINOR * BigInt(lines));
  return Object.fromEntries(sums.map(({ status, lines }) => [status, lines]));
}

test.each<readonly [string, ...News[]]>([
  ['accepted'],
  ['canceled', 'withdraw'],
  ['in_progress', 'submit'],
  ['in_progress', 'submit', 'accepted'],
  ['in_progress', 'submit', 'unknown', 'accepted'],
  ['succeeded', 'submit', 'settled'],
  ['succeeded', 'submit', 'accepted', 'settled', 'settled', 'declined'],
  ['failed', 'submit', 'declined'],
  ['failed', 'submit', 'declined', 'declined', 'settled'],
  ['canceled', 'submit', 'accepted', 'canceled'],
])('a line is counted as %s after the news %s %s %s %s %s', async (status, ...news) => {
  const planId = await running(2);
  const id = await started(planId, 1);
  for (const heard of news) await books.domain.applyNews(reportOf(id, heard));
  expect(await counted(planId)).toEqual({ not_started: 1, [status]: 1 });
});

test.each<readonly [string, ...News[]]>([
  ['in_progress'],
  ['in_progress', 'submit', 'accepted'],
  ['succeeded', 'submit', 'settled'],
  ['failed', 'submit', 'declined'],
  ['canceled before it is paid'],
])(
  'a line whose money goes to a cloud is counted as %s after the news %s %s of its delivery',
  async (status, ...news) => {
    const planId = await running(1, 'acct-cloud');
    const id = await started(planId, 1, { accountId: 'acct-cloud', destination: null });
    if (status === 'canceled before it is paid') {
      await books.domain.applyNews(reportOf(id, 'withdraw'));
      expect(await counted(planId)).toEqual({ canceled: 1 });
      return;
    }
    for (const heard of ['submit', 'settled'] as const) await books.domain.applyNews(reportOf(id, heard));
    const [delivery] = await books.rows<{ id: string }>(
      'select id from recharge_transaction where collected_by = $1',
      [id],
    );
    for (const heard of news) await books.domain.applyNews(reportOf(delivery!.id, heard));
    expect(await counted(planId)).toEqual({ [status]: 1 });
  },
);

test('a line whose late money a person adopts is counted as succeeded', async () => {
  const planId = await running(1);
  const id = await started(planId, 1);
  const { report, resolve } = caseSteps(books);
  await report(id, 'submit', { source: 'submission' });
  await report(id, 'declined');
  await report(id, 'settled', { providerOrderId: 'order-1' });
  expect(await counted(planId)).toEqual({ failed: 1 });
  const [open] = await books.rows<{ id: string }>(
    'select id from reconciliation_case where transaction_id = $1',
    [id],
  );
  expect(await resolve(open!.id, 'adopt')).toMatchObject({ ok: true });
  expect(await counted(planId)).toEqual({ succeeded: 1 });
});

test('a key of a plan that does not exist, or of another client, counts nothing', async () => {
  const planId = await running(1);
  const before = await books.rows('select * from recharge_plan_count order by plan_id, share');
  await started(uuidv7(), 1);
  await started(planId, 2);
  expect(await books.rows('select * from recharge_plan_count order by plan_id, share')).toEqual(before);
  expect(await counted(planId)).toEqual({ not_started: 1 });
});

test('a refusal and a recharge of the same lines at once count each line once, as its recharge', async () => {
  const lines = 20;
  const planId = await running(lines);
  const other = books.open();
  await Promise.all(
    times(lines, async (n) => {
      const refusal = { place: n + 1, code: 'INTERNAL_ERROR', message: 'x' };
      await Promise.all([
        books.domain.plans.work.advance(planId, n + 1, [refusal]),
        started(planId, n + 1, { domain: other }),
      ]);
    }),
  );
  expect(await counted(planId)).toEqual({ accepted: lines });
});

test('the lines of two plans that several processes move at once are all counted, and none waits for another', async () => {
  const lines = 60;
  const planIds = [await running(lines), await running(lines)];
  const domains = [books.domain, books.open(), books.open()];
  const ids = await Promise.all(
    planIds.flatMap((planId) =>
      times(lines, (n) => started(planId, n + 1, { accountId: `acct-${n}`, domain: domains[n % 3]! })),
    ),
  );
  for (const news of ['submit', 'settled'] as const)
    await Promise.all(ids.map((id, n) => domains[n % 3]!.applyNews(reportOf(id, news))));
  for (const planId of planIds) expect(await counted(planId)).toEqual({ succeeded: lines });
});

test('a statement that finds all counts of a plan held makes another share, and waits for none', async () => {
  const planId = await running(2);
  await started(planId, 1);
  const holder = new pg.Client(books.url);
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select from recharge_plan_count where plan_id = $1 for update', [planId]);
    await started(planId, 2);
  } finally {
    await holder.end();
  }
  expect(await books.rows('select from recharge_plan_count where plan_id = $1', [planId])).toHaveLength(2);
  expect(await counted(planId)).toEqual({ accepted: 2 });
});

test('a migration counts the lines that older releases have made', async () => {
  const planId = await running(4, 'acct-cloud');
  const ids = await Promise.all(
    times(3, (n) => started(planId, n + 1, { accountId: 'acct-cloud', destination: null })),
  );
  for (const heard of ['submit', 'settled'] as const) await books.domain.applyNews(reportOf(ids[0]!, heard));
  await books.domain.applyNews(reportOf(ids[1]!, 'withdraw'));
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    delete from recharge_plan_count;
    update recharge_transaction set recharge_plan_id = null;
    commit`);
  expect(await books.domain.verify()).toMatchObject([{ invariant: 'plans_are_counted' }]);
  const file = new URL(
    '../../../../prisma/migrations/20261201100100_plan_counts_kept/migration.sql',
    import.meta.url,
  );
  const statements = (await readFile(file, 'utf8')).split(/(?<=;)\n/);
  for (const statement of statements.filter((one) => /^(UPDATE|INSERT)/.test(one.trim())))
    await books.rows(statement);
  expect(await counted(planId)).toEqual({ not_started: 1, accepted: 1, in_progress: 1, canceled: 1 });
  const [delivery] = await books.rows<{ id: string }>(
    'select id from recharge_transaction where collected_by = $1',
    [ids[0]],
  );
  for (const heard of ['submit', 'settled'] as const)
    await books.domain.applyNews(reportOf(delivery!.id, heard));
  expect(await counted(planId)).toEqual({ not_started: 1, accepted: 1, succeeded: 1, canceled: 1 });
});
