import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import type { Domain, ResolutionAsk } from '../../src/index.js';
import { type Books, CLIENT, openBooks } from '../support/books.js';
import { caseSteps, late, USD } from '../support/cases.js';

let books: Books;
let careful: Domain;
let steps: ReturnType<typeof caseSteps>;
beforeAll(async () => {
  books = await openBooks();
  careful = books.open({ approvalAbove: { USD: 99n }, poolMax: 2 });
  steps = caseSteps(books);
});
afterAll(() => books.close());

/** A person at the console, who has no key. */
const person = (actor: string): Partial<ResolutionAsk> => ({
  ...{ actor, role: 'operator', viewer: null, idempotencyKey: null },
});
const decide = (approvalId: string, actor: string) =>
  careful.approvals.decide({ approvalId, verb: 'approve', reason: 'fine', actor, role: 'approver' });

async function asked(over: Partial<ResolutionAsk>, accountId: string) {
  const { caseId } = await steps.withCase({ accountId }, ...late);
  const first = await steps.resolve(caseId, 'adopt', over, careful);
  if (first.ok || first.approvalId === undefined) throw new Error('it does not wait');
  return { caseId, first, approvalId: first.approvalId };
}

test('a verb that moves money above the limit waits for a second person, and is then carried out once', async () => {
  const { caseId, first, approvalId } = await asked(person('olga'), 'above');
  expect(first).toMatchObject({ ok: false, problem: 'approval_needed' });
  expect(await steps.balance('above')).toEqual([0n, 0n]);
  const again = await steps.resolve(caseId, 'adopt', person('olga'), careful);
  expect(again).toMatchObject({ problem: 'approval_needed', approvalId });
  expect(await decide(approvalId, 'olga')).toEqual({ ok: false, problem: 'own_request' });
  expect(await decide(approvalId, 'eve')).toMatchObject({ ok: true });
  expect(await steps.resolve(caseId, 'adopt', person('olga'), careful)).toMatchObject({ ok: true });
  expect(await steps.balance('above')).toEqual([100n, 0n]);
  expect(await steps.resolve(caseId, 'adopt', person('olga'), careful)).toMatchObject({
    problem: 'case_closed',
  });
});

test('an approval is for one verb with one evidence', async () => {
  const { caseId, approvalId } = await asked(person('olga'), 'bound');
  await decide(approvalId, 'eve');
  const other = await steps.resolve(
    caseId,
    'adopt',
    { ...person('olga'), evidence: { statement: 'line 8' } },
    careful,
  );
  expect(other).toMatchObject({ ok: false, problem: 'approval_needed' });
  const another = await steps.resolve(caseId, 'return', person('olga'), careful);
  expect(another).toMatchObject({ ok: false, problem: 'approval_needed' });
});

test('an approval of money in several currencies is for this money and no more', async () => {
  const { id, caseId } = await steps.withCase(
    { accountId: 'several' },
    ['submit', { source: 'submission' }],
    ['settled', { providerOrderId: 'own' }],
    ['settled', { providerOrderId: 'second' }],
    ['settled', { providerOrderId: 'third', money: { amountMinor: 1n, currency: 'EUR' } }],
  );
  const first = await steps.resolve(caseId, 'adopt', person('olga'), careful);
  if (first.ok || first.approvalId === undefined) throw new Error('it does not wait');
  await decide(first.approvalId, 'eve');
  await steps.report(id, 'settled', { providerOrderId: 'fourth', money: USD(1_000_000n) });
  const second = await steps.resolve(caseId, 'adopt', person('olga'), careful);
  if (second.ok || second.approvalId === undefined) throw new Error('it does not wait');
  expect(second.approvalId).not.toBe(first.approvalId);
  await decide(second.approvalId, 'eve');
  expect(await steps.resolve(caseId, 'adopt', person('olga'), careful)).toMatchObject({ ok: true });
});

test('money that comes to a case during its decision is judged by the limit, too', async () => {
  const modest = books.open({ approvalAbove: { USD: 150n }, poolMax: 2 });
  const { id, caseId } = await steps.withCase({ accountId: 'meanwhile' }, ...late);
  const stranger = new pg.Client(books.url);
  await stranger.connect();
  await stranger.query('begin');
  await stranger.query('select from recharge_transaction where id = $1 for no key update', [id]);
  const waiting = async () =>
    books.rows(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
  const news = steps.report(id, 'settled', { providerOrderId: 'order-1', money: USD(99_999n) });
  await until(async () => (await waiting()).length === 1, { limitMs: 30_000 }, 'the news to wait');
  const decision = steps.resolve(caseId, 'adopt', person('olga'), modest);
  await until(async () => (await waiting()).length === 2, { limitMs: 30_000 }, 'the decision to wait');
  await stranger.query('rollback');
  await stranger.end();
  expect(await news).toMatchObject({ verdict: 'conflict' });
  const asked = await decision;
  if (asked.ok || asked.approvalId === undefined) throw new Error('it does not wait');
  expect(await steps.balance('meanwhile')).toEqual([0n, 0n]);
  await decide(asked.approvalId, 'eve');
  expect(await steps.resolve(caseId, 'adopt', person('olga'), modest)).toMatchObject({ ok: true });
  expect(await steps.balance('meanwhile')).toEqual([100_099n, 0n]);
});

test('an approval that has expired serves no more', async () => {
  const { caseId, approvalId } = await asked(person('olga'), 'expired');
  await decide(approvalId, 'eve');
  const later = books.open({
    ...{ approvalAbove: { USD: 99n }, poolMax: 2 },
    now: () => new Date(Date.now() + 86_500_000),
  });
  expect(await steps.resolve(caseId, 'adopt', person('olga'), later)).toMatchObject({
    problem: 'approval_needed',
  });
});

test('an approval that nobody decided in time makes room for another one', async () => {
  const { caseId, approvalId } = await asked(person('olga'), 'undecided');
  await books.rows(`update approval set expires_at = now() - interval '1 s' where id = $1`, [approvalId]);
  const again = await steps.resolve(caseId, 'adopt', person('olga'), careful);
  if (again.ok || again.approvalId === undefined) throw new Error('it does not wait');
  expect(again.approvalId).not.toBe(approvalId);
  expect(await careful.approvals.one(approvalId)).toMatchObject({
    ...{ status: 'expired', reason: 'nobody decided in time', decidedBy: null },
  });
  expect(await decide(again.approvalId, 'eve')).toMatchObject({ ok: true });
  expect(await steps.resolve(caseId, 'adopt', person('olga'), careful)).toMatchObject({ ok: true });
});

test('a request for another verb or evidence ends the one that waits, which can no longer be approved', async () => {
  const { caseId, approvalId } = await asked(person('olga'), 'changed');
  const evidence = { statement: 'line 8' };
  const changed = await steps.resolve(caseId, 'adopt', { ...person('olga'), evidence }, careful);
  const other = await steps.resolve(caseId, 'return', person('olga'), careful);
  if (changed.ok || other.ok) throw new Error('it does not wait');
  expect(new Set([approvalId, changed.approvalId, other.approvalId]).size).toBe(3);
  expect(await careful.approvals.one(approvalId)).toMatchObject({
    ...{ status: 'refused', reason: 'something else was asked for', decidedBy: null },
  });
  expect(await decide(approvalId, 'eve')).toMatchObject({ ok: false });
  expect(await decide(other.approvalId!, 'eve')).toMatchObject({ ok: true });
  expect(await steps.resolve(caseId, 'adopt', person('olga'), careful)).toMatchObject({
    problem: 'approval_needed',
  });
  expect(await steps.resolve(caseId, 'return', person('olga'), careful)).toMatchObject({ ok: true });
});

/** The hash of the verb and the evidence that an approval is bound to. */
const hashOf = async (approvalId: string | undefined) => (await careful.approvals.one(approvalId!))!.hash;

test('two verbs that are asked for at the same moment are each told the approval of their own', async () => {
  const { caseId } = await steps.withCase({ accountId: 'at-once' }, ...late);
  const ask = async (verb: 'adopt' | 'return') => {
    const asked = await steps.resolve(caseId, verb, person('olga'), careful);
    return asked.ok ? undefined : asked.approvalId;
  };
  const hashes = { adopt: await hashOf(await ask('adopt')), return: await hashOf(await ask('return')) };
  expect(hashes.adopt).not.toBe(hashes.return);
  await books.rows(`update approval set status = 'refused', decided_at = now() where status = 'pending'`);
  for (let round = 0; round < 8; round++) {
    const [adopt, other] = await Promise.all([ask('adopt'), ask('return')]);
    expect([await hashOf(adopt), await hashOf(other)]).toEqual([hashes.adopt, hashes.return]);
    const pending = await books.rows(`select id from approval where subject = $1 and status = 'pending'`, [
      caseId,
    ]);
    expect([[adopt], [other]]).toContainEqual(pending.map(({ id }) => id));
    await books.rows(`update approval set status = 'refused', decided_at = now() where status = 'pending'`);
  }
});

test('a key waits by its own limit, not by that of people, and its client is the one who asks', async () => {
  const { caseId } = await steps.withCase({ accountId: 'key' }, ...late);
  const limited = await steps.resolve(caseId, 'adopt', { approvalAbove: { USD: 10n } }, careful);
  if (limited.ok || limited.approvalId === undefined) throw new Error('it does not wait');
  expect(await careful.approvals.one(limited.approvalId)).toMatchObject({
    ...{ kind: 'resolution', subject: caseId, requestedBy: CLIENT },
  });
  expect(await steps.resolve(caseId, 'adopt', { approvalAbove: {} }, careful)).toMatchObject({ ok: true });
});

test('an amount that is not above the limit does not wait', async () => {
  const { caseId } = await steps.withCase({ accountId: 'at' }, ...late);
  const generous = books.open({ approvalAbove: { USD: 100n }, poolMax: 2 });
  expect(await steps.resolve(caseId, 'adopt', person('olga'), generous)).toMatchObject({ ok: true });
});
