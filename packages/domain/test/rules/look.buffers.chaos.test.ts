import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Books } from '../support/books.js';
import { BUFFERS_MAX, buffersOfWrites } from '../support/buffers.js';
import { addManyCases, openManyRows } from '../support/many-rows.js';
import { KEY_ROW, newRule } from '../support/rules.js';

const MADE = 3_000;

let books: Books;
let ruleId: string;
// A rule that has made a recharge every three hours for a year. Each third recharge of everybody was paid back, except for
// the newest, so that none of those of the rule that it looks at was.
beforeAll(async () => {
  books = await openManyRows(100_000);
  await addManyCases(books, 20_000);
  await books.rows(KEY_ROW);
  const made = await books.domain.rules.create(newRule({ accountId: 'acct-look' }));
  if (!made.ok) throw new Error(made.problem);
  ruleId = made.rule.id;
  await books.rows(`
    set session_replication_role = replica;
    insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, refund_of)
      select gen_random_uuid(), client_id, account_id, 'refund', 'SUCCEEDED', 1, 'USD', 'sandbox', 'sandbox', id
      from (select *, row_number() over (order by id) n from recharge_transaction) sent
      where n % 3 = 0 and n < 99000 and kind = 'collect';
    create temp table sent as
      select id, row_number() over (order by id desc) n
      from recharge_transaction where kind = 'collect' and state = 'SUCCEEDED' order by id desc limit ${MADE};
    insert into rule_decision (rule_id, seq, at, balance_minor, decided, because, amount_minor, transaction_id, numbers)
      select '${ruleId}', ${MADE} + 1 - n, now() - n * interval '3 hours', 0, 'recharge', 'BELOW_THRESHOLD', 1, id, '{}'
      from sent;
    update recharge_rule set decisions = ${MADE}, last_recharge_id = (select id from sent where n = 1)
      where id = '${ruleId}';
    drop table sent;
    reset session_replication_role`);
  await books.rows('vacuum analyze recharge_transaction, rule_decision, recharge_rule');
}, 300_000);
afterAll(() => books.close());

test('a look of a rule with thousands of recharges costs no more than a bounded number of buffers', async () => {
  const touched = await buffersOfWrites(books.url, async () => {
    const looked = await books.domain.rules.look(ruleId, () => ({
      ...{ provider: 'sandbox', providerAccount: 'main' },
    }));
    expect(looked).toMatchObject({ decision: { decided: 'recharge' } });
  });
  expect(touched.length).toBeGreaterThan(0);
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
});
