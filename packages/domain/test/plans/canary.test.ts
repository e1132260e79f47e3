import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { keyOfPlanLine } from '../../src/core/plan.js';
import type { News } from '../../src/core/recharge.js';
import type { NewPlan, NextPlanLine } from '../../src/index.js';
import { type Books, CLIENT, newRecharge, openBooks, reportOf } from '../support/books.js';
import { paysTo } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const CANARY = 100n;
const pays = (accountId: string, to = `fa-${accountId}`) => paysTo(books, accountId, to);
async function newAccount(): Promise<string> {
  const accountId = `acct-${uuidv7()}`;
  await pays(accountId);
  return accountId;
}

type Amounts = readonly (readonly [accountId: string, amountMinor: bigint, destination?: 'wallet'])[];

/** A plan of deliveries, with a canary of 100. */
const planOf = (amounts: Amounts, canaryMinor: bigint | null): NewPlan => ({
  ...{ id: uuidv7(), clientId: CLIENT, idempotencyKey: null, name: randomUUID(), currency: 'USD' },
  ...{ budgetMinor: null, canaryMinor, createdBy: 'operator', correlationId: 'c' },
  totalMinor: amounts.reduce((sum, [, amountMinor]) => sum + amountMinor, 0n),
  lines: amounts.map(([accountId, amountMinor, destination = null], at) => ({
    ...{ line: at + 1, accountId, amountMinor, destination },
    ...{ paymentMethod: 'fund_account', providerAccount: null, orderReference: null },
  })),
});

/** Starts a plan of `planOf`. Returns its id. */
async function running(amounts: Amounts, canaryMinor: bigint | null = CANARY): Promise<string> {
  const plan = planOf(amounts, canaryMinor);
  await books.domain.plans.create(plan);
  await books.domain.plans.move({ planId: plan.id, verb: 'start', by: 'operator' });
  return plan.id;
}

const work = () => books.domain.plans.work;
const heldLooksAreDue = (planId: string) =>
  books.rows(`update recharge_plan_held set due_at = now() - interval '1 s' where plan_id = $1`, [planId]);

/** Creates the recharges of the lines that go, as a worker does. Returns their ids by line. */
async function create(planId: string, lines: readonly NextPlanLine[]) {
  const made = new Map<number, string>();
  for (const { line, accountId, amountMinor, canary } of lines) {
    if (canary !== null) continue;
    const created = await books.domain.createRecharge({
      ...newRecharge({ idempotencyKey: keyOfPlanLine(planId, line), accountId, amountMinor }),
      ...{ kind: 'deliver', funding: 'house', paymentMethod: 'fund_account', destination: 'cloud' },
    });
    if (!created.ok) throw new Error(created.problem);
    made.set(line, created.recharge.id);
  }
  return made;
}
const refusalsOf = (lines: readonly NextPlanLine[]) =>
  lines.flatMap(({ place, canary }) =>
    canary === 'failed' || canary === 'missing' ? [{ place, code: canary, message: 'as tested' }] : [],
  );

/** What a worker does with the next lines. Returns the recharges by line. */
const advance = async (planId: string) => advanceWith(planId, await work().next(planId, 64));
async function advanceWith(planId: string, lines: readonly NextPlanLine[]) {
  const made = await create(planId, lines);
  const held = lines.filter(({ canary }) => canary === 'under_way').map(({ place }) => place);
  await work().advance(planId, lines.at(-1)!.place, refusalsOf(lines), held);
  return made;
}

/** What a worker does with the lines that are held no longer. */
async function release(planId: string) {
  await heldLooksAreDue(planId);
  const { lines } = await work().nextHeld(planId, 64);
  const made = await create(planId, lines);
  const places = lines.map(({ place }) => place);
  if (places.length > 0) await work().release(planId, places, refusalsOf(lines));
  return made;
}

async function hears(id: string, ...news: readonly News[]): Promise<void> {
  for (const one of news) await books.domain.applyNews(reportOf(id, one));
}
const linesOf = async (planId: string) =>
  (await books.domain.plans.lines(planId, { afterPlace: 0, limit: 100 })).map(
    ({ line, status, isHeld, failureCode }) => [line, isHeld ? 'held' : (failureCode ?? status)],
  );

describe('a new payee', () => {
  test('first gets the first small line of its account, and the others once that has arrived', async () => {
    const account = await newAccount();
    const planId = await running([
      [account, 500n],
      [account, 100n],
      [account, 50n],
    ]);
    const made = await advance(planId);
    expect([...made.keys()]).toEqual([2]);
    const waits = [
      [1, 'held'],
      [2, 'accepted'],
      [3, 'held'],
    ];
    expect(await linesOf(planId)).toEqual(waits);
    await hears(made.get(2)!, 'submit', 'unknown');
    expect((await release(planId)).size).toBe(0);
    expect(await work().settle(planId)).toBe(false);
    await hears(made.get(2)!, 'settled');
    expect([...(await release(planId)).keys()]).toEqual([1, 3]);
    const { rows } = await books.domain.plans.list({ viewer: null, limit: 1 });
    expect(rows[0]).toMatchObject({ id: planId, canaryMinor: CANARY });
    expect(await books.rows('select 1 from recharge_plan_held where plan_id = $1', [planId])).toEqual([]);
  });

  test('gets nothing more after a small line that failed, and each line says why', async () => {
    const account = await newAccount();
    const planId = await running([
      [account, 100n],
      [account, 500n],
      [account, 700n],
    ]);
    const made = await advance(planId);
    await hears(made.get(1)!, 'submit', 'declined');
    expect((await release(planId)).size).toBe(0);
    expect((await linesOf(planId)).slice(1)).toEqual([
      [2, 'failed'],
      [3, 'failed'],
    ]);
    expect(await work().settle(planId)).toBe(true);
    expect((await books.domain.plans.one(planId, null))!.status).toBe('finished');
  });

  test('gets nothing from a plan that has no line as small as the canary', async () => {
    const account = await newAccount();
    const planId = await running([[account, 101n]]);
    expect((await advance(planId)).size).toBe(0);
    expect(await linesOf(planId)).toEqual([[1, 'missing']]);
  });

  test('is so again when the payee changes while the plan runs', async () => {
    const account = await newAccount();
    const planId = await running([
      [account, 100n],
      [account, 500n],
    ]);
    const made = await advance(planId);
    await hears(made.get(1)!, 'submit', 'settled');
    await pays(account, `fa-other-${account}`);
    expect((await release(planId)).size).toBe(0);
    expect((await linesOf(planId))[1]).toEqual([2, 'failed']);
  });

  test('holds up no other account, nor a line that stays in the wallet', async () => {
    const [account, known] = [await newAccount(), await newAccount()];
    const first = await running([[known, 100n]]);
    await hears((await advance(first)).get(1)!, 'submit', 'settled');
    const lines = await work().next(
      await running([
        [account, 100n],
        [account, 500n],
        [account, 500n, 'wallet'],
        [known, 900n],
        [`acct-${uuidv7()}`, 900n],
      ]),
      64,
    );
    expect(lines.map(({ canary }) => canary)).toEqual([null, 'under_way', null, null, null]);
  });
});

test('a plan without a canary holds no line', async () => {
  const account = await newAccount();
  const lines = await work().next(
    await running(
      [
        [account, 500n],
        [account, 100n],
      ],
      null,
    ),
    64,
  );
  expect(lines.map(({ canary }) => canary)).toEqual([null, null]);
});

test('two workers hold a line once and release it once, and each line has one recharge of its amount', async () => {
  const account = await newAccount();
  const planId = await running([
    [account, 100n],
    [account, 500n],
    [account, 700n],
  ]);
  const both = [await work().next(planId, 64), await work().next(planId, 64)];
  const [made] = await Promise.all(both.map((lines) => advanceWith(planId, lines)));
  await hears(made!.get(1)!, 'submit', 'settled');
  await Promise.all([release(planId), release(planId)]);
  await release(planId);
  const rows = await books.rows(
    'select line, amount, transaction_id is not null as made from report.plan_lines where plan_id = $1 order by line',
    [planId],
  );
  expect(rows).toEqual([
    { line: 1, amount: '100', made: true },
    { line: 2, amount: '500', made: true },
    { line: 3, amount: '700', made: true },
  ]);
  const [count] = await books.rows(
    `select count(*)::int as made from recharge_request where idempotency_key like 'plan ' || $1 || ' %'`,
    [planId],
  );
  expect(count).toEqual({ made: 3 });
});

test('a paused plan releases nothing until it is resumed', async () => {
  const account = await newAccount();
  const planId = await running([
    [account, 100n],
    [account, 500n],
  ]);
  const made = await advance(planId);
  await hears(made.get(1)!, 'submit', 'settled');
  await books.domain.plans.move({ planId, verb: 'pause', by: 'operator' });
  await heldLooksAreDue(planId);
  expect(await work().nextHeld(planId, 64)).toEqual({ lines: [], isMore: false });
  await books.domain.plans.move({ planId, verb: 'resume', by: 'operator' });
  expect([...(await release(planId)).keys()]).toEqual([2]);
});

test('a canceled plan releases nothing, and shows no line as held', async () => {
  const account = await newAccount();
  const planId = await running([
    [account, 100n],
    [account, 500n],
  ]);
  const made = await advance(planId);
  await hears(made.get(1)!, 'submit', 'settled');
  expect((await linesOf(planId))[1]).toEqual([2, 'held']);
  await books.domain.plans.move({ planId, verb: 'cancel', by: 'operator' });
  await heldLooksAreDue(planId);
  expect(await work().nextHeld(planId, 64)).toEqual({ lines: [], isMore: false });
  expect((await linesOf(planId))[1]).toEqual([2, 'not_started']);
});

test('every held line is looked at, some at a time', async () => {
  const account = await newAccount();
  const amounts = Array.from({ length: 150 }, (_, at) => [account, at === 0 ? 100n : 500n] as const);
  const planId = await running(amounts);
  for (let batch = 0; batch < 3; batch++) await advance(planId);
  await heldLooksAreDue(planId);
  const looks = [];
  for (let nth = 0; nth < 3; nth++) looks.push((await work().nextHeld(planId, 64)).isMore);
  expect(looks).toEqual([true, true, false]);
  const [{ overdue }] = (await books.rows(
    'select count(*)::int as overdue from recharge_plan_held where plan_id = $1 and due_at <= now()',
    [planId],
  )) as [{ overdue: number }];
  expect(overdue).toBe(0);
});

test('the canary is part of the content of a plan and cannot change', async () => {
  const wanted = planOf([['acct-1', 100n]], CANARY);
  const made = [];
  for (const canaryMinor of [CANARY, CANARY, 99n, null])
    made.push(await books.domain.plans.create({ ...wanted, id: uuidv7(), canaryMinor }));
  expect(made.map((one) => (one.ok ? one.replayed : one.problem))).toEqual([
    ...[false, true, 'name_taken', 'name_taken'],
  ]);
  const account = await newAccount();
  const planId = await running([[account, 100n]]);
  await expect(
    books.rows('update recharge_plan set canary_minor = null where id = $1', [planId]),
  ).rejects.toThrow(/cannot get other terms/);
});

test('those with a new payee are told apart from those that have got something, and from those without a payee', async () => {
  const [fresh, known] = [await newAccount(), await newAccount()];
  await hears((await advance(await running([[known, 100n]]))).get(1)!, 'submit', 'settled');
  const found = await books.domain.plans.newPayees([fresh, known, 'acct-without'], 'USD');
  expect([...found]).toEqual([fresh]);
});
