import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { requestApproval } from '../../src/store/approvals/request.js';
import { openDatabase } from '../../src/store/database/database.js';
import { type Books, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOfWrites, type Touched } from '../support/buffers.js';
import { capped, LIMIT, rulesOn } from '../support/rule-approvals.js';
import { KEY_ROW } from '../support/rules.js';

const WAITING = 20_000;

let books: Books;
let ruleId: string;
const { limited, ruled, look, statusOf } = rulesOn(() => books);
const approvalOf = async (id: string): Promise<string> => {
  const [rule] = await books.rows<{ waits: string }>(
    'select proposal_id as waits from recharge_rule where id = $1',
    [id],
  );
  return rule!.waits;
};

/** Copies the rows of a table that belong to the rule, each with ids of the copy. */
const copied = (table: string, idColumn: string, ids: string) => `
  insert into ${table}
  select made.*
  from ${table} one
  cross join copy
  cross join lateral jsonb_populate_record(one, jsonb_build_object(${ids})) made
  where one.${idColumn}::text = (select '${ruleId}')`;

// Many rules rest, each with a version that waits for its approval.
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
  await limited(LIMIT);
  ruleId = (await ruled({ terms: capped(100_000n) })).id;
  await books.rows(`
    set session_replication_role = replica;
    create table copy as select gen_random_uuid() as rule, gen_random_uuid() as proposal
      from generate_series(1, ${WAITING});
    ${copied('recharge_rule', 'id', "'id', copy.rule, 'proposal_id', copy.proposal")};
    ${copied('rule_consent', 'rule_id', "'rule_id', copy.rule")};
    ${copied('rule_proposal', 'rule_id', "'rule_id', copy.rule, 'id', copy.proposal")};
    ${copied('approval', 'subject', "'subject', copy.rule, 'id', copy.proposal")};
    drop table copy;
    reset session_replication_role`);
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

// This table has one row.
const SWITCH = 'rule_switch';

async function expectFew(work: () => Promise<unknown>, max: number): Promise<void> {
  const touched = await buffersOfWrites(books.url, work);
  expect(touched.length).toBeGreaterThan(0);
  const isLarge = ({ buffers, scanned }: Touched) =>
    buffers > max || scanned.some((table) => table !== SWITCH);
  expect(touched.filter(isLarge)).toEqual([]);
}

test('a look at a rule that rests costs a few buffers', async () => {
  await expectFew(async () => expect(await look(ruleId)).toBeNull(), 100);
});

test('a look that follows a refusal costs a few buffers', async () => {
  const { id } = await ruled();
  const approvalId = await approvalOf(id);
  await books.rows(
    "update approval set status = 'refused', reason = 'no', decided_at = now() where id = $1",
    [approvalId],
  );
  await expectFew(async () => expect(await look(id)).toBeNull(), 150);
  expect(await statusOf(approvalId)).toBe('refused');
});

test('the sweep of rules that rest costs no more than a bounded number of buffers', async () => {
  await books.rows("update recharge_rule set due_at = now() - interval '1 s' where due_at is not null");
  await books.rows('vacuum analyze recharge_rule');
  await expectFew(
    async () => expect(await books.domain.takeDue(40, { what: 'rule' })).toHaveLength(40),
    BUFFERS_MAX,
  );
});

test('a request for the approval of a verb costs no more than a bounded number of buffers', async () => {
  const { run, close } = openDatabase({ databaseUrl: books.url, poolMax: 2, onConnectionLost: () => {} });
  const ask = {
    ...{ kind: 'resolution', subject: 'case-1', requestedBy: 'ann', clientId: null },
    expiresAt: new Date(Date.now() + 60_000),
  };
  await expectFew(async () => {
    for (const hash of ['one', 'other'])
      expect(await requestApproval(run, uuidv7(), { ...ask, hash })).toMatchObject({ hash });
  }, BUFFERS_MAX);
  await close();
});
