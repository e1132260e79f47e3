import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  CODE,
  fieldIn,
  openConsoleOnBooks,
  orderOf,
  type Said,
  type ServedConsole,
  troubles,
} from './support/console.js';

let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
});
afterAll(() => served.close());

/** A recharge with an open case. Returns the ids of both. */
async function withCase(
  news: readonly Said[],
  accountId = 'acct-1',
): Promise<{ id: string; caseId: string }> {
  const id = await served.recharge({ amountMinor: 100n, accountId }, ...news);
  const filter = { viewer: null, status: 'open', transactionId: id, limit: 1 } as const;
  const [one] = (await served.domain.cases.list(filter, () => true)).rows;
  return { id, caseId: one!.id };
}
const formOf = async (caseId: string, verb: string) => {
  const page = await served.get(`/cases/${caseId}/${verb}`);
  return { page, fields: { stamp: fieldIn(page, 'stamp'), reason: 'on the statement', code: CODE } };
};

test('before it is confirmed a verb shows its postings, its state and the balance after it', async () => {
  const { caseId } = await withCase(troubles.late, 'acct-preview');
  await served.recharge({ amountMinor: 500n, accountId: 'acct-preview' }, ['submit'], ['settled']);
  const { page } = await formOf(caseId, 'adopt');
  expect(page.status).toBe(200);
  expect(page.text).toMatch(/FAILED<\/span> → <span class="mark succeeded">SUCCEEDED/);
  expect(page.text).toMatch(/suspense:sandbox/);
  expect(page.text).toMatch(/wallet:acct-preview:available: 5.00 USD → <b>6.00 USD/);
  expect((await served.domain.cases.one(caseId, null, () => true))?.closedAt).toBeNull();
});

test('a confirmed verb is carried out with actor, role, reason and what the person saw', async () => {
  const { id, caseId } = await withCase(troubles.late);
  const { fields } = await formOf(caseId, 'adopt');
  const answer = await served.send(`/cases/${caseId}/adopt`, fields);
  expect([answer.status, answer.location]).toEqual([303, `/recharges/${id}`]);
  const decided = await served.domain.cases.one(caseId, null, () => true);
  expect(decided?.resolution).toMatchObject({ verb: 'adopt', actor: 'mia', reason: 'on the statement' });
  expect(decided?.evidence).toMatchObject({
    given: { shown: { kind: 'late_money', from: 'FAILED', to: 'SUCCEEDED' } },
  });
  const [action] = await served.domain.console.actions(null, 1);
  expect(action).toMatchObject({ actor: 'mia', role: 'operator', verb: 'adopt', reason: 'on the statement' });
});

test('two people who decide at once have one effect, and the other is told who was first', async () => {
  const { id, caseId } = await withCase(troubles.late, 'acct-two');
  const { fields } = await formOf(caseId, 'adopt');
  const answers = await Promise.all([
    served.send(`/cases/${caseId}/adopt`, fields, 'operator', 'mia'),
    served.send(`/cases/${caseId}/adopt`, fields, 'operator', 'leo'),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 409]);
  const loser = answers.find(({ status }) => status === 409)!;
  expect(loser.text).toMatch(/Nothing was done: the case is decided already/);
  expect(loser.text).toMatch(/<b>Credit the money<\/b> by (mia|leo)/);
  const [balance] = await served.domain.balances.of('acct-two', 'USD');
  expect([balance?.availableMinor, (await served.domain.reads.recharge(id))?.state]).toEqual([
    100n,
    'SUCCEEDED',
  ]);
});

test('a form that is sent twice has one effect', async () => {
  const { caseId } = await withCase(troubles.absent);
  const { fields } = await formOf(caseId, 'fail');
  const first = await served.send(`/cases/${caseId}/fail`, fields);
  const second = await served.send(`/cases/${caseId}/fail`, fields);
  expect([first.status, second.status]).toEqual([303, 409]);
  expect(second.text).toMatch(/decided already/);
});

test('a form of a page that has become old does nothing, and the page shows what holds now', async () => {
  const { id, caseId } = await withCase(troubles.wrongAmount);
  const { fields } = await formOf(caseId, 'adopt');
  await served.domain.applyNews({
    ...{ transactionId: id, news: 'settled', source: 'webhook', reason: 'once more' },
    ...{ providerOrderId: orderOf(id, 'order-2'), money: { amountMinor: 80n, currency: 'USD' } },
  });
  const answer = await served.send(`/cases/${caseId}/adopt`, fields);
  expect(answer.status).toBe(409);
  expect(answer.text).toMatch(/Nothing was done: the recharge has changed since you looked/);
  expect((await served.domain.cases.one(caseId, null, () => true))?.closedAt).toBeNull();
  expect(fieldIn(answer, 'stamp')).not.toBe(fields.stamp);
});

test.each([
  ['without a token', { _csrf: '' }, 403],
  ['with the token of another person', { _csrf: 'token of leo:operator' }, 403],
  ['without a code, where money moves', { code: '' }, 403],
  ['without a reason', { reason: ' ' }, 400],
])('a form %s is refused', async (_, change, status) => {
  const { caseId } = await withCase(troubles.late);
  const { fields } = await formOf(caseId, 'adopt');
  const answer = await served.send(`/cases/${caseId}/adopt`, { ...fields, ...change });
  expect(answer.status).toBe(status);
  expect((await served.domain.cases.one(caseId, null, () => true))?.closedAt).toBeNull();
});

test('closing a case that moves no money needs no code', async () => {
  const { caseId } = await withCase(troubles.absent);
  const { page, fields } = await formOf(caseId, 'dismiss');
  expect(page.text).not.toMatch(/name="code"/);
  expect((await served.send(`/cases/${caseId}/dismiss`, { ...fields, code: '' })).status).toBe(303);
});

test.each(['viewer', 'approver'] as const)('a %s sees the case and may not decide', async (role) => {
  const { caseId } = await withCase(troubles.late);
  const page = await served.get(`/cases/${caseId}`, role);
  expect([page.status, page.text.includes('Credit the money')]).toEqual([200, false]);
  expect((await served.get(`/cases/${caseId}/adopt`, role)).status).toBe(403);
  const { fields } = await formOf(caseId, 'adopt');
  expect((await served.send(`/cases/${caseId}/adopt`, fields, role)).status).toBe(403);
  expect((await served.domain.cases.one(caseId, null, () => true))?.closedAt).toBeNull();
});
