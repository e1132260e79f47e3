import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, CLIENT, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const LIMIT = 10n;

/** Starts a plan whose sum is above a limit of 10 by this much. Returns its id and its status. */
async function started(aboveMinor: bigint) {
  const { plans } = books.domain;
  const totalMinor = LIMIT + aboveMinor;
  const plan = {
    ...{ id: uuidv7(), clientId: CLIENT, idempotencyKey: null, name: randomUUID(), currency: 'USD' },
    ...{ totalMinor, budgetMinor: null, canaryMinor: null, createdBy: 'operator', correlationId: 'c' },
    lines: [
      {
        ...{ line: 1, accountId: 'acct-1', amountMinor: totalMinor, paymentMethod: 'sandbox' },
        ...{ providerAccount: null, destination: null, orderReference: null },
      },
    ],
  };
  await plans.create(plan);
  const moved = await plans.move({
    ...{ planId: plan.id, verb: 'start', by: 'operator' },
    approvalAbove: { USD: LIMIT },
  });
  return { id: plan.id, status: moved.plan?.status };
}

const approvalOf = async (planId: string) => {
  const { rows } = await books.domain.approvals.list({ limit: 100 });
  return rows.find(({ subject }) => subject === planId);
};
const decide = async (planId: string, verb: 'approve' | 'refuse') =>
  books.domain.approvals.decide({
    approvalId: (await approvalOf(planId))!.approvalId,
    ...{ verb, reason: 'as tested', actor: 'eve', role: 'approver' },
  });
const statusOf = async (planId: string) => (await books.domain.plans.one(planId, null))!.status;

test('a plan waits for an approval when its sum is strictly above the limit', async () => {
  expect((await started(0n)).status).toBe('running');
  const { id, status } = await started(1n);
  expect(status).toBe('waiting');
  expect(await approvalOf(id)).toMatchObject({ kind: 'plan', status: 'pending', requestedBy: CLIENT });
});

test.each([
  ['approve', 'running', 'approved'],
  ['refuse', 'canceled', 'refused'],
] as const)('the decision to %s leaves the plan %s', async (verb, status, answer) => {
  const { id } = await started(1n);
  expect(await decide(id, verb)).toMatchObject({ ok: true });
  expect([await statusOf(id), (await approvalOf(id))!.status]).toEqual([status, answer]);
});

test('a plan that is canceled answers its approval', async () => {
  const { id } = await started(1n);
  await books.domain.plans.move({ planId: id, verb: 'cancel', by: 'operator' });
  expect((await approvalOf(id))!.status).toBe('refused');
  expect(await decide(id, 'approve')).toMatchObject({ ok: false, problem: 'decided' });
  expect(await statusOf(id)).toBe('canceled');
});

test('a worker cancels a plan whose approval has expired, and leaves one that is open alone', async () => {
  const { id } = await started(1n);
  const { work } = books.domain.plans;
  await work.follow(id);
  expect(await statusOf(id)).toBe('waiting');
  await books.rows("update approval set expires_at = now() - interval '1 ms' where subject = $1", [id]);
  await books.rows('update recharge_plan set due_at = $2 where id = $1', [id, new Date(0)]);
  expect(await work.take()).toMatchObject({ id, status: 'waiting' });
  await work.follow(id);
  expect([await statusOf(id), (await approvalOf(id))!.status]).toEqual(['canceled', 'expired']);
});

/** Half a minute passes for the plan, and a worker takes it. */
async function isTakenSoon(id: string): Promise<boolean> {
  await books.rows(
    "update recharge_plan set due_at = case when id = $1 then due_at - interval '30 s' else 'infinity' end where due_at is not null",
    [id],
  );
  return (await books.domain.plans.work.take())?.id === id;
}

test('a plan follows within half a minute a decision that a dead process left behind', async () => {
  const { id } = await started(1n);
  await books.rows(
    "update approval set status = 'approved', decided_by = 'eve', decided_at = now() where subject = $1",
    [id],
  );
  expect(await statusOf(id)).toBe('waiting');
  expect(await isTakenSoon(id)).toBe(true);
  await books.domain.plans.work.follow(id);
  expect(await statusOf(id)).toBe('running');
});

test('a plan looks every half minute while its approval is open, which has its whole time', async () => {
  const { id } = await started(1n);
  for (let looks = 0; looks < 2; looks++) {
    expect(await isTakenSoon(id)).toBe(true);
    await books.domain.plans.work.follow(id);
    expect(await statusOf(id)).toBe('waiting');
  }
  const { createdAt, expiresAt, status } = (await approvalOf(id))!;
  expect([status, expiresAt.getTime() - createdAt.getTime()]).toEqual(['pending', 86_400_000]);
});
