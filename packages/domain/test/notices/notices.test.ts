import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { NewRule, Notice } from '../../src/index.js';
import { type Books, CLIENT, deposit, openBooks, reportOf } from '../support/books.js';
import { newDeliveries } from '../support/deliveries.js';
import { KEY_ROW, newRule, terms, VIEWER } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
  await books.domain.notices.openChannels(['slack', 'email']);
});
afterEach(() => books.rows('delete from notice'));
afterAll(() => books.close());

const TIMES = { everyMs: 0, leaseMs: 60_000 };
/** What one channel is told now. */
async function told(channel = 'slack', isSent = true): Promise<Pick<Notice, 'kind' | 'content'>[]> {
  const taken = await books.domain.notices.take(channel, TIMES);
  if (taken.length > 0) await books.domain.notices.file(taken, isSent);
  return taken.map(({ kind, content }) => ({ kind, content }));
}

let accounts = 0;
async function ruled(holds: bigint, over: Partial<NewRule> = {}) {
  const accountId = `acct-notice-${++accounts}`;
  if (holds > 0n) await deposit(books.domain, accountId, holds);
  const created = await books.domain.rules.create(newRule({ accountId, ...over }));
  if (!created.ok) throw new Error(created.problem);
  return created.rule;
}
const look = (id: string) =>
  books.domain.rules.look(id, () => ({ provider: 'sandbox', providerAccount: 'main' }));
/** Lets a rule recharge and the recharge succeed, and takes the money out again. */
async function recharge(ruleId: string, accountId: string): Promise<void> {
  const looked = await look(ruleId);
  const id = looked!.decision.transactionId!;
  expect(id).not.toBeNull();
  for (const news of ['submit', 'settled'] as const) await books.domain.applyNews(reportOf(id, news));
  await books.rows(`update ledger_account set balance_minor = 0 where name = $1`, [
    `wallet:${accountId}:available`,
  ]);
}

test('a rule that only tells is told once while it stays short, with its numbers, to each open channel', async () => {
  const rule = await ruled(400n, { terms: terms({ mode: 'notify' }) });
  for (let n = 0; n < 3; n++) await look(rule.id);
  const notice = {
    kind: 'rule_due',
    content: {
      ...{ ruleId: rule.id, accountId: rule.accountId, currency: 'USD' },
      ...{ balance: '400', below: '1000', amount: '4600' },
    },
  };
  expect(await told('slack')).toEqual([notice]);
  expect(await told('email')).toEqual([notice]);
  expect(await told('feishu')).toEqual([]);
  expect(await told('slack')).toEqual([]);
});

test('a pause that a rule makes by itself is told, and one that a person asked for is not', async () => {
  const rule = await ruled(5_000n);
  await books.domain.rules.pause(rule.id, VIEWER);
  expect(await told()).toEqual([]);
  await books.domain.rules.resume(rule.id, VIEWER, { keyId: null, actor: 'books' });
  await books.rows(`update api_key set revoked_at = now() where id = $1`, [rule.keyId]);
  await look(rule.id);
  await books.rows(`update api_key set revoked_at = null where id = $1`, [rule.keyId]);
  expect(await told()).toEqual([
    { kind: 'rule_paused', content: { ruleId: rule.id, accountId: rule.accountId, because: 'KEY_GONE' } },
  ]);
});

test('80, 90 and 100 % of a cap are each told once per window, and a jump tells the highest mark only', async () => {
  const caps = {
    perRechargeMinor: 10_000n,
    perDayMinor: 10_000n,
    perMonthMinor: 900_000n,
    timesPerDay: null,
    timesPerMonth: null,
  };
  const small = { belowMinor: 500n, recharge: { amountMinor: 500n } };
  const rule = await ruled(0n, { terms: terms({ ...small, caps }) });
  const used = async () => (await told()).map(({ content }) => [content.cap, content.percent, content.used]);
  // The rule spent this in the last 24 hours, but not within the time of a burst.
  const spent = (minor: number, hoursAgo: number) =>
    books.rows(
      `insert into rule_decision (rule_id, seq, at, decided, because, amount_minor, transaction_id, numbers)
       values ($1, $2, now() - $3 * interval '1 hour', 'recharge', 'BELOW_THRESHOLD', $4, $5, '{}')`,
      [rule.id, -hoursAgo, hoursAgo, minor, uuidv7()],
    );
  await spent(7_000, 20);
  expect(await used()).toEqual([]);
  await recharge(rule.id, rule.accountId);
  expect(await used()).toEqual([]);
  await recharge(rule.id, rule.accountId);
  expect(await used()).toEqual([['perDayMinor', '80', '8000']]);
  await recharge(rule.id, rule.accountId);
  expect(await used()).toEqual([]);
  await spent(1_000, 3);
  expect(await used()).toEqual([['perDayMinor', '90', '9500']]);
  await recharge(rule.id, rule.accountId);
  expect(await used()).toEqual([['perDayMinor', '100', '10000']]);
  expect(await look(rule.id)).toMatchObject({ decision: { because: 'CAP_REACHED' } });
  expect(await used()).toEqual([]);
});

test('the times per day are a cap of their own', async () => {
  const caps = {
    perRechargeMinor: 5_000n,
    perDayMinor: 900_000n,
    perMonthMinor: 900_000n,
    timesPerDay: 1,
    timesPerMonth: null,
  };
  const rule = await ruled(0n, { terms: terms({ caps }) });
  await recharge(rule.id, rule.accountId);
  expect(await told()).toMatchObject([
    { kind: 'rule_cap', content: { cap: 'timesPerDay', percent: '100', used: '1', limit: '1' } },
  ]);
});

test('what a rule proposes and every opened case are told with their amount', async () => {
  const rule = await ruled(0n, { terms: terms({ mode: 'propose' }) });
  await look(rule.id);
  expect(await told()).toEqual([
    {
      kind: 'approval_asked',
      content: {
        ...{ approvalId: expect.any(String), approvalKind: 'recharge', accountId: rule.accountId },
        ...{ amount: '5000', currency: 'USD' },
      },
    },
  ]);
  await books.rows(
    `insert into reconciliation_case (id, client_id, account_id, subject, kind, amount_minor, currency, detail)
     values ($1, $2, 'acct-1', 'line 7', 'statement_theirs_only', 1234, 'USD', '{}')`,
    [uuidv7(), CLIENT],
  );
  expect(await told()).toMatchObject([
    { kind: 'case_opened', content: { caseKind: 'statement_theirs_only', amount: '1234', currency: 'USD' } },
  ]);
});

test('a pool that cannot pay what waits for it is told once an hour', async () => {
  const holds = (transferableMinor: bigint) =>
    books.domain.pools.record({
      ...{ provider: 'alibaba_cloud', providerAccount: 'main', currency: 'CNY' },
      ...{ transferableMinor, tookMs: 0 },
    });
  await holds(300n);
  const [id] = await newDeliveries(books, [{ amountMinor: 500n }]);
  await holds(300n);
  expect(await told()).toEqual([]);
  const claimed = await books.domain.applyNews({
    ...{ transactionId: id!, news: 'submit', source: 'submission', reason: 'as tested' },
    limits: { poolReadWithinMs: 60_000 },
  });
  expect(claimed.held).toBe('SOURCE_FUNDS');
  await holds(200n);
  await holds(100n);
  expect(await told()).toEqual([
    {
      kind: 'pool_short',
      content: {
        ...{ provider: 'alibaba_cloud', providerAccount: 'main', currency: 'CNY' },
        ...{ available: '200', waiting: '1', amount: '500' },
      },
    },
  ]);
});

test('a message that did not arrive is sent again later, and a worker that died with it loses nothing', async () => {
  const rule = await ruled(400n, { terms: terms({ mode: 'notify' }) });
  await look(rule.id);
  expect(await told('slack', false)).toHaveLength(1);
  expect(await told()).toEqual([]);
  await books.rows(`update notice set due_at = now() - interval '1 s' where due_at is not null`);
  const { take, file } = books.domain.notices;
  const lost = await take('slack', TIMES);
  expect(lost).toHaveLength(1);
  expect(await take('slack', TIMES)).toEqual([]);
  await books.rows(`update notice set due_at = now() - interval '1 s' where due_at is not null`);
  const again = await take('slack', TIMES);
  expect(again.map(({ id }) => id)).toEqual(lost.map(({ id }) => id));
  await books.rows(`update notice set tries = 14`);
  expect(await file(again, false)).toBe('failed');
});

test('a channel pauses between two messages, and what comes meanwhile is one message', async () => {
  const { take } = books.domain.notices;
  const first = await ruled(400n, { terms: terms({ mode: 'notify' }) });
  await look(first.id);
  expect(await books.domain.takeDue(9, { what: 'notice' })).toContainEqual({ what: 'notice', id: 'slack' });
  expect(await books.domain.takeDue(9, { what: 'notice' })).toEqual([]);
  expect(await take('slack', { everyMs: 3_600_000, leaseMs: 60_000 })).toHaveLength(1);
  for (let n = 0; n < 3; n++) await look((await ruled(400n, { terms: terms({ mode: 'notify' }) })).id);
  await books.rows(`update notice_channel set hinted_until = now() - interval '1 s'`);
  const due = await books.domain.takeDue(9, { what: 'notice' });
  expect(due.map(({ id }) => id)).toEqual(['email']);
  expect(await take('slack', TIMES)).toEqual([]);
  await books.rows(`update notice_channel set next_at = now() - interval '1 s'`);
  expect(await take('slack', TIMES)).toHaveLength(3);
});

test('nothing is staged for a closed channel', async () => {
  await books.domain.notices.openChannels([]);
  await look((await ruled(400n, { terms: terms({ mode: 'notify' }) })).id);
  expect(await books.rows('select 1 from notice')).toEqual([]);
  await books.domain.notices.openChannels(['slack', 'email']);
});
