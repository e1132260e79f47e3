import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Ceiling, NewRecharge, RechargeAsk } from '../../src/index.js';
import { type Books, CLIENT, deposit, newRecharge, openBooks } from '../support/books.js';
import { paysTo } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

/** An account whose wallet has something. */
async function filled(): Promise<string> {
  const accountId = `acct-${uuidv7()}`;
  await deposit(books.domain, accountId, 1_000n);
  return accountId;
}
async function paid(): Promise<string> {
  const accountId = await filled();
  await paysTo(books, accountId, 'fa-first');
  return accountId;
}

/** A plan with a canary that runs, of one line. Returns its id. */
async function running(accountId: string): Promise<string> {
  const { plans } = books.domain;
  const id = uuidv7();
  await plans.create({
    ...{ id, clientId: CLIENT, idempotencyKey: null, name: id, currency: 'USD', totalMinor: 10n },
    ...{ budgetMinor: null, canaryMinor: 100n, createdBy: 'operator', correlationId: 'c' },
    lines: [
      {
        ...{ line: 1, accountId, amountMinor: 10n, paymentMethod: 'fund_account' },
        ...{ providerAccount: null, destination: null, orderReference: null },
      },
    ],
  });
  await plans.move({ planId: id, verb: 'start', by: 'operator' });
  return id;
}

/** The payee with which the first line of a plan with a canary is judged. */
const judgedPayeeOf = async (accountId: string): Promise<string | null> =>
  (await books.domain.plans.work.next(await running(accountId), 1))[0]!.judgedPayee;

const LIMIT = { limitMs: 30_000 };
/** The sessions that wait for a lock. */
const waiting = async (): Promise<number> => {
  const rows = await books.rows(
    `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  );
  return rows.length;
};

const ceiling: Ceiling = { requestMinor: null, dayMinor: 1_000_000n };
type Way = Pick<RechargeAsk, 'kind' | 'funding' | 'paymentMethod' | 'ceiling'>;
const ways: [string, Way][] = [
  ['the house pays', { kind: 'deliver', funding: 'house', paymentMethod: 'fund_account' }],
  ['the wallet pays', { kind: 'deliver', funding: 'wallet', paymentMethod: 'balance' }],
  ['is collected', { kind: 'collect', funding: 'wallet', paymentMethod: 'sandbox' }],
  ['has a ceiling', { kind: 'deliver', funding: 'house', paymentMethod: 'fund_account', ceiling }],
];

const createBy = (way: Way) => (accountId: string, over: Partial<NewRecharge>) =>
  books.domain.createRecharge({ ...newRecharge({ accountId, amountMinor: 10n }), ...way, ...over });

describe.each(ways)('a judged recharge that %s', (_, way) => {
  const create = createBy(way);

  test('goes to the payee that it was judged with, and to no other', async () => {
    const accountId = await paid();
    const judgedPayee = await judgedPayeeOf(accountId);
    const first = newRecharge().idempotencyKey;
    const made = await create(accountId, { judgedPayee, idempotencyKey: first });
    expect(made).toMatchObject({ ok: true, recharge: { payee: { to: 'fa-first' } } });
    await paysTo(books, accountId, 'fa-second');
    const problem = { ok: false, problem: 'payee_changed' };
    expect(await create(accountId, { judgedPayee })).toEqual(problem);
    expect(await create(accountId, { judgedPayee: null })).toMatchObject({ ok: true });
    const again = await create(accountId, { judgedPayee, idempotencyKey: first });
    expect(again).toMatchObject({ ok: true, replayed: true });
    expect(await create(accountId, { judgedPayee: await judgedPayeeOf(accountId) })).toMatchObject({
      ...{ ok: true, recharge: { payee: { to: 'fa-second' } } },
    });
  });

  test('is refused when it was judged without a payee and there is one now', async () => {
    const accountId = await filled();
    const judgedPayee = await judgedPayeeOf(accountId);
    expect(judgedPayee).toBe('null');
    await paysTo(books, accountId, 'fa-first');
    expect(await create(accountId, { judgedPayee })).toEqual({ ok: false, problem: 'payee_changed' });
  });

  test('goes among others that were not judged, and each of them to the payee of its account', async () => {
    const accounts = [await paid(), await paid(), await paid()];
    const judgedPayee = await judgedPayeeOf(accounts[1]!);
    for (const accountId of accounts) await paysTo(books, accountId, 'fa-second');
    const made = await Promise.all(
      accounts.map((accountId, at) => create(accountId, { judgedPayee: at === 1 ? judgedPayee : null })),
    );
    expect(made.map((one) => (one.ok ? one.recharge.payee?.to : one.problem))).toEqual([
      ...['fa-second', 'payee_changed', 'fa-second'],
    ]);
  });
});

describe.each(ways)('a line of a plan that %s', (_, way) => {
  const create = createBy(way);

  test.each(['pause', 'cancel'] as const)(
    'gets no recharge after a %s, but keeps the one it has',
    async (verb) => {
      const accountId = await paid();
      const runningPlanId = await running(accountId);
      const first = newRecharge().idempotencyKey;
      expect(await create(accountId, { runningPlanId, idempotencyKey: first })).toMatchObject({ ok: true });
      await books.domain.plans.move({ planId: runningPlanId, verb, by: 'operator' });
      expect(await create(accountId, { runningPlanId })).toEqual({ ok: false, problem: 'plan_stopped' });
      const again = await create(accountId, { runningPlanId, idempotencyKey: first });
      expect(again).toMatchObject({ ok: true, replayed: true });
    },
  );

  test('gets its recharge when the plan is resumed, and others beside it get theirs meanwhile', async () => {
    const accountId = await paid();
    const [stopped, other] = [await running(accountId), await running(accountId)];
    await books.domain.plans.move({ planId: stopped, verb: 'pause', by: 'operator' });
    const made = await Promise.all(
      [stopped, other, null].map((runningPlanId) => create(accountId, { runningPlanId })),
    );
    expect(made.map((one) => (one.ok ? 'stored' : one.problem))).toEqual([
      ...['plan_stopped', 'stored', 'stored'],
    ]);
    await books.domain.plans.move({ planId: stopped, verb: 'resume', by: 'operator' });
    expect(await create(accountId, { runningPlanId: stopped })).toMatchObject({ ok: true });
  });
});

describe.each(ways)('a pause while a line is being stored that %s', (_, way) => {
  const create = createBy(way);

  test('is answered when the line is stored, so that no line is stored after the answer', async () => {
    const accountId = await paid();
    const runningPlanId = await running(accountId);
    const { idempotencyKey } = newRecharge();
    const rival = new pg.Client(books.url);
    await rival.connect();
    // The rival has the key of the line. So the line waits in the middle of its statement.
    await rival.query('begin');
    await rival.query(
      `insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id)
      values ($1, $2, $3, 'f', '{}', 'c')`,
      [uuidv7(), CLIENT, idempotencyKey],
    );
    const stored = create(accountId, { runningPlanId, idempotencyKey });
    await until(async () => (await waiting()) === 1, LIMIT, 'a line that waits');
    let isFound: boolean | undefined;
    const paused = books.domain.plans
      .move({ planId: runningPlanId, verb: 'pause', by: 'operator' })
      .then(async () => {
        const found = await books.rows('select from recharge_request where idempotency_key = $1', [
          idempotencyKey,
        ]);
        isFound = found.length === 1;
      });
    await until(async () => isFound !== undefined || (await waiting()) === 2, LIMIT, 'a pause that waits');
    await rival.query('rollback');
    await rival.end();
    expect(await stored).toMatchObject({ ok: true });
    await paused;
    expect(isFound).toBe(true);
  });
});
