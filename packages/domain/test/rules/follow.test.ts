import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';
import { capped, LIMIT, rulesOn } from '../support/rule-approvals.js';
import { KEY_ROW, VIEWER } from '../support/rules.js';

let books: Books;
const { limited, one, ruled, acting, changed, look, monthOf } = rulesOn(() => books);
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());
beforeEach(() => limited(LIMIT));

/** A new rule that rests, and rules that rest while a version of theirs waits. */
const resting = {
  'a new rule': async () => (await ruled()).id,
  'a paused rule whose version waits': async () => {
    const { id } = await acting();
    await changed(id, capped(90_000n));
    await books.domain.rules.pause(id, VIEWER);
    return id;
  },
  'a rule that was paused before its version was asked for': async () => {
    const { id } = await acting();
    await books.domain.rules.pause(id, VIEWER);
    await changed(id, capped(90_000n));
    return id;
  },
  'a rule that has expired while its version waits': async () => {
    const { id } = await acting({ terms: capped(50_000n, { expiresAt: new Date(0) }) });
    await changed(id, capped(90_000n));
    expect(await look(id)).toMatchObject({ decision: { because: 'EXPIRED' } });
    return id;
  },
};
const each = Object.entries(resting);

const dueInMs = async (id: string) => {
  const [row] = await books.rows<{ due: number }>(
    'select (extract(epoch from due_at - now()) * 1000)::int as due from recharge_rule where id = $1',
    [id],
  );
  return row!.due;
};
const SOON_MS = 30_000;

/** Half a minute passes for the rules, and the sweep takes those that are due. Returns whether the rule is one of them. */
async function isTakenSoon(id: string): Promise<boolean> {
  await books.rows("update recharge_rule set due_at = due_at - interval '30 s' where due_at is not null");
  return (await books.domain.takeDue(1_000, { what: 'rule' })).some((due) => due.id === id);
}

/** The approval is given by a process that dies before the rule follows it. */
const approvedByTheDead = (id: string) =>
  books.rows(
    `update approval set status = 'approved', decided_by = 'eve', decided_at = now()
    where kind = 'rule' and subject = $1 and status = 'pending'`,
    [id],
  );

describe.each(each)('%s', (_, make) => {
  test('follows within half a minute the approval that a dead process left behind', async () => {
    const id = await make();
    await approvedByTheDead(id);
    expect(await isTakenSoon(id)).toBe(true);
    await look(id);
    expect(await one(id)).toMatchObject({ consent: { termsVersion: 2 }, waiting: null });
    expect(await monthOf(id)).toBeGreaterThanOrEqual(90_000n);
  });

  test('looks every half minute while its approval is open, and such a look writes nothing else', async () => {
    const id = await make();
    const traces = () =>
      books.rows(
        `select
          to_jsonb(rule) - 'due_at' as rule,
          (select count(*)::int from rule_decision where rule_id = rule.id) as decisions,
          (select count(*)::int from notice) as notices,
          (select count(*)::int from watched_account) as readings
        from recharge_rule rule where id = $1`,
        [id],
      );
    const before = await traces();
    for (let looks = 0; looks < 2; looks++) {
      expect(await isTakenSoon(id)).toBe(true);
      expect(await look(id)).toBeNull();
      const due = await dueInMs(id);
      expect(due).toBeGreaterThan(SOON_MS / 2);
      expect(due).toBeLessThanOrEqual(SOON_MS);
    }
    expect(await traces()).toEqual(before);
  });
});

test('an approval that expires sooner is looked at when it expires', async () => {
  const hasty = books.open({ approvalExpiresMs: 10_000, poolMax: 2 });
  const { id } = await acting();
  await books.domain.rules.pause(id, VIEWER);
  const before = await one(id);
  await limited(10n);
  await hasty.rules.change(id, VIEWER, {
    ...{ terms: capped(90_000n), recharge: before.recharge, basedOn: null },
    ...{ keyId: before.keyId, actor: 'ben' },
  });
  expect(await dueInMs(id)).toBeLessThanOrEqual(10_000);
  await books.rows("update approval set expires_at = now() - interval '1 ms' where subject = $1", [id]);
  expect(await look(id)).toBeNull();
  expect(await one(id)).toMatchObject({ status: 'paused', pausedBecause: 'BY_REQUEST', waiting: null });
  const [row] = await books.rows('select due_at from recharge_rule where id = $1', [id]);
  expect(row).toEqual({ due_at: null });
});
