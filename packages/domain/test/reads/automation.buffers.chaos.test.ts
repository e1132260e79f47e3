import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RuleFilter } from '../../src/index.js';
import { type Books, CLIENT, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';
import { KEY, terms, VIEWER } from '../support/rules.js';

const ROWS = 100_000;
const PLAN = '0189a5b0-0000-7000-8000-000000000001';
/** The id of row `n` of those that are made. */
const madeId = (n: number): string => `0189a5b0-0000-7000-8000-1${n.toString(16).padStart(11, '0')}`;
const RULE = madeId(1);
const ENDPOINT = '0189a5b0-0000-7000-8000-000000000002';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  const agreed = JSON.stringify(terms(), (_, value) => (typeof value === 'bigint' ? String(value) : value));
  await books.rows(`
    set session_replication_role = replica;
    create temp table made as
      select n, ('0189a5b0-0000-7000-8000-1' || lpad(to_hex(n), 11, '0'))::uuid as id from generate_series(1, ${ROWS}) n;
    insert into recharge_rule (id, client_id, key_id, account_id, currency, watch, below_minor, terms, recharge, status,
        paused_because, due_at)
      select id, '${CLIENT}', '${KEY}', 'acct-' || n % 10000, 'USD', 'wallet', 1000, '${agreed}',
        '{"kind": "collect", "funding": "wallet", "paymentMethod": "sandbox", "destination": "wallet", "metadata": {}}',
        case when n % 997 = 0 then 'paused' else 'active' end, case when n % 997 = 0 then 'BURST' end,
        case when n % 997 <> 0 then now() + interval '1 day' end
      from made;
    insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor)
      select id, 1, 'h', terms, 'shop' from recharge_rule;
    insert into callback_endpoint (id, client_id, url, accounts, secret_sealed)
      values ('${ENDPOINT}', '${CLIENT}', 'https://shop.example/', '{%}', '');
    insert into callback_delivery (id, event_id, seq, client_id, endpoint_id, lane, subject, type, url, status, due_at)
      select id, id, n, '${CLIENT}', '${ENDPOINT}', '${ENDPOINT}', id, 'recharge.succeeded', 'https://shop.example/',
        case when n % 1000 = 0 then 'pending' else 'delivered' end, case when n % 1000 = 0 then now() end
      from made;
    insert into recharge_plan (id, client_id, name, fingerprint, status, currency, lines, total_minor, correlation_id,
        created_by)
      values ('${PLAN}', '${CLIENT}', 'a plan', 'f', 'draft', 'USD', 10000, 10000, 'c', '${KEY}');
    insert into recharge_plan_line (plan_id, place, line, account_id, amount_minor, payment_method)
      select '${PLAN}', n, n, 'acct-' || n, 1, 'sandbox' from made where n <= 10000;
    insert into recharge_plan_count (plan_id, accepted_lines, accepted_minor)
      select '${PLAN}', 100, 100 from made where n <= 50;
    insert into recharge_plan (id, client_id, name, fingerprint, status, currency, lines, total_minor, correlation_id,
        created_by)
      select id, '${CLIENT}', n::text, 'f', 'draft', 'USD', 2000, 2000, 'c', '${KEY}' from made where n <= 1000;
    insert into recharge_plan_line (plan_id, place, line, account_id, amount_minor, payment_method)
      select id, place, place, case when n % 100 = 0 then 'team-b-' else 'team-a-' end || place, 1, 'sandbox'
      from made, generate_series(1, 200) place where n <= 1000;
    insert into recharge_plan_count (plan_id, failed_lines, failed_minor) select id, 1, 1 from made;
    insert into rule_decision (rule_id, seq, at, balance_minor, decided, because, numbers)
      select '${RULE}', n, now(), 2000, 'nothing', 'ENOUGH', '{}' from made;
    insert into reconciliation_run (id, provider, provider_account, from_at, to_at, status, source, asked_by)
      select id, 'sandbox', 'main', now() - interval '1 day', now(), 'finished', 'file', 'operator' from made;
    drop table made;
    reset session_replication_role`);
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

async function expectFew(work: () => Promise<unknown>): Promise<void> {
  const touched = await buffersOf(books.url, work);
  expect(touched.length).toBeGreaterThan(0);
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
}

test.each<[Partial<RuleFilter>, number]>([
  [{}, 100],
  [{ viewer: null }, 100],
  [{ accountId: 'acct-77' }, 10],
  [{ accountId: 'nobody' }, 0],
  [{ status: 'active' }, 100],
  [{ status: 'paused' }, 100],
  [{ status: 'paused', viewer: null }, 100],
  [{ status: 'expired' }, 0],
  [{ status: 'expired', viewer: null }, 0],
  [{ accountId: 'acct-77', status: 'paused' }, 0],
])('a list of rules with %j costs no more than a bounded number of buffers', async (filter, length) => {
  await expectFew(async () => {
    const { rows } = await books.domain.rules.list({ viewer: VIEWER, limit: 100, ...filter });
    expect(rows).toHaveLength(length);
  });
});

test('old decisions of a rule and old runs cost no more than a bounded number of buffers', async () => {
  await expectFew(async () => {
    for (const beforeSeq of [null, 1_000]) {
      const { rows } = await books.domain.rules.decisions(RULE, { beforeSeq, limit: 100 });
      expect(rows.map(({ seq }) => seq)).toContain((beforeSeq ?? ROWS + 1) - 1);
    }
    for (const beforeId of [undefined, madeId(1_000)])
      expect(await books.domain.reconciliations.list({ beforeId, limit: 100 })).toHaveLength(100);
  });
});

test('the health of endpoints costs no more than a bounded number of buffers', async () => {
  await expectFew(async () => {
    const [health] = await books.domain.console.callbackEndpoints(50);
    expect(health).toMatchObject({ id: ENDPOINT, pending: ROWS / 1_000 });
  });
});

test('a page of the lines of a plan costs no more than a bounded number of buffers', async () => {
  await expectFew(async () => {
    expect(await books.domain.plans.plain(PLAN, VIEWER)).toMatchObject({ lines: 10_000 });
    expect(await books.domain.plans.lines(PLAN, { afterPlace: 9_000, limit: 100 })).toHaveLength(100);
  });
});

test('the progress of a plan costs no more than a bounded number of buffers, and so does a look whether it is finished', async () => {
  await expectFew(async () => {
    expect((await books.domain.plans.one(PLAN, VIEWER))!.sums).toEqual([
      { status: 'not_started', lines: 5_000, amountMinor: 5_000n },
      { status: 'accepted', lines: 5_000, amountMinor: 5_000n },
    ]);
    expect(await books.domain.plans.work.settle(PLAN)).toBe(false);
  });
});

test.each([
  [['%'], 100, false],
  [['team-a-%'], 100, false],
  [['team-%'], 100, false],
  [['team-a-1%', 'team-a-%', 'team-b-9%'], 100, false],
  [['team-b-%'], 10, false],
  [['acct-%'], 1, false],
  [['other-%'], 0, false],
  [Array.from({ length: 40 }, (_, n) => `other-${n}-%`), 0, true],
  [['team-a-1%', 'team%5'], 0, true],
])(
  'the plans of a key that covers %j cost no more than a bounded number of buffers',
  async (accountPatterns, length, isCut) => {
    await expectFew(async () => {
      const viewer = { clientId: CLIENT, accountPatterns };
      const { rows, nextId } = await books.domain.plans.list({ viewer, limit: 100 });
      expect(rows).toHaveLength(length);
      expect(nextId !== null).toBe(isCut || length === 100);
    });
  },
);
