import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import type { NewRecharge, StatementLine } from '../../src/index.js';
import { type Books, deposit, openBooks, recharged, reportOf } from '../support/books.js';
import { caseSteps, refunding } from '../support/cases.js';

let books: Books;
let steps: ReturnType<typeof caseSteps>;
beforeAll(async () => {
  books = await openBooks();
  steps = caseSteps(books);
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

let lines = 0;
/** Reads a statement with one line of 777 that came in, and returns the open case about a recharge. */
async function read(transactionId: string, over: Partial<StatementLine> = {}) {
  const HOUR_MS = 3_600_000;
  const line: StatementLine = {
    ...{ line: String(++lines), at: new Date(), orderId: null, reference: transactionId },
    ...{ direction: 'in', amountMinor: 777n, currency: 'USD', balanceMinor: null },
    ...over,
  };
  const period = {
    ...{ provider: 'sandbox', providerAccount: 'main' },
    ...{ from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + HOUR_MS) },
  };
  await books.domain.reconciliations.read(await books.domain.reconciliations.begin(period, 'tester'), [line]);
  const [found] = await different(transactionId);
  return found;
}
const different = async (transactionId: string) => {
  const filter = {
    viewer: null,
    status: 'open',
    kind: 'statement_different',
    transactionId,
    limit: 5,
  } as const;
  return (await books.domain.cases.list(filter, refunding)).rows;
};
const made = (
  accountId: string,
  over: Partial<NewRecharge>,
  ...news: ('submit' | 'declined' | 'settled')[]
) => recharged(books.domain, { accountId, amountMinor: 777n, ...over }, ...news);

test('a recharge that failed succeeds after all by the line of a statement, once', async () => {
  const id = await made('by-line', {}, 'submit', 'declined');
  const one = await read(id, { orderId: 'order of the line' });
  expect(one!.verbs).toEqual(['adopt', 'dismiss']);
  expect(
    await books.domain.cases.preview({ caseId: one!.id, verb: 'adopt', reason: '' }, refunding),
  ).toMatchObject({ from: 'FAILED', to: 'SUCCEEDED', balances: [{ beforeMinor: 0n, afterMinor: 777n }] });
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: true });
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: false, problem: 'case_closed' });
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    ...{ state: 'SUCCEEDED', failureCode: null, providerOrderId: 'order of the line' },
  });
  expect(await steps.slots(id)).toEqual(['adopt', 'suspense']);
  expect(await steps.balance('by-line')).toEqual([777n, 0n]);
  const late = reportOf(id, 'settled', { source: 'webhook', providerOrderId: 'order of the line' });
  expect(await books.domain.applyNews(late)).toMatchObject({ verdict: 'stale' });
  expect(await read(id, { orderId: 'order of the line' })).toBeUndefined();
  expect(await steps.balance('by-line')).toEqual([777n, 0n]);
});

test('a delivery that failed is paid by its wallet, if the wallet has the money', async () => {
  await deposit(books.domain, 'delivery', 777n);
  const out = { kind: 'deliver', paymentMethod: 'balance' } as const;
  const id = await made('delivery', out, 'submit', 'declined');
  const one = await read(id, { direction: 'out' });
  const other = await made('delivery', out, 'submit');
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: false, problem: 'insufficient_balance' });
  await books.domain.applyNews(reportOf(other, 'declined'));
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: true });
  expect(await steps.balance('delivery')).toEqual([0n, 0n]);
});

test('a line without ids that was matched before its recharge failed is adopted as well', async () => {
  const id = await made('no-ids', { amountMinor: 555n }, 'submit');
  const nameless = { reference: null, line: 'nameless', at: new Date(), amountMinor: 555n };
  expect(await read(id, nameless)).toBeUndefined();
  await books.domain.applyNews(reportOf(id, 'declined'));
  const one = await read(id, nameless);
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: true });
  expect(await steps.balance('no-ids')).toEqual([555n, 0n]);
});

test.each([
  ['another amount', 'FAILED', { amountMinor: 776n }],
  ['another currency', 'FAILED', { currency: 'EUR' }],
  ['a recharge under way', 'SUBMITTED', { amountMinor: 776n }],
  ['a recharge that succeeded', 'SUCCEEDED', { amountMinor: 776n }],
] as const)('a line of %s is not adopted', async (name, state, over) => {
  const news = { FAILED: 'declined', SUBMITTED: null, SUCCEEDED: 'settled' } as const;
  const id = await made(`not ${name}`.replaceAll(' ', '-'), {}, 'submit', ...[news[state] ?? []].flat());
  const one = await read(id, over);
  expect(one!.verbs).not.toContain('adopt');
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: false, problem: 'verb_not_offered' });
});

test('money that came late decides before the line does', async () => {
  const id = await made('late-first', {}, 'submit', 'declined');
  const one = await read(id);
  await books.domain.applyNews(reportOf(id, 'settled', { source: 'webhook', providerOrderId: 'late first' }));
  const [still] = await different(id);
  expect(still).toMatchObject({ id: one!.id, verbs: ['dismiss'] });
  const [late] = (
    await books.domain.cases.list(
      { viewer: null, status: 'open', kind: 'late_money', transactionId: id, limit: 1 },
      refunding,
    )
  ).rows;
  expect(await steps.resolve(late!.id, 'adopt')).toMatchObject({ ok: true });
  expect(await steps.balance('late-first')).toEqual([777n, 0n]);
});

test('a line whose order another recharge has is not adopted', async () => {
  const failed = await made('taken-failed', {}, 'submit', 'declined');
  const one = await read(failed, { orderId: 'taken by another' });
  const other = await made('taken-other', {}, 'submit');
  await books.domain.applyNews(reportOf(other, 'settled', { providerOrderId: 'taken by another' }));
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: false, problem: 'verb_not_offered' });
  expect(await steps.balance('taken-failed')).toEqual([0n, 0n]);
});

test('a line of another order than the one that failed is not adopted', async () => {
  const id = await made('of-two-orders', {}, 'submit');
  await books.domain.applyNews(reportOf(id, 'declined', { providerOrderId: 'the one that failed' }));
  const one = await read(id, { orderId: 'not the one that failed' });
  expect(one!.verbs).toEqual(['dismiss']);
  expect(await steps.resolve(one!.id, 'adopt')).toMatchObject({ ok: false, problem: 'verb_not_offered' });
  expect(await steps.balance('of-two-orders')).toEqual([0n, 0n]);
});

test('a verb that is offered only while it is decided is not taken past the approval limit', async () => {
  const careful = books.open({ approvalAbove: { USD: 99n }, poolMax: 2 });
  const id = await made('offered-late', {});
  const one = await read(id);
  await books.domain.applyNews(reportOf(id, 'submit'));
  const stranger = new pg.Client(books.url);
  await stranger.connect();
  await stranger.query('begin');
  await stranger.query('lock table operator_action in access exclusive mode');
  const isWaiting = async () =>
    (
      await books.rows(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
    ).length === 1;
  // It has read the case, and now looks for an earlier answer to its key.
  const decision = steps.resolve(one!.id, 'adopt', { approvalAbove: { USD: 99n } }, careful);
  await until(isWaiting, { limitMs: 30_000 }, 'the decision to wait');
  await books.domain.applyNews(reportOf(id, 'declined'));
  await stranger.query('rollback');
  await stranger.end();
  expect(await decision).toMatchObject({ ok: false, problem: 'verb_not_offered' });
  expect(await steps.balance('offered-late')).toEqual([0n, 0n]);
  const again = await steps.resolve(one!.id, 'adopt', { approvalAbove: { USD: 99n } }, careful);
  expect(again).toMatchObject({ ok: false, problem: 'approval_needed' });
});
