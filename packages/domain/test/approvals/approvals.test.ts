import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { ApprovalView, Domain, NewRecharge } from '../../src/index.js';
import { newestApproval, requestApproval } from '../../src/store/approvals/request.js';
import { openDatabase } from '../../src/store/database/database.js';
import { type Books, CLIENT, newRecharge, openBooks, reportOf, times } from '../support/books.js';

let books: Books;
let domain: Domain;
beforeAll(async () => {
  books = await openBooks();
  domain = books.domain;
});
afterAll(() => books.close());

let accounts = 0;
let accountId: string;
beforeEach(() => {
  accountId = `acct-${++accounts}`;
});

const LIMIT = 1_000n;
const approver = { actor: 'eve', role: 'approver' };
const payee = (to = 'fa-1', approvalAbove = {}) => ({
  ...{ accountId, provider: 'alibaba_cloud', providerAccount: 'main', to, from: null, currency: 'CNY' },
  approvalAbove,
});

async function create(over: Partial<NewRecharge> = {}, of: Domain = domain) {
  const created = await of.createRecharge(
    newRecharge({ accountId, amountMinor: LIMIT + 1n, approvalAboveMinor: LIMIT, currency: 'CNY', ...over }),
  );
  if (!created.ok) throw new Error(created.problem);
  return created.recharge;
}

async function approvalOf(id: string): Promise<ApprovalView> {
  const { rows } = await domain.approvals.list({ limit: 100 });
  const found = rows.find(({ subject }) => subject === id);
  if (!found) throw new Error(`no approval of ${id}`);
  return found;
}

const decide = async (id: string, verb: 'approve' | 'refuse', by = approver) =>
  domain.approvals.decide({
    approvalId: (await approvalOf(id)).approvalId,
    verb,
    reason: 'as tested',
    ...by,
  });

const claim = (id: string) => domain.applyNews(reportOf(id, 'submit'));
const stateOf = async (id: string) => {
  const found = await domain.reads.recharge(id);
  return { state: found?.state, nextStep: found?.nextStep, waiting: found?.waiting?.reason ?? null };
};

const WAITING = { state: 'CREATED', nextStep: 'approve', waiting: 'APPROVAL' };

test('an amount strictly above the limit of its key waits, and the same amount does not', async () => {
  const [above, at] = [await create(), await create({ amountMinor: LIMIT })];
  expect([above.nextStep, above.waiting?.reason, at.nextStep, at.waiting]).toEqual([
    'approve',
    'APPROVAL',
    'submit',
    null,
  ]);
  expect(above.dueAt!.getTime()).toBeGreaterThan(Date.now() + 86_000_000);
  expect(await stateOf(above.id)).toEqual(WAITING);
  expect(await approvalOf(above.id)).toMatchObject({
    ...{
      kind: 'recharge',
      requestedBy: CLIENT,
      status: 'pending',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    recharge: { accountId, amountMinor: '1001', currency: 'CNY' },
  });
});

test('the limit of the payee counts for what goes to the cloud only, by its currency', async () => {
  await domain.payees.set(payee('fa-1', { CNY: LIMIT, USD: 1n }), 'test');
  const ask = { approvalAboveMinor: null };
  expect((await create(ask)).nextStep).toBe('approve');
  expect((await create({ ...ask, amountMinor: LIMIT })).nextStep).toBe('submit');
  expect((await create({ ...ask, destination: 'wallet' })).nextStep).toBe('submit');
});

test('a recharge that waits is not sent, whoever claims it', async () => {
  const { id } = await create();
  const claims = await Promise.all(times(3, () => claim(id)));
  expect(claims.map((result) => result.claim)).toEqual([null, null, null]);
  expect(await stateOf(id)).toEqual(WAITING);
});

test('the database itself lets nothing go on that is not approved', async () => {
  const { id } = await create();
  await expect(
    books.rows(`update recharge_transaction set next_step = 'submit' where id = $1`, [id]),
  ).rejects.toThrow(/is not approved/);
});

test('an approved recharge is sent once, and the decision is in its timeline', async () => {
  const { id } = await create();
  expect(await decide(id, 'approve')).toMatchObject({
    ...{ ok: true, submits: { id, provider: 'sandbox' } },
    approval: { status: 'approved', decidedBy: 'eve' },
  });
  expect(await stateOf(id)).toEqual({ state: 'CREATED', nextStep: 'submit', waiting: null });
  const claims = await Promise.all(times(3, () => claim(id)));
  expect(claims.filter((result) => result.claim !== null)).toHaveLength(1);
  const timeline = await domain.reads.timeline(id);
  expect(timeline).toContainEqual(
    expect.objectContaining({
      kind: 'operator',
      detail: expect.objectContaining({ verb: 'approve', actor: 'eve' }),
    }),
  );
});

test('a refused recharge is canceled with the reason', async () => {
  const { id } = await create();
  expect(await decide(id, 'refuse')).toMatchObject({
    ok: true,
    approval: { status: 'refused', reason: 'as tested' },
  });
  expect((await stateOf(id)).state).toBe('CANCELED');
  const [step] = await books.rows<{ reason: string }>(
    `select reason from transition where transaction_id = $1 and to_state = 'CANCELED'`,
    [id],
  );
  expect(step!.reason).toBe('not approved: as tested (eve)');
});

test('of two decisions at once one counts', async () => {
  const { id } = await create();
  const decided = await Promise.all([
    decide(id, 'approve'),
    decide(id, 'refuse', { actor: 'ann', role: 'approver' }),
    decide(id, 'approve', { actor: 'bob', role: 'approver' }),
  ]);
  expect(decided.filter(({ ok }) => ok)).toHaveLength(1);
  expect(decided.filter((one) => !one.ok && one.problem === 'decided')).toHaveLength(2);
});

test('who made or rotated a key of the client cannot approve what it asks for, but may refuse it', async () => {
  const maker = { actor: 'mallory', role: 'admin' };
  const rotator = { actor: 'rob', role: 'admin' };
  const asked = { name: 'shop', env: 'test' as const, scopes: [], accounts: ['*'] };
  const key = await domain.clients.create(asked, maker);
  await domain.clients.rotate(key.keyId, rotator);
  const { id } = await create({ clientId: key.clientId });
  for (const by of [maker, rotator])
    expect(await decide(id, 'approve', by)).toEqual({ ok: false, problem: 'own_request' });
  expect(await stateOf(id)).toEqual(WAITING);
  expect(await decide(id, 'refuse', maker)).toMatchObject({ ok: true });
  const other = await create({ clientId: key.clientId });
  expect(await decide(other.id, 'approve')).toMatchObject({ ok: true });
});

test('an approval that nobody decides expires, and its recharge is canceled', async () => {
  const hasty = books.open({ approvalExpiresMs: 50, poolMax: 2 });
  const { id } = await create({}, hasty);
  const { approvalId } = await approvalOf(id);
  let after = null;
  for (let tries = 0; tries < 100 && !after; tries++) after = await hasty.approvals.follow(id);
  expect(after).toMatchObject({ state: 'CANCELED' });
  expect(await domain.approvals.one(approvalId)).toMatchObject({ status: 'expired' });
  expect(await domain.approvals.decide({ approvalId, verb: 'approve', reason: 'late', ...approver })).toEqual(
    {
      ok: false,
      problem: 'decided',
    },
  );
});

test('the sweep hands an expired approval on, and one that is open is due again when it expires', async () => {
  const { id } = await create();
  expect(await domain.approvals.follow(id)).toBeNull();
  await books.rows(`update recharge_transaction set due_at = now() - interval '1 s' where id = $1`, [id]);
  const lane = { what: 'recharge', provider: 'sandbox', nextStep: 'approve' } as const;
  expect(await domain.takeDue(10, lane)).toEqual([{ ...lane, id }]);
  expect(await domain.approvals.follow(id)).toBeNull();
  const [row] = await books.rows<{ due: number }>(
    `select extract(epoch from due_at - now())::int as due from recharge_transaction where id = $1`,
    [id],
  );
  expect(row!.due).toBeGreaterThan(86_000);
});

test.each([
  ['changed', () => domain.payees.set(payee('fa-evil'), 'test')],
  ['removed', () => domain.payees.remove(accountId)],
])(
  'a payee that is %s after the approval voids it: the recharge is canceled when it is claimed',
  async (_how, change) => {
    await domain.payees.set(payee(), 'test');
    const { id } = await create();
    expect(await decide(id, 'approve')).toMatchObject({ ok: true });
    await change();
    const result = await claim(id);
    expect([result.claim, result.state]).toEqual([null, 'CANCELED']);
    const [step] = await books.rows<{ reason: string }>(
      `select reason from transition where transaction_id = $1 and to_state = 'CANCELED'`,
      [id],
    );
    expect(step!.reason).toMatch(/its approval is void/);
  },
);

test('a payee that is set again unchanged, or with another limit, voids nothing', async () => {
  await domain.payees.set(payee(), 'test');
  const { id } = await create();
  await decide(id, 'approve');
  await domain.payees.set(payee('fa-1', { CNY: 5n }), 'test');
  expect((await claim(id)).claim).not.toBeNull();
});

test('a payee that changes before the decision voids the request', async () => {
  await domain.payees.set(payee(), 'test');
  const { id } = await create();
  await domain.payees.set(payee('fa-2'), 'test');
  expect(await decide(id, 'approve')).toEqual({ ok: false, problem: 'void' });
  expect((await stateOf(id)).state).toBe('CANCELED');
  expect(await approvalOf(id)).toMatchObject({ status: 'refused' });
});

test('a client that takes its recharge back answers the approval', async () => {
  const { id } = await create();
  await domain.applyNews(reportOf(id, 'withdraw', { source: 'client' }));
  expect(await approvalOf(id)).toMatchObject({ status: 'refused', reason: 'the recharge was canceled' });
});

test('a recharge that was approved and whose process died goes on with the next sweep', async () => {
  const { id } = await create();
  const { approvalId } = await approvalOf(id);
  await books.rows(
    `update approval set status = 'approved', decided_by = 'eve', decided_at = now() where id = $1`,
    [approvalId],
  );
  expect(await domain.approvals.follow(id)).toMatchObject({ state: 'CREATED' });
  expect((await claim(id)).claim).not.toBeNull();
});

test('a decision stands, and what was asked for stays as it was', async () => {
  const { id } = await create();
  const { approvalId } = await approvalOf(id);
  const set = (what: string) => books.rows(`update approval set ${what} where id = $1`, [approvalId]);
  await expect(set(`hash = 'x'`)).rejects.toThrow(/cannot change/);
  await decide(id, 'refuse');
  await expect(set(`status = 'approved'`)).rejects.toThrow(/cannot change/);
});

test('the first recharge to a payee waits where it is configured so, and the next one does not', async () => {
  const careful = books.open({ approvesFirst: true, poolMax: 2 });
  await careful.payees.set(payee(), 'test');
  const ask = { amountMinor: 1n, approvalAboveMinor: null };
  const first = await create(ask, careful);
  expect(first.nextStep).toBe('approve');
  await decide(first.id, 'approve');
  await domain.applyNews(reportOf(first.id, 'submit'));
  await domain.applyNews(reportOf(first.id, 'settled'));
  expect((await create(ask, careful)).nextStep).toBe('submit');
  await careful.payees.set(payee('fa-2'), 'test');
  expect((await create(ask, careful)).nextStep).toBe('approve');
});

test('a dry run says that it would wait', async () => {
  const trial = (amountMinor: bigint) =>
    domain.tryRecharge(newRecharge({ accountId, amountMinor, approvalAboveMinor: LIMIT }));
  expect([(await trial(LIMIT)).isApprovalNeeded, (await trial(LIMIT + 1n)).isApprovalNeeded]).toEqual([
    false,
    true,
  ]);
});

test('a request for a verb is one pending approval, however often it is asked for, and its user cannot approve it', async () => {
  const ask = {
    ...{ kind: 'resolution', subject: 'case-1', hash: 'h1', requestedBy: 'ann', clientId: null },
    expiresAt: new Date(Date.now() + 60_000),
  };
  const { run, close } = openDatabase({ databaseUrl: books.url, poolMax: 2, onConnectionLost: () => {} });
  const [one, other] = await Promise.all(times(2, () => requestApproval(run, uuidv7(), ask)));
  expect(other!.approvalId).toBe(one!.approvalId);
  const by = (actor: string) =>
    domain.approvals.decide({
      approvalId: one!.approvalId,
      verb: 'approve',
      reason: 'fine',
      actor,
      role: 'approver',
    });
  expect(await by('ann')).toEqual({ ok: false, problem: 'own_request' });
  expect(await by('eve')).toMatchObject({ ok: true, submits: null });
  const bound = { kind: 'resolution', subject: 'case-1' };
  expect(await newestApproval(run, { ...bound, hash: 'h1' })).toMatchObject({ status: 'approved' });
  expect(await newestApproval(run, { ...bound, hash: 'other content' })).toBeNull();
  await close();
});
