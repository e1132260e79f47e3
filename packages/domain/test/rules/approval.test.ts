import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, CLIENT, openBooks } from '../support/books.js';
import { capped, LIMIT, rulesOn } from '../support/rule-approvals.js';
import { KEY, KEY_ROW, newRule, terms, VIEWER } from '../support/rules.js';

let books: Books;
const { limited, one, ruled, acting, changed, look, decide, statusOf, monthOf } = rulesOn(() => books);
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());
beforeEach(() => limited(LIMIT));
const expire = (approvalId: string) =>
  books.rows("update approval set expires_at = now() - interval '1 ms' where id = $1", [approvalId]);

describe('a new rule above the limit', () => {
  test('rests until it is approved, and then it acts', async () => {
    const rule = await ruled();
    expect(rule).toMatchObject({ status: 'paused', pausedBecause: 'APPROVAL', waiting: { widens: [] } });
    expect(await look(rule.id)).toBeNull();
    const { approvalId } = rule.waiting!;
    expect(await books.domain.approvals.one(approvalId)).toMatchObject({
      ...{ kind: 'rule', subject: rule.id, status: 'pending', requestedBy: CLIENT },
      rule: { ruleId: rule.id, accountId: rule.accountId, perMonthMinor: '100000', widens: [] },
    });
    expect(await decide(approvalId)).toMatchObject({ ok: true, approval: { status: 'approved' } });
    expect(await one(rule.id)).toMatchObject({ status: 'active', pausedBecause: null, waiting: null });
    expect((await look(rule.id))!.decision).toMatchObject({ decided: 'recharge' });
    const [, consent] = await books.rows(
      'select actor, approval_id from rule_consent where rule_id = $1 order by terms_version',
      [rule.id],
    );
    expect(consent).toEqual({ actor: 'books', approval_id: approvalId });
  });

  test.each([
    ['at the limit', { terms: capped(LIMIT) }],
    ['that only tells', { terms: terms({ mode: 'notify' }) }],
    ['whose recharges each wait for a person', { terms: terms({ mode: 'propose' }) }],
  ])('%s is none', async (_, over) => {
    expect(await ruled(over)).toMatchObject({ status: 'active', waiting: null });
  });

  test('may be so by the limit of its payee, too', async () => {
    await limited(null);
    const accountId = `acct-${uuidv7()}`;
    await books.domain.payees.set(
      {
        ...{ accountId, provider: 'alibaba_cloud', providerAccount: 'main', to: 'fa-1', from: null },
        ...{ currency: 'USD', approvalAbove: { USD: LIMIT } },
      },
      'books',
    );
    const recharge = {
      ...newRule().recharge,
      kind: 'deliver',
      funding: 'house',
      destination: 'cloud',
    } as const;
    expect(await ruled({ accountId, watch: 'cloud', recharge })).toMatchObject({ pausedBecause: 'APPROVAL' });
    expect(await ruled({ accountId })).toMatchObject({ status: 'active' });
  });

  test.each([
    ['refused', (id: string) => decide(id, 'refuse')],
    ['expired', expire],
  ])('never acts when its approval is %s', async (status, ends) => {
    const rule = await ruled();
    await ends(rule.waiting!.approvalId);
    expect(await look(rule.id)).toBeNull();
    expect(await one(rule.id)).toMatchObject({
      status: 'paused',
      pausedBecause: 'NOT_APPROVED',
      waiting: null,
    });
    expect(await statusOf(rule.waiting!.approvalId)).toBe(status);
    const again = await books.domain.rules.resume(rule.id, VIEWER, { keyId: KEY, actor: 'ben' });
    expect(again).toMatchObject({ pausedBecause: 'APPROVAL', waiting: { approvalId: expect.any(String) } });
  });

  test('is not approved by a change that charges less, as long as that is above the limit, too', async () => {
    const rule = await ruled();
    await decide(rule.waiting!.approvalId, 'refuse');
    expect(await changed(rule.id, capped(LIMIT + 1n))).toMatchObject({ pausedBecause: 'APPROVAL' });
    expect(await changed(rule.id, capped(LIMIT))).toMatchObject({ status: 'active', waiting: null });
  });

  test('is paused whatever it waits for, and no approval lets it act then', async () => {
    const rule = await ruled();
    const { approvalId } = rule.waiting!;
    const paused = await books.domain.rules.pause(rule.id, VIEWER);
    expect(paused).toMatchObject({ status: 'paused', pausedBecause: 'BY_REQUEST', waiting: null });
    expect(await decide(approvalId)).toMatchObject({ ok: false, problem: 'decided' });
    expect(await changed(rule.id, capped(90_000n))).toMatchObject({ pausedBecause: 'BY_REQUEST' });
    await decide((await one(rule.id)).waiting!.approvalId);
    expect(await one(rule.id)).toMatchObject({
      status: 'paused',
      pausedBecause: 'BY_REQUEST',
      waiting: null,
    });
    expect(await monthOf(rule.id)).toBe(90_000n);
  });

  test('takes its approval with it when it is removed', async () => {
    const rule = await ruled();
    await books.domain.rules.remove(rule.id, VIEWER);
    expect(await decide(rule.waiting!.approvalId)).toMatchObject({ ok: false, problem: 'decided' });
  });
});

describe('a version above the limit', () => {
  test('that charges more waits, and the rule goes on by the terms in force until it is approved', async () => {
    const { id } = await acting();
    const waits = await changed(id, capped(90_000n, { belowMinor: 2_000n }));
    expect(waits).toMatchObject({ status: 'active', terms: { belowMinor: 1_000n } });
    expect(waits.waiting!.widens).toEqual([
      { field: 'below', before: '1000', after: '2000' },
      { field: 'caps.perMonth', before: '50000', after: '90000' },
    ]);
    expect((await look(id))!.decision).toMatchObject({ decided: 'recharge', numbers: { termsVersion: 1 } });
    await decide(waits.waiting!.approvalId);
    expect(await one(id)).toMatchObject({ status: 'active', waiting: null, terms: { belowMinor: 2_000n } });
    expect((await look(id))!.decision.numbers).toMatchObject({ termsVersion: 2 });
  });

  test('that only charges less takes effect at once', async () => {
    const { id } = await acting();
    await decide((await changed(id, capped(90_000n))).waiting!.approvalId);
    expect(await changed(id, capped(80_000n))).toMatchObject({ waiting: null });
    expect(await monthOf(id)).toBe(80_000n);
  });

  test.each([
    ['refused', (id: string) => decide(id, 'refuse')],
    ['expired', expire],
  ])('is dropped when its approval is %s, and the old one goes on', async (status, ends) => {
    const { id } = await acting();
    const { waiting } = await changed(id, capped(90_000n));
    await ends(waiting!.approvalId);
    expect((await look(id))!.decision).toMatchObject({ decided: 'recharge', numbers: { termsVersion: 1 } });
    expect([await monthOf(id), await statusOf(waiting!.approvalId)]).toEqual([50_000n, status]);
    expect(await one(id)).toMatchObject({ status: 'active', waiting: null });
  });

  test('is void after any further change, also one that needs no approval', async () => {
    const { id } = await acting();
    const first = (await changed(id, capped(90_000n))).waiting!.approvalId;
    const second = (await changed(id, capped(95_000n))).waiting!.approvalId;
    expect(await decide(first)).toMatchObject({ ok: false, problem: 'decided' });
    await changed(id, capped(40_000n));
    expect(await decide(second)).toMatchObject({ ok: false, problem: 'decided' });
    expect([await monthOf(id), await statusOf(first), await statusOf(second)]).toEqual([
      ...[40_000n, 'refused', 'refused'],
    ]);
  });

  test('is not undone by a change that was merged into the terms before it', async () => {
    const { id, recharge, consent } = await acting();
    await decide((await changed(id, capped(90_000n))).waiting!.approvalId);
    const merged = { terms: capped(50_000n, { belowMinor: 500n }), recharge, keyId: KEY, actor: 'ben' };
    const change = (basedOn: number) => books.domain.rules.change(id, VIEWER, { ...merged, basedOn });
    expect(await change(consent.termsVersion)).toBe('changed_since');
    expect(await one(id)).toMatchObject({ terms: capped(90_000n), consent: { termsVersion: 2 } });
    expect(await change(2)).toMatchObject({ terms: merged.terms, consent: { termsVersion: 3 } });
  });

  test('waits on when it is sent again', async () => {
    const { id } = await acting();
    const first = await changed(id, capped(90_000n));
    expect((await changed(id, capped(90_000n))).waiting).toEqual(first.waiting);
  });

  test('cannot be approved by the person who made the key that asked', async () => {
    await books.rows(
      `insert into operator_action (id, actor, role, verb, subject, reason)
      values ($1, 'kim', 'admin', 'create_key', 'key ${KEY}', 'tested')`,
      [uuidv7()],
    );
    const { waiting } = await changed((await acting()).id, capped(90_000n));
    expect(await decide(waiting!.approvalId, 'approve', 'kim')).toMatchObject({
      ...{ ok: false, problem: 'own_request' },
    });
    expect(await statusOf(waiting!.approvalId)).toBe('pending');
  });

  test('is in force although the process that took the decision died', async () => {
    const { id } = await acting();
    const { waiting } = await changed(id, capped(90_000n));
    await books.rows(
      "update approval set status = 'approved', decided_by = 'eve', decided_at = now() where id = $1",
      [waiting!.approvalId],
    );
    expect((await look(id))!.decision.numbers).toMatchObject({ termsVersion: 2 });
    expect(await monthOf(id)).toBe(90_000n);
  });
});

test('the database takes no version whose approval was not given', async () => {
  const rule = await ruled();
  const consent = (approvalId: string) =>
    books.rows(
      `insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor, approval_id)
      values ($1, 2, 'h', '{}', 'books', $2)`,
      [rule.id, approvalId],
    );
  await expect(consent(rule.waiting!.approvalId)).rejects.toThrow(/is not approved/);
  await expect(
    books.rows("update recharge_rule set status = 'active', paused_because = null where id = $1", [rule.id]),
  ).rejects.toThrow(/recharge_rule_acts_in_force/);
});
