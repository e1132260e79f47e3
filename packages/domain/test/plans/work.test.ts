import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { keyOfPlanLine } from '../../src/core/plan.js';
import type { NewPlan } from '../../src/index.js';
import { type Books, CLIENT, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const planOf = (lines: number): NewPlan => ({
  ...{ id: uuidv7(), clientId: CLIENT, idempotencyKey: null, name: randomUUID(), currency: 'USD' },
  ...{
    totalMinor: BigInt(lines),
    budgetMinor: null,
    canaryMinor: null,
    createdBy: 'operator',
    correlationId: 'c',
  },
  lines: Array.from({ length: lines }, (_, at) => ({
    ...{ line: at + 1, accountId: 'acct-1', amountMinor: 1n, paymentMethod: 'sandbox' },
    ...{ providerAccount: null, destination: null, orderReference: null },
  })),
});

/** A plan that runs. Returns its id. */
async function running(lines: number): Promise<string> {
  const plan = planOf(lines);
  await books.domain.plans.create(plan);
  await books.domain.plans.move({ planId: plan.id, verb: 'start', by: 'operator' });
  return plan.id;
}

const rechargeOf = (planId: string, line: number) =>
  newRecharge({
    id: uuidv7(),
    clientId: CLIENT,
    idempotencyKey: keyOfPlanLine(planId, line),
    amountMinor: 1n,
  });

const progress = async (planId: string) => {
  const found = (await books.domain.plans.one(planId, null))!;
  const sums = found.sums.map(({ status, lines }): [string, number] => [status, lines]);
  return { status: found.status, ...Object.fromEntries(sums) };
};

test('a plan is taken by one worker at a time, and again when that one is gone', async () => {
  const planId = await running(2);
  const [first, second] = [books.domain.plans.work, books.open().plans.work];
  const taken = (await Promise.all([first.take(), second.take()])).flatMap((plan) => (plan ? [plan.id] : []));
  expect(taken).toEqual([planId]);
  await books.rows(`update recharge_plan set due_at = now() - interval '1 s' where id = $1`, [planId]);
  expect((await second.take())?.id).toBe(planId);
  await books.domain.plans.move({ planId, verb: 'cancel', by: 'operator' });
});

test('two workers that hold one plan advance it once, and never back', async () => {
  const planId = await running(4);
  const { work } = books.domain.plans;
  const lines = await work.next(planId, 2);
  expect(lines.map(({ place }) => place)).toEqual([1, 2]);
  const refusal = { place: 2, code: 'INSUFFICIENT_BALANCE', message: 'no money' };
  await Promise.all([work.advance(planId, 2, [refusal]), work.advance(planId, 2, [refusal])]);
  expect((await work.next(planId, 9)).map(({ place }) => place)).toEqual([3, 4]);
  await work.advance(planId, 4, []);
  await work.advance(planId, 2, []);
  expect(await work.next(planId, 9)).toEqual([]);
  expect(await progress(planId)).toEqual({ status: 'running', failed: 1, not_started: 3 });
});

test('a batch that was under way counts, although the plan was paused or canceled meanwhile', async () => {
  for (const [verb, status] of [
    ['pause', 'paused'],
    ['cancel', 'canceled'],
  ] as const) {
    const planId = await running(3);
    const { work } = books.domain.plans;
    await work.next(planId, 1);
    await books.domain.createRecharge(rechargeOf(planId, 1));
    await books.domain.plans.move({ planId, verb, by: 'operator' });
    await work.advance(planId, 1, []);
    expect(await progress(planId)).toEqual({ status, accepted: 1, not_started: 2 });
    expect(await work.next(planId, 9)).toEqual([]);
    expect(await work.settle(planId)).toBe(false);
  }
});

test('a line that was refused, and has a recharge all the same, shows the recharge', async () => {
  const planId = await running(1);
  await books.domain.plans.work.advance(planId, 1, [{ place: 1, code: 'INTERNAL_ERROR', message: 'x' }]);
  expect(await progress(planId)).toEqual({ status: 'running', failed: 1 });
  await books.domain.createRecharge(rechargeOf(planId, 1));
  expect(await progress(planId)).toEqual({ status: 'running', accepted: 1 });
});

test('a plan is finished once its last line is final, and not before', async () => {
  const planId = await running(1_100);
  const { work } = books.domain.plans;
  const refused = Array.from({ length: 1_099 }, (_, at) => ({ place: at + 1, code: 'X', message: 'x' }));
  await work.advance(planId, 1_099, refused);
  const last = rechargeOf(planId, 1_100);
  await books.domain.createRecharge(last);
  expect(await work.settle(planId)).toBe(false);
  await work.advance(planId, 1_100, []);
  for (let looks = 0; looks < 5; looks++) expect(await work.settle(planId)).toBe(false);
  await books.domain.applyNews({
    transactionId: last.id,
    news: 'withdraw',
    source: 'client',
    reason: 'as tested',
  });
  expect(await work.settle(planId)).toBe(true);
  expect(await progress(planId)).toEqual({ status: 'finished', failed: 1_099, canceled: 1 });
  expect(await books.rows(`select due_at from recharge_plan where id = $1`, [planId])).toEqual([
    { due_at: null },
  ]);
});

test('the terms of a plan and its lines cannot change', async () => {
  const planId = await running(1);
  for (const change of [
    `update recharge_plan set total_minor = 2 where id = $1`,
    `update recharge_plan_line set amount_minor = 2 where plan_id = $1`,
    `delete from recharge_plan_line where plan_id = $1`,
    `delete from recharge_plan where id = $1`,
  ])
    await expect(books.rows(change, [planId])).rejects.toThrow();
});

test.each([
  [['%'], true],
  [['acct-%'], true],
  [['acct-1'], false],
  [['acct-1', 'acct-2'], true],
  [['acct-2', 'acct-1', 'acct-1'], true],
  [['acct-1%', 'acct-2%'], true],
  [['acct-2%', 'acct-3%'], false],
  [['acct\\_1', 'acct-2'], false],
  [['a%1', 'a%2'], true],
  [['a%1', 'acct-3'], false],
  [['acct_1', 'acct_2'], true],
  [[], false],
])('a key that covers %j sees a plan of acct-1 and acct-2: %s', async (accountPatterns, isSeen) => {
  const plan = planOf(2);
  const lines = plan.lines.map((line) => ({ ...line, accountId: `acct-${line.line}` }));
  await books.domain.plans.create({ ...plan, lines });
  const viewer = { clientId: CLIENT, accountPatterns };
  const { rows } = await books.domain.plans.list({ viewer, limit: 1 });
  expect([rows[0]?.id === plan.id, (await books.domain.plans.plain(plan.id, viewer)) !== null]).toEqual([
    isSeen,
    isSeen,
  ]);
  expect(await books.domain.plans.plain(plan.id, { ...viewer, clientId: uuidv7() })).toBeNull();
});
