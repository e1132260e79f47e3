import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import type { StatementLine } from '../../src/index.js';
import { type Books, CLIENT, deposit, newRefund, openBooks, recharged, reportOf } from '../support/books.js';
import { ask, refunding, viewer } from '../support/cases.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

const HOUR_MS = 3_600_000;
let count = 0;
const period = () => ({
  ...{ provider: 'sandbox', providerAccount: 'main' },
  ...{ from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + HOUR_MS) },
});
const stranger = (over: Partial<StatementLine> = {}): StatementLine => ({
  ...{ line: String(++count), at: new Date(), orderId: `order of a stranger ${count}`, reference: null },
  ...{ direction: 'in', amountMinor: 777n, currency: 'USD', balanceMinor: null },
  ...over,
});

/** Reads a statement with one line, and returns the case that it opens. */
async function caseOf(line: StatementLine, providerAccount = 'main') {
  const { reconciliations, cases } = books.domain;
  const of = { ...period(), providerAccount };
  await reconciliations.read(await reconciliations.begin(of, 'tester'), [line]);
  const { rows } = await cases.list(
    { viewer, status: 'open', kind: 'statement_theirs_only', limit: 1 },
    refunding,
  );
  expect(rows[0]!.evidence).toMatchObject({ orderId: line.orderId });
  return rows[0]!;
}

const resolve = (caseId: string, over: Parameters<typeof ask>[2] = {}) =>
  books.domain.cases.resolve(ask(caseId, 'adopt', over), refunding);
const availableTo = async (accountId: string) =>
  (
    await books.rows<{ available: string }>('select available from report.wallets where account_id = $1', [
      accountId,
    ])
  ).map(({ available }) => available);

test('money that came in without us becomes a recharge of the account that a person names, once', async () => {
  const line = stranger();
  const { id, verbs } = await caseOf(line);
  expect(verbs).toEqual(['adopt', 'dismiss']);
  const given = { accountId: 'acct-external', line: line.line };
  const request = ask(id, 'adopt', { evidence: given });
  const [first, second] = await Promise.all([
    books.domain.cases.resolve(request, refunding),
    books.domain.cases.resolve(request, refunding),
  ]);
  expect([first.ok, second.ok]).toEqual([true, true]);
  const [recharge, ...others] = await books.rows(
    `select transaction_id, state, kind, amount, currency, payment_method, provider, provider_order_id, client_id
     from report.recharges where account_id = 'acct-external'`,
  );
  expect(others).toEqual([]);
  expect(recharge).toMatchObject({
    ...{ state: 'SUCCEEDED', kind: 'collect', amount: '777', currency: 'USD', payment_method: 'external' },
    ...{ provider: 'sandbox', provider_order_id: line.orderId, client_id: CLIENT },
  });
  expect(await availableTo('acct-external')).toEqual(['777']);
  const closed = await books.domain.cases.one(id, viewer, refunding);
  expect(closed).toMatchObject({
    evidence: { given: { ...given, transactionId: recharge!.transaction_id } },
    resolution: { verb: 'adopt', reason: 'as tested', actor: 'tester' },
  });
  const { reconciliations } = books.domain;
  const again = await reconciliations.read(await reconciliations.begin(period(), 'tester'), [line]);
  expect(again).toMatchObject({ theirsOnly: [], oursOnly: [], different: [], matched: 1 });
});

test('without the account that the money belongs to nothing is booked, and the case stays open', async () => {
  const { id } = await caseOf(stranger());
  const before = await books.rows('select id from recharge_transaction');
  expect(await resolve(id, { evidence: { line: 7 } })).toEqual({ ok: false, problem: 'account_needed' });
  expect(await resolve(id, { evidence: { accountId: 'no account' } })).toEqual({
    ...{ ok: false, problem: 'account_needed' },
  });
  const byOperator = { viewer: null, idempotencyKey: null, evidence: { accountId: 'acct-nobody-knows' } };
  expect(await resolve(id, byOperator)).toEqual({ ok: false, problem: 'unknown_account' });
  expect(await books.rows('select id from recharge_transaction')).toEqual(before);
  expect((await books.domain.cases.one(id, viewer, refunding))!.closedAt).toBeNull();
});

test('an operator books it for the client that last recharged the account', async () => {
  await recharged(books.domain, { accountId: 'acct-known', amountMinor: 5n }, 'submit', 'settled');
  const { id } = await caseOf(stranger({ orderId: null, line: 'of nobody', currency: 'EUR' }));
  const asked = { viewer: null, idempotencyKey: null, evidence: { accountId: 'acct-known' } };
  expect(await resolve(id, asked)).toMatchObject({ ok: true });
  expect(await availableTo('acct-known')).toEqual(expect.arrayContaining(['777']));
});

test('money that went out without us is no money of an account', async () => {
  const { id, verbs } = await caseOf(stranger({ direction: 'out' }));
  expect(verbs).toEqual(['dismiss']);
  expect(await resolve(id, { evidence: { accountId: 'acct-1' } })).toEqual({
    ...{ ok: false, problem: 'verb_not_offered' },
  });
});

test('a second line of an order of ours is not booked again', async () => {
  const recharge = await recharged(
    books.domain,
    { accountId: 'acct-twice', amountMinor: 777n },
    'submit',
    'settled',
  );
  const ofIt = { orderId: 'order of ours', reference: recharge };
  const first = stranger(ofIt);
  const { reconciliations } = books.domain;
  const read = await reconciliations.read(await reconciliations.begin(period(), 'tester'), [first]);
  expect(read.different).toEqual([]);
  const { id, verbs } = await caseOf(stranger(ofIt));
  expect(verbs).toEqual(['dismiss']);
  expect(await resolve(id, { evidence: { accountId: 'acct-twice' } })).toEqual({
    ...{ ok: false, problem: 'verb_not_offered' },
  });
  expect(await availableTo('acct-twice')).toEqual(['777']);
});

test('a line is not of an order with the same id at another of our accounts', async () => {
  const recharge = await recharged(books.domain, { accountId: 'acct-main', amountMinor: 777n }, 'submit');
  await books.domain.applyNews(reportOf(recharge, 'settled', { providerOrderId: 'order of two accounts' }));
  await books.domain.applyNews(reportOf(recharge, 'settled', { providerOrderId: 'second of two accounts' }));
  for (const orderId of ['order of two accounts', 'second of two accounts']) {
    const { id, verbs } = await caseOf(stranger({ orderId }), 'second');
    expect(verbs).toEqual(['adopt', 'dismiss']);
    expect(await resolve(id, { evidence: { accountId: 'acct-second' } })).toMatchObject({ ok: true });
  }
  expect(await availableTo('acct-main')).toEqual(['777']);
  expect(await availableTo('acct-second')).toEqual(['1554']);
});

test.each(['open', 'closed'])(
  'a line of an order whose money is in suspense is not booked again, its case being %s',
  async (status) => {
    const accountId = `acct-suspended-${status}`;
    const recharge = await recharged(books.domain, { accountId, amountMinor: 777n }, 'submit');
    const settled = (providerOrderId: string) =>
      books.domain.applyNews(reportOf(recharge, 'settled', { source: 'webhook', providerOrderId }));
    await settled(`own ${status}`);
    await settled(`other ${status}`);
    const filter = {
      viewer,
      status: 'open',
      kind: 'several_orders',
      transactionId: recharge,
      limit: 1,
    } as const;
    const [several] = (await books.domain.cases.list(filter, refunding)).rows;
    if (status === 'closed') await books.domain.cases.resolve(ask(several!.id, 'adopt'), refunding);
    const before = await availableTo(accountId);
    const { id, verbs } = await caseOf(stranger({ orderId: `other ${status}` }));
    expect(verbs).toEqual(['dismiss']);
    expect(await resolve(id, { evidence: { accountId } })).toEqual({
      ok: false,
      problem: 'verb_not_offered',
    });
    expect(await availableTo(accountId)).toEqual(before);
    expect(before).toEqual([status === 'closed' ? '1554' : '777']);
  },
);

const journals = (transactionId: string) =>
  books.rows<{ slot: string }>('select slot from ledger_journal where transaction_id = $1', [transactionId]);
const says = (transactionId: string, providerOrderId: string) =>
  books.domain.applyNews(reportOf(transactionId, 'settled', { source: 'webhook', providerOrderId }));
/** Has a person adopt a line of the order, for another account. Returns its recharge. */
async function adopted(orderId: string, accountId = 'acct-of-a-line'): Promise<string> {
  const { id } = await caseOf(stranger({ orderId }));
  const answer = await resolve(id, { evidence: { accountId } });
  if (!answer.ok) throw new Error(answer.problem);
  return (answer.resolved.evidence.given as { transactionId: string }).transactionId;
}
/** Asks for a refund of a recharge, and sends it. */
async function refunded(of: string): Promise<string> {
  const refund = newRefund(of);
  expect(await books.domain.createRefund(refund)).toMatchObject({ ok: true });
  await books.domain.applyNews(reportOf(refund.id, 'submit'));
  return refund.id;
}

test.each([
  ['its first order', ['submit'], [], ['fail', 'dismiss']],
  ['its second order', ['submit', 'settled'], ['collect'], ['dismiss']],
  ['the order that it should not have', ['submit', 'declined'], [], ['dismiss']],
] as const)(
  'an event that names the order of an adopted line as %s books no money, and a person hears of it',
  async (name, news, slots, verbs) => {
    const recharge = await recharged(books.domain, { accountId: 'acct-late', amountMinor: 777n });
    for (const heard of news)
      await books.domain.applyNews(
        reportOf(recharge, heard, heard === 'settled' ? { providerOrderId: `own order, ${name}` } : {}),
      );
    await adopted(`of a line, ${name}`);
    for (const _ of [1, 2]) await says(recharge, `of a line, ${name}`);
    expect((await journals(recharge)).map(({ slot }) => slot)).toEqual(slots);
    const kind = 'booked_elsewhere';
    const filter = { viewer, status: 'open', kind, transactionId: recharge, limit: 5 } as const;
    expect((await books.domain.cases.list(filter, refunding)).rows).toMatchObject([{ kind, verbs }]);
  },
);

test('a recall does not book the money of an adopted line again', async () => {
  await deposit(books.domain, 'acct-recall', 777n);
  const paid = { accountId: 'acct-recall', kind: 'deliver', paymentMethod: 'balance' } as const;
  const recall = await refunded(
    await recharged(books.domain, { ...paid, amountMinor: 777n }, 'submit', 'settled'),
  );
  await adopted('order of a recall', 'acct-recall');
  expect(await says(recall, 'order of a recall')).toMatchObject({ state: 'PENDING_CONFIRMATION' });
  expect(await availableTo('acct-recall')).toEqual(['777']);
});

test('a refund of an adopted line may have its order id, whatever becomes of it', async () => {
  const refund = await refunded(await adopted('order of both'));
  const other = { source: 'webhook', providerOrderId: 'order of both' } as const;
  const wrong = { ...other, money: { amountMinor: 776n, currency: 'USD' } };
  expect(await books.domain.applyNews(reportOf(refund, 'settled', wrong))).toMatchObject({
    verdict: 'conflict',
  });
  expect((await journals(refund)).map(({ slot }) => slot)).toEqual(['hold', 'suspense']);
});

test('a refund that returns a second order of an adopted line, under the id of that order, may fail', async () => {
  const recharge = await adopted('first of two');
  await says(recharge, 'second of two');
  const filter = { viewer, status: 'open', transactionId: recharge, limit: 5 } as const;
  const [several] = (await books.domain.cases.list(filter, refunding)).rows;
  const answer = await books.domain.cases.resolve(ask(several!.id, 'return'), refunding);
  if (!answer.ok || !answer.refund) throw new Error('no refund was made');
  const tell = (news: 'submit' | 'accepted' | 'declined') =>
    books.domain.applyNews(reportOf(answer.refund!.id, news, { providerOrderId: 'second of two' }));
  await tell('submit');
  await tell('accepted');
  expect(await tell('declined')).toMatchObject({ verdict: 'moved', state: 'FAILED' });
  expect((await books.domain.cases.list(filter, refunding)).rows).toMatchObject([{ kind: 'several_orders' }]);
});

const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

test('a line whose order a report is writing at the same moment is not adopted', async () => {
  const recharge = await recharged(books.domain, { accountId: 'acct-race', amountMinor: 777n }, 'submit');
  const { id } = await caseOf(stranger({ orderId: 'raced for' }));
  const rival = new pg.Client(books.url);
  await rival.connect();
  await rival.query('begin');
  await rival.query(`update recharge_transaction set provider_order_id = 'raced for' where id = $1`, [
    recharge,
  ]);
  const adopting = resolve(id, { evidence: { accountId: 'acct-race-line' } });
  await until(
    async () => (await books.rows(waiting)).length > 0,
    { limitMs: 30_000 },
    'the adoption to wait',
  );
  await rival.query('commit');
  await rival.end();
  expect(await adopting).toEqual({ ok: false, problem: 'verb_not_offered' });
  expect(await availableTo('acct-race-line')).toEqual([]);
  expect(await says(recharge, 'raced for')).toMatchObject({ state: 'SUCCEEDED' });
});

test('an adoption that waits for a wallet holds up no report of another order', async () => {
  await adopted('before it waits', 'acct-waited-for');
  const other = await recharged(books.domain, { accountId: 'acct-not-held-up', amountMinor: 777n }, 'submit');
  const { id } = await caseOf(stranger({ orderId: 'while it waits' }));
  const rival = new pg.Client(books.url);
  await rival.connect();
  await rival.query('begin');
  await rival.query(`select from ledger_account where name = 'wallet:acct-waited-for:available' for update`);
  const adopting = resolve(id, { evidence: { accountId: 'acct-waited-for' } }).catch((error) => error);
  await until(
    async () => (await books.rows(waiting)).length > 0,
    { limitMs: 30_000 },
    'the adoption to wait',
  );
  const ofTable = `select mode from pg_locks where relation = 'recharge_transaction'::regclass and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`;
  expect(await books.rows(ofTable)).toEqual([]);
  expect(await says(other, 'not held up')).toMatchObject({ state: 'SUCCEEDED' });
  await rival.query('rollback');
  await rival.end();
  await adopting;
});
