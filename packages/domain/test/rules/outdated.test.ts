import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';
import { capped, LIMIT, rulesOn } from '../support/rule-approvals.js';
import { KEY_ROW } from '../support/rules.js';

let books: Books;
const { limited, one, acting, changed, look, decide, statusOf, monthOf } = rulesOn(() => books);
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());
beforeEach(() => limited(LIMIT));

/** A rule whose version with 90,000 a month waits. */
async function waiting() {
  const { id } = await acting();
  return { id, approvalId: (await changed(id, capped(90_000n))).waiting!.approvalId };
}
const approvedByTheDead = (approvalId: string) =>
  books.rows(
    "update approval set status = 'approved', decided_by = 'eve', decided_at = now() where id = $1",
    [approvalId],
  );

/** Changes a rule to 40,000 a month as a release does that knows no proposals. */
const changedByOlder = (id: string) =>
  books.rows(
    `with changed as (
      update recharge_rule
      set
        terms = jsonb_set(terms, '{caps,perMonthMinor}', '"40000"'),
        terms_version = terms_version + 1,
        version = version + 1
      where id = $1
      returning *)
    insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor)
    select id, terms_version, 'changed', terms, 'older' from changed`,
    [id],
  );

describe('a version that waits while an older release changes the rule', () => {
  const expectDropped = async (id: string) => {
    expect(await monthOf(id)).toBe(40_000n);
    expect(await one(id)).toMatchObject({
      ...{ status: 'active', waiting: null, consent: { actor: 'older', termsVersion: 2 } },
    });
  };

  test('cannot be approved any more', async () => {
    const { id, approvalId } = await waiting();
    await changedByOlder(id);
    expect(await decide(approvalId)).toMatchObject({ ok: false, problem: 'void' });
    expect(await statusOf(approvalId)).toBe('refused');
    await expectDropped(id);
  });

  test('is not adopted although it was approved just before', async () => {
    const { id, approvalId } = await waiting();
    await approvedByTheDead(approvalId);
    await changedByOlder(id);
    expect((await look(id))!.decision.numbers).toMatchObject({ termsVersion: 2 });
    await expectDropped(id);
  });

  test('is refused by the next look', async () => {
    const { id, approvalId } = await waiting();
    await changedByOlder(id);
    expect((await look(id))!.decision.numbers).toMatchObject({ termsVersion: 2 });
    expect(await books.domain.approvals.one(approvalId)).toMatchObject({
      ...{ status: 'refused', decidedBy: null, reason: expect.stringMatching(/has changed/) },
    });
    await expectDropped(id);
  });

  test('is asked for anew when it is sent again, and is in force once that is approved', async () => {
    const { id, approvalId } = await waiting();
    await changedByOlder(id);
    const again = (await changed(id, capped(90_000n))).waiting!;
    expect(again.approvalId).not.toBe(approvalId);
    expect(again.widens).toEqual([{ field: 'caps.perMonth', before: '40000', after: '90000' }]);
    expect(await decide(again.approvalId)).toMatchObject({ ok: true });
    expect(await monthOf(id)).toBe(90_000n);
  });
});

test('a version that an older release asked for is adopted', async () => {
  const { id, approvalId } = await waiting();
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    update rule_proposal set based_on = null where id = '${approvalId}';
    commit`);
  expect(await decide(approvalId)).toMatchObject({ ok: true });
  expect(await monthOf(id)).toBe(90_000n);
});
